import { sentence, type ApiError } from "@/api/error";
import { t } from "@/i18n";

export interface Toast {
  id: number;
  text: string;
  tone: "plain" | "error";
  requestId: string | null;
  action: { label: string; run: () => void } | null;
}

let toasts: readonly Toast[] = [];
let last = 0;
const listeners = new Set<() => void>();

function change(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

export const toastStore = {
  subscribe: (listener: () => void): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  get: (): readonly Toast[] => toasts,
  dismiss: (id: number): void => change(toasts.filter((toast) => toast.id !== id)),
};

/** Says that something has happened. At most three are in sight. */
export function toast({ text, ...rest }: Partial<Omit<Toast, "id">> & { text: string }): void {
  last += 1;
  change([...toasts.slice(-2), { id: last, tone: "plain", requestId: null, action: null, ...rest, text }]);
}

/** Says why something did not happen. */
export function toastError(error: ApiError): void {
  toast({
    text: error.status === 0 ? t("error.network") : sentence(error.message),
    tone: "error",
    requestId: error.requestId,
  });
}
