import { Link, type ErrorComponentProps } from "@tanstack/react-router";
import { ApiError } from "@/api/error";
import { ErrorNotice } from "@/components/error-notice";
import { Button } from "@/components/ui/button";
import { t } from "@/i18n";

/** Something failed outside of what a page handles itself: a request before the page, or a bug. */
export function CrashPage({ error, reset }: ErrorComponentProps) {
  if (error instanceof ApiError) {
    return (
      <main className="flex h-full items-center">
        <ErrorNotice error={error} onRetry={() => location.reload()} />
      </main>
    );
  }
  return (
    <main role="alert" className="mx-auto flex h-full max-w-lg flex-col items-start justify-center gap-2 p-6">
      <h1 className="text-lg font-semibold">{t("error.crash")}</h1>
      <p className="text-muted">{t("error.crashHint")}</p>
      <pre className="code max-h-48 w-full overflow-auto rounded-md border border-line bg-sunken p-2 whitespace-pre-wrap">
        {error instanceof Error ? error.message : String(error)}
      </pre>
      <Button
        variant="primary"
        onClick={() => {
          reset();
          location.reload();
        }}
      >
        {t("error.reload")}
      </Button>
    </main>
  );
}

export function NotFoundPage() {
  return (
    <main className="mx-auto flex h-full max-w-lg flex-col items-start justify-center gap-2 p-6">
      <h1 className="text-lg font-semibold">{t("page.notFound")}</h1>
      <p className="text-muted">{t("page.notFoundText")}</p>
      <Link to="/" className="text-accent underline">
        {t("page.home")}
      </Link>
    </main>
  );
}
