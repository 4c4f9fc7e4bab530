import { CircleAlert } from "lucide-react";
import { sentence, type ApiError } from "@/api/error";
import { t } from "@/i18n";
import { CopyButton } from "./copy-button";

/** Why a form was not taken, above its buttons. */
export function FormError({ failure, message }: { failure: ApiError | null; message?: string }) {
  if (failure === null) return null;
  const unexpected = failure.status >= 500 || failure.status === 403;
  return (
    <div role="alert" className="flex gap-2 rounded-md bg-error-soft px-3 py-2 text-error">
      <CircleAlert className="mt-0.5 size-4 shrink-0" aria-hidden />
      <div className="min-w-0 break-words">
        {message ?? (failure.status === 0 ? t("error.network") : sentence(failure.message))}
        {unexpected && failure.requestId !== null && (
          <p className="flex items-center gap-1 text-xs">
            {t("error.requestId")}
            <code className="code truncate">{failure.requestId}</code>
            <CopyButton text={failure.requestId} />
          </p>
        )}
      </div>
    </div>
  );
}
