import { CircleAlert, CircleCheck } from "lucide-react";
import type { ReactNode } from "react";
import { sentence, type ApiError } from "@/api/error";
import { Logo } from "@/components/logo";
import { useTitle } from "@/components/ui/page";
import { cx } from "@/components/ui/cx";
import { t } from "@/i18n";

/** The frame of every page before the log-in. */
export function AuthPage({ title, lead, children }: { title: string; lead?: ReactNode; children?: ReactNode }) {
  useTitle(title);
  return (
    <main className="flex h-full overflow-y-auto p-4">
      <div className="m-auto flex w-full max-w-80 flex-col gap-4 pb-16">
        <div className="flex flex-col gap-4">
          <Logo className="size-9" />
          <h1 className="text-xl font-semibold break-words">{title}</h1>
          {lead !== undefined && <div className="-mt-2 break-words text-muted">{lead}</div>}
        </div>
        {children}
      </div>
    </main>
  );
}

const TONES = {
  error: "bg-error-soft text-error",
  warning: "bg-warning-soft text-warning",
  good: "bg-accent-soft text-accent",
} as const;

/** What happened, above a form. */
export function Notice({ tone, id, children }: { tone: keyof typeof TONES; id?: string; children: ReactNode }) {
  const Icon = tone === "good" ? CircleCheck : CircleAlert;
  return (
    <div id={id} role={tone === "error" ? "alert" : "status"} className={cx("flex gap-2 rounded-md px-3 py-2", TONES[tone])}>
      <Icon className="mt-0.5 size-4 shrink-0" aria-hidden />
      <div className="min-w-0 flex-1 break-words">{children}</div>
    </div>
  );
}

/** An error in words for somebody who is not logged in: what the server said, or that it said nothing. */
export function FailureNotice({ failure, id }: { failure: ApiError; id?: string }) {
  return (
    <Notice tone="error" id={id}>
      {failure.status === 0 ? t("error.network") : failure.status >= 500 ? t("error.server") : sentence(failure.message)}
      {failure.status >= 500 && failure.requestId !== null && (
        <span className="code block">
          {t("error.requestId")} {failure.requestId}
        </span>
      )}
    </Notice>
  );
}
