import { X } from "lucide-react";
import { useEffect, useId, useRef, type ReactNode } from "react";
import { t } from "@/i18n";
import { IconButton } from "./button";
import { cx } from "./cx";

interface DialogProps {
  open: boolean;
  onClose: () => void;
  title: string;
  className?: string;
  children: ReactNode;
}

/** The browser's own modal dialog: it traps focus, closes on Escape and needs no injected styles. */
export function Dialog({ open, onClose, title, className, children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const titleId = useId();

  useEffect(() => {
    const dialog = element.current;
    if (dialog === null) return;
    if (open && !dialog.open) dialog.showModal();
    if (!open && dialog.open) dialog.close();
  }, [open]);

  useEffect(() => {
    const dialog = element.current;
    if (dialog === null) return;
    const onClick = (event: MouseEvent) => {
      // A click on the backdrop has the dialog itself as its target.
      if (event.target === dialog) onClose();
    };
    dialog.addEventListener("click", onClick);
    return () => dialog.removeEventListener("click", onClick);
  }, [onClose]);

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
          <header className="flex items-center justify-between border-b border-line py-2 pr-2 pl-4">
            <h2 id={titleId} className="text-base font-semibold">
              {title}
            </h2>
            <IconButton label={t("action.close")} onClick={onClose}>
              <X className="size-4" aria-hidden />
            </IconButton>
          </header>
          <div className="overflow-y-auto p-4">{children}</div>
        </div>
      )}
    </dialog>
  );
}
