import { X } from "lucide-react";
import { useEffect, useId, useRef, type ReactNode } from "react";
import { t } from "@/i18n";
import { IconButton } from "./button";
import { cx } from "./cx";

interface DialogProps {
  open: boolean;
  onClose: () => void;
  title: string;
  /** Closed by its own button only: what it shows cannot be had again. */
  stays?: boolean;
  className?: string;
  children: ReactNode;
}

/** What had the focus before; for an entry of a menu, the button that opened the menu. */
function opener(): HTMLElement | null {
  const active = document.activeElement;
  if (!(active instanceof HTMLElement)) return null;
  const menu = active.closest('[role="menu"]');
  return menu === null ? active : document.getElementById(menu.getAttribute("aria-labelledby") ?? "");
}

/** The browser's own modal dialog: it traps focus, closes on Escape and needs no injected styles. */
export function Dialog({ open, onClose, title, stays = false, className, children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const before = useRef<HTMLElement | null>(null);
  const titleId = useId();

  useEffect(() => {
    const dialog = element.current;
    if (dialog === null) return;
    if (open && !dialog.open) {
      before.current = opener();
      dialog.showModal();
      // Where one types comes before the button that closes.
      const field = "input:not(:disabled), select:not(:disabled), textarea:not(:disabled), [data-autofocus]";
      dialog.querySelector<HTMLElement>(field)?.focus();
    }
    if (!open && dialog.open) {
      dialog.close();
      if (document.activeElement === document.body) before.current?.focus();
    }
  }, [open]);

  useEffect(
    () => () => {
      // Taken away while open: the browser gives the focus to nobody then.
      if (document.activeElement === document.body) before.current?.focus();
    },
    [],
  );

  useEffect(() => {
    const dialog = element.current;
    if (dialog === null) return;
    const onClick = (event: MouseEvent) => {
      // A click on the backdrop has the dialog itself as its target.
      if (event.target === dialog && !stays) onClose();
    };
    const onCancel = (event: Event) => {
      if (stays) event.preventDefault();
    };
    dialog.addEventListener("click", onClick);
    dialog.addEventListener("cancel", onCancel);
    return () => {
      dialog.removeEventListener("click", onClick);
      dialog.removeEventListener("cancel", onCancel);
    };
  }, [onClose, stays]);

  return (
    <dialog
      ref={element}
      aria-labelledby={titleId}
      onClose={onClose}
      className={cx(
        "m-auto max-h-[85dvh] w-[min(560px,calc(100vw-24px))] overflow-hidden rounded-lg border border-line bg-raised text-text shadow-float",
        className,
      )}
    >
      {open && (
        <div className="flex max-h-[85dvh] flex-col">
          <header className="flex min-h-11 items-center justify-between border-b border-line py-2 pr-2 pl-4">
            <h2 id={titleId} className="text-base font-semibold">
              {title}
            </h2>
            {!stays && (
              <IconButton label={t("action.close")} onClick={onClose}>
                <X className="size-4" aria-hidden />
              </IconButton>
            )}
          </header>
          <div className="overflow-y-auto p-4">{children}</div>
        </div>
      )}
    </dialog>
  );
}
