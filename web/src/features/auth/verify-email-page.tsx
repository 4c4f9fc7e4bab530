import { useMutation } from "@tanstack/react-query";
import { createLazyRoute, getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { toApiError } from "@/api/error";
import { auth } from "@/api/identity";
import { Button } from "@/components/ui/button";
import { TextInput } from "@/components/ui/field";
import { FormError } from "@/components/ui/form-error";
import { t } from "@/i18n";
import { useForm } from "@/lib/use-form";
import { AuthPage, FailureNotice, Notice } from "./auth-page";

export const route = createLazyRoute("/verify-email")({ component: VerifyEmailPage });
const api = getRouteApi("/verify-email");

/** Asks for a press of a button: programs that look into mails open their links, and must not confirm an address by that. */
function VerifyEmailPage() {
  const { token } = api.useSearch();
  const verify = useMutation({ mutationFn: (secret: string) => auth.verifyEmail(secret) });
  if (verify.isSuccess) {
    return (
      <AuthPage title={t("verify.doneTitle")} lead={t("verify.doneText")}>
        <Link
          to="/login"
          className="flex h-9 items-center justify-center rounded-md bg-accent text-base font-medium text-on-accent hover:bg-accent-hover"
        >
          {t("login.submit")}
        </Link>
      </AuthPage>
    );
  }
  const failure = verify.error === null ? null : toApiError(verify.error);
  // Too many tries, or a server that is down, say nothing about the link.
  const refused = failure !== null && failure.status >= 400 && failure.status < 500 && failure.status !== 429;
  if (token === undefined || refused) {
    return (
      <AuthPage title={t("verify.title")} lead={t("verify.bad")}>
        <ResendForm />
      </AuthPage>
    );
  }
  return (
    <AuthPage title={t("verify.title")} lead={t("verify.lead")}>
      {failure !== null && <FailureNotice failure={failure} />}
      <Button
        variant="primary"
        className="h-9 text-base"
        disabled={verify.isPending}
        onClick={() => verify.mutate(token)}
      >
        {t(verify.isPending ? "verify.submitting" : "verify.submit")}
      </Button>
    </AuthPage>
  );
}

function ResendForm() {
  const [sentTo, setSentTo] = useState<string | null>(null);
  const form = useForm({ email: "" }, async ({ email }) => {
    await auth.resendVerification(email.trim());
    setSentTo(email.trim());
  });
  if (sentTo !== null) return <Notice tone="good">{t("verify.sent", { email: sentTo })}</Notice>;
  return (
    <form onSubmit={form.onSubmit} className="flex flex-col gap-4">
      <FormError failure={form.failure} />
      <TextInput label={t("login.email")} type="email" autoComplete="username" required large {...form.field("email")} />
      <Button type="submit" variant="primary" disabled={form.busy} className="h-9 text-base">
        {t("verify.resend")}
      </Button>
    </form>
  );
}
