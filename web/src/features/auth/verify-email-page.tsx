import { useQuery } from "@tanstack/react-query";
import { createLazyRoute, getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { toApiError } from "@/api/error";
import { auth } from "@/api/identity";
import { Button } from "@/components/ui/button";
import { TextInput } from "@/components/ui/field";
import { FormError } from "@/components/ui/form-error";
import { SkeletonLines } from "@/components/ui/page";
import { t } from "@/i18n";
import { useForm } from "@/lib/use-form";
import { AuthPage, FailureNotice, Notice } from "./auth-page";

export const route = createLazyRoute("/verify-email")({ component: VerifyEmailPage });
const api = getRouteApi("/verify-email");

function VerifyEmailPage() {
  const { token } = api.useSearch();
  // A query and not an effect: it is sent once, also when the page is rendered twice.
  const verified = useQuery({
    queryKey: ["verify-email", token],
    queryFn: () => auth.verifyEmail(token ?? "").then(() => true),
    enabled: token !== undefined,
    staleTime: Infinity,
  });
  if (verified.isSuccess) {
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
  if (verified.isPending && token !== undefined) {
    return (
      <AuthPage title={t("verify.title")}>
        <SkeletonLines />
      </AuthPage>
    );
  }
  const failure = verified.error === null ? null : toApiError(verified.error);
  const bad = failure === null || (failure.status >= 400 && failure.status < 500);
  return (
    <AuthPage title={t("verify.title")} lead={bad ? t("verify.bad") : undefined}>
      {!bad && <FailureNotice failure={failure} />}
      {bad ? <ResendForm /> : <Button onClick={() => void verified.refetch()}>{t("action.retry")}</Button>}
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
