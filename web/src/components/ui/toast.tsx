import { CircleAlert, CircleCheck, X } from "lucide-react";
import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import { t } from "@/i18n";
import { IconButton } from "./button";
import { CopyButton } from "./copy-button";
import { toastStore, type Toast } from "./toast-store";

/** How long a message stays; it waits while the pointer or the focus is on it. */
const STAYS_MS = 6_000;
const ERROR_STAYS_MS = 12_000;

/** Where messages about what has been done appear, at the lower edge. */
export function ToastLayer() {
  const toasts = useSyncExternalStore(toastStore.subscribe, toastStore.get);
  return (
    <div
      role="region"
      aria-label={t("toast.label")}
      aria-live="polite"
      className="pointer-events-none fixed inset-x-0 bottom-0 z-[70] flex flex-col items-center gap-2 p-4"
    >
      {toasts.map((toast) => (
        <Message key={toast.id} toast={toast} />
      ))}
    </div>
  );
}

function Message({ toast }: { toast: Toast }) {
  const [held, setHeld] = useState(false);
  const failed = toast.tone === "error";
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const hold = () => setHeld(true);
    const release = () => setHeld(false);
    const listeners = [
      ["pointerenter", hold],
      ["pointerleave", release],
      ["focusin", hold],
      ["focusout", release],
    ] as const;
    for (const [name, listener] of listeners) element.addEventListener(name, listener);
    return () => {
      for (const [name, listener] of listeners) element.removeEventListener(name, listener);
    };
  }, []);
  useEffect(() => {
    if (held) return;
    const timer = setTimeout(() => toastStore.dismiss(toast.id), failed ? ERROR_STAYS_MS : STAYS_MS);
    return () => clearTimeout(timer);
  }, [held, failed, toast.id]);
  const Icon = failed ? CircleAlert : CircleCheck;
  return (
    <div
      role={failed ? "alert" : "status"}
      ref={box}
      className="appear pointer-events-auto flex w-full max-w-md items-start gap-2 rounded-lg border border-line bg-raised py-2 pr-2 pl-3 shadow-float"
    >
      <Icon className={`mt-1 size-4 shrink-0 ${failed ? "text-error" : "text-accent"}`} aria-hidden />
      <div className="min-w-0 flex-1 py-0.5 break-words">
        {toast.text}
        {toast.requestId !== null && (
          <p className="flex items-center gap-1 text-xs text-muted">
            {t("error.requestId")}
            <code className="code truncate">{toast.requestId}</code>
            <CopyButton text={toast.requestId} />
          </p>
        )}
      </div>
      {toast.action !== null && (
        <button
          type="button"
          className="h-7 shrink-0 rounded-md px-2 font-medium text-accent hover:bg-hover"
          onClick={() => {
            toast.action?.run();
            toastStore.dismiss(toast.id);
          }}
        >
          {toast.action.label}
        </button>
      )}
      <IconButton label={t("action.close")} onClick={() => toastStore.dismiss(toast.id)}>
        <X className="size-4" aria-hidden />
      </IconButton>
    </div>
  );
}
