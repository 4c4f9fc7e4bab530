import { useQuery } from "@tanstack/react-query";
import { createLazyRoute, Link } from "@tanstack/react-router";
import { useState } from "react";
import { auth } from "@/api/identity";
import { authOptionsQuery } from "@/api/identity-queries";
import { ErrorNotice } from "@/components/error-notice";
import { Button } from "@/components/ui/button";
import { SkeletonLines } from "@/components/ui/page";
import { t } from "@/i18n";
import { useAction } from "@/lib/use-action";
import { AuthPage } from "./auth-page";
import { SignUpForm } from "./sign-up-form";

export const route = createLazyRoute("/signup")({ component: SignUpPage });

function SignUpPage() {
  const options = useQuery(authOptionsQuery());
  const [sentTo, setSentTo] = useState<string | null>(null);
  if (sentTo !== null) return <MailSent email={sentTo} mail={options.data?.mail ?? true} />;
  const mode = options.data?.sign_up;
  const lead =
    mode === "closed" || mode === "invitation"
      ? t(mode === "closed" ? "signup.closed" : "signup.invitation")
      : mode === "domain"
        ? t("signup.domain")
        : undefined;
  return (
    <AuthPage title={t("signup.title")} lead={lead}>
      {options.isPending ? (
        <SkeletonLines count={6} />
      ) : options.isError ? (
        <ErrorNotice error={options.error} onRetry={() => void options.refetch()} />
      ) : (
        (mode === "open" || mode === "domain") && <SignUpForm onDone={(_answer, email) => setSentTo(email)} />
      )}
      <p className="text-muted">
        {t("signup.haveAccount")}{" "}
        <Link to="/login" className="text-accent hover:underline">
          {t("login.submit")}
        </Link>
      </p>
    </AuthPage>
  );
}

function MailSent({ email, mail }: { email: string; mail: boolean }) {
  const again = useAction(() => auth.resendVerification(email), {
    stale: [],
    done: () => t("verify.sent", { email }),
  });
  return (
    <AuthPage title={t("verify.checkTitle")} lead={t("verify.checkText", { email })}>
      {!mail && <p className="rounded-md bg-warning-soft px-3 py-2 text-warning">{t("mail.none")}</p>}
      <div className="flex flex-col items-start gap-3">
        <Button disabled={again.isPending || again.isSuccess} onClick={() => again.mutate()}>
          {t("verify.resend")}
        </Button>
        <Link to="/login" className="text-accent hover:underline">
          {t("code.back")}
        </Link>
      </div>
    </AuthPage>
  );
}
