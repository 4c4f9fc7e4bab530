import { CircleAlert } from "lucide-react";
import { sentence, toApiError, type ApiError } from "@/api/error";
import { t } from "@/i18n";
import { Button } from "./ui/button";
import { CopyButton } from "./ui/copy-button";

/** What to do about an error, by its kind. */
function advice(error: ApiError): string {
  if (error.status === 0) return t("error.network");
  if (error.status === 401) return t("error.unauthorized");
  if (error.status === 403) return t("error.forbidden");
  if (error.status === 404) return t("error.notFound");
  if (error.status === 429) return t("error.rateLimit");
  if (error.status >= 500) return t("error.server");
  return "";
}

interface ErrorNoticeProps {
  error: unknown;
  onRetry?: () => void;
  title?: string;
}

/** A failed load: what happened, what to do, the request id, and a way to try again. */
export function ErrorNotice({ error, onRetry, title = t("error.title") }: ErrorNoticeProps) {
  const failure = toApiError(error);
  const hint = advice(failure);
  return (
    <div role="alert" className="mx-auto flex w-full max-w-lg flex-col items-start gap-2 p-6">
      <h2 className="flex items-center gap-2 text-base font-semibold">
        <CircleAlert className="size-4 shrink-0 text-error" aria-hidden />
        {title}
      </h2>
      {failure.status !== 0 && <p className="break-words">{sentence(failure.message)}</p>}
      {hint !== "" && <p className="text-muted">{hint}</p>}
      {failure.requestId !== null && (
        <p className="flex max-w-full items-center gap-1 text-xs text-muted">
          <span className="shrink-0">{t("error.requestId")}</span>
          <code className="code truncate text-text">{failure.requestId}</code>
          <CopyButton text={failure.requestId} />
        </p>
      )}
      {onRetry !== undefined && (
        <Button className="mt-1" onClick={onRetry}>
          {t("action.retry")}
        </Button>
      )}
    </div>
  );
}
