import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createLazyRoute, getRouteApi, Link, useNavigate, useRouter } from "@tanstack/react-router";
import { useEffect, useRef, useState, type SubmitEvent } from "react";
import { session } from "@/api/client";
import { toApiError, type ApiError } from "@/api/error";
import { auth } from "@/api/identity";
import { authOptionsQuery } from "@/api/identity-queries";
import { Button } from "@/components/ui/button";
import { PasswordInput, TextInput } from "@/components/ui/field";
import { t } from "@/i18n";
import { formatWait, useCountdown } from "@/lib/countdown";
import { AuthPage, FailureNotice, Notice } from "./auth-page";
import { CodeStep } from "./code-step";

export const route = createLazyRoute("/login")({ component: LoginPage });
const api = getRouteApi("/login");

/** The log-out that did not reach the server, and another try. */
function OpenSession() {
  const navigate = useNavigate();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<ApiError | null>(null);
  const close = async () => {
    setBusy(true);
    try {
      await session.logout();
      await navigate({ to: "/login", search: {}, replace: true });
    } catch (error) {
      setFailure(toApiError(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <div role="alert" className="flex flex-col items-start gap-2 rounded-md bg-warning-soft px-3 py-2 text-warning">
      <p>{t("login.open")}</p>
      {failure !== null && <p>{t(failure.status === 0 ? "error.network" : "error.server")}</p>}
      <Button disabled={busy} onClick={() => void close()}>
        {t(busy ? "login.closing" : "action.retry")}
      </Button>
    </div>
  );
}

/** What the server answers to the right password when a second factor is on. */
function readChallenge(error: ApiError): string | null {
  const challenge = error.code === "SECOND_FACTOR_REQUIRED" ? error.detail("challenge") : undefined;
  return typeof challenge === "string" ? challenge : null;
}

function LoginPage() {
  const { next, ended, open } = api.useSearch();
  const router = useRouter();
  const queryClient = useQueryClient();
  const [challenge, setChallenge] = useState<string | null>(null);
  const [expired, setExpired] = useState(false);

  const enter = () => {
    queryClient.clear();
    router.history.push(next ?? "/");
  };

  if (challenge !== null) {
    return (
      <CodeStep
        challenge={challenge}
        onDone={(opened) => {
          session.adopt(opened);
          enter();
        }}
        onBack={(tooLate) => {
          setChallenge(null);
          setExpired(tooLate);
        }}
      />
    );
  }
  return (
    <AuthPage title={t("login.title")}>
      {open === true && <OpenSession />}
      {ended === true && !expired && <Notice tone="warning">{t("login.ended")}</Notice>}
      {expired && <Notice tone="warning">{t("login.codeExpired")}</Notice>}
      <PasswordStep
        onDone={enter}
        onChallenge={(found) => {
          setExpired(false);
          setChallenge(found);
        }}
      />
    </AuthPage>
  );
}

interface PasswordStepProps {
  onDone: () => void;
  onChallenge: (challenge: string) => void;
}

function PasswordStep({ onDone, onChallenge }: PasswordStepProps) {
  const { data: options } = useQuery(authOptionsQuery());
  const { next } = api.useSearch();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<ApiError | null>(null);
  const { left, start } = useCountdown();
  const emailInput = useRef<HTMLInputElement>(null);
  const passwordInput = useRef<HTMLInputElement>(null);

  useEffect(() => emailInput.current?.focus(), []);

  const submit = async () => {
    setBusy(true);
    setFailure(null);
    try {
      await session.login(email.trim(), password);
      onDone();
    } catch (error) {
      const failed = toApiError(error);
      const challenge = readChallenge(failed);
      if (challenge !== null) {
        onChallenge(challenge);
        return;
      }
      setFailure(failed);
      if (failed.status === 429) start(failed.retryAfter ?? 30);
      else passwordInput.current?.select();
    } finally {
      setBusy(false);
    }
  };
  const onSubmit = (event: SubmitEvent) => {
    event.preventDefault();
    if (!busy && left === 0) void submit();
  };
  const wrong = failure?.status === 401;
  const waiting = failure?.status === 429;

  return (
    <>
      {failure !== null && (!waiting || left > 0) && <LoginFailure failure={failure} left={left} email={email.trim()} />}
      <form onSubmit={onSubmit} className="flex flex-col gap-4">
        <TextInput
          ref={emailInput}
          label={t("login.email")}
          type="email"
          name="email"
          autoComplete="username"
          required
          large
          aria-invalid={wrong}
          value={email}
          onChange={setEmail}
        />
        <div className="flex flex-col gap-1.5">
          <PasswordInput
            ref={passwordInput}
            label={t("login.password")}
            name="password"
            autoComplete="current-password"
            required
            large
            aria-invalid={wrong}
            value={password}
            onChange={setPassword}
          />
          <Link to="/forgot-password" className="self-end text-accent hover:underline">
            {t("login.forgot")}
          </Link>
        </div>
        <Button type="submit" variant="primary" disabled={busy || left > 0} className="num h-9 text-base">
          {left > 0 ? t("login.waitButton", { wait: formatWait(left) }) : t(busy ? "login.submitting" : "login.submit")}
        </Button>
      </form>
      {(options?.sign_up === "open" || options?.sign_up === "domain") && (
        <p className="text-muted">
          {t("login.noAccount")}{" "}
          <Link to="/signup" search={next === undefined ? {} : { next }} className="text-accent hover:underline">
            {t("signup.link")}
          </Link>
        </p>
      )}
    </>
  );
}

function LoginFailure({ failure, left, email }: { failure: ApiError; left: number; email: string }) {
  if (failure.detail("reason") === "email_not_verified") return <NotVerified email={email} />;
  if (failure.status === 429) {
    return (
      <Notice tone="warning">
        {t("login.delayed")} <span className="num">{t("login.wait", { wait: formatWait(left) })}</span>
      </Notice>
    );
  }
  if (failure.status === 401 || failure.status === 400) return <Notice tone="error">{t("login.wrong")}</Notice>;
  return <FailureNotice failure={failure} />;
}

/** The password was right, but the address was never confirmed. */
function NotVerified({ email }: { email: string }) {
  const [sent, setSent] = useState(false);
  const [failure, setFailure] = useState<ApiError | null>(null);
  if (failure !== null) return <FailureNotice failure={failure} />;
  if (sent) return <Notice tone="good">{t("verify.sent", { email })}</Notice>;
  return (
    <Notice tone="warning">
      <p>{t("login.notVerified")}</p>
      <Button
        className="mt-2"
        onClick={() => {
          auth.resendVerification(email).then(
            () => setSent(true),
            (error: unknown) => setFailure(toApiError(error)),
          );
        }}
      >
        {t("verify.resend")}
      </Button>
    </Notice>
  );
}
