import { useQueryClient } from "@tanstack/react-query";
import { createLazyRoute, getRouteApi, useNavigate, useRouter } from "@tanstack/react-router";
import { CircleAlert, Eye, EyeOff } from "lucide-react";
import { useEffect, useId, useRef, useState, type SubmitEvent } from "react";
import { session } from "@/api/client";
import { toApiError, type ApiError } from "@/api/error";
import { Logo } from "@/components/logo";
import { Button, IconButton } from "@/components/ui/button";
import { t } from "@/i18n";

export const route = createLazyRoute("/login")({ component: LoginPage });
const api = getRouteApi("/login");

const FIELD =
  "h-9 w-full rounded-md border border-line-strong bg-surface px-2.5 text-base text-text aria-[invalid=true]:border-error";

function explain(error: ApiError): string {
  if (error.status === 401 || error.status === 400) return t("login.wrong");
  if (error.status === 429) return t("error.rateLimit");
  if (error.status === 0) return t("error.network");
  return t("error.server");
}

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

function LoginPage() {
  const { next, ended, open } = api.useSearch();
  const router = useRouter();
  const queryClient = useQueryClient();
  const [visible, setVisible] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<ApiError | null>(null);
  const email = useRef<HTMLInputElement>(null);
  const password = useRef<HTMLInputElement>(null);
  const ids = { email: useId(), password: useId(), error: useId() };

  useEffect(() => {
    document.title = `${t("login.submit")} · ${t("app.name")}`;
    email.current?.focus();
  }, []);

  const submit = async () => {
    setBusy(true);
    setFailure(null);
    try {
      await session.login(email.current?.value.trim() ?? "", password.current?.value ?? "");
      queryClient.clear();
      router.history.push(next ?? "/");
    } catch (error) {
      setFailure(toApiError(error));
      password.current?.select();
    } finally {
      setBusy(false);
    }
  };
  const onSubmit = (event: SubmitEvent) => {
    event.preventDefault();
    if (!busy) void submit();
  };

  return (
    <main className="flex h-full overflow-y-auto p-4">
      <form onSubmit={onSubmit} className="m-auto flex w-full max-w-80 flex-col gap-4 pb-16">
        <div className="flex flex-col gap-4">
          <Logo className="size-9" />
          <h1 className="text-xl font-semibold">{t("login.title")}</h1>
        </div>
        {open === true && <OpenSession />}
        {ended === true && failure === null && (
          <p role="status" className="rounded-md bg-warning-soft px-3 py-2 text-warning">
            {t("login.ended")}
          </p>
        )}
        {failure !== null && (
          <p id={ids.error} role="alert" className="flex gap-2 rounded-md bg-error-soft px-3 py-2 text-error">
            <CircleAlert className="mt-0.5 size-4 shrink-0" aria-hidden />
            <span>
              {explain(failure)}
              {failure.status >= 500 && failure.requestId !== null && (
                <span className="code block">
                  {t("error.requestId")} {failure.requestId}
                </span>
              )}
            </span>
          </p>
        )}
        <div className="flex flex-col gap-1">
          <label htmlFor={ids.email} className="font-medium">
            {t("login.email")}
          </label>
          <input
            ref={email}
            id={ids.email}
            type="email"
            name="email"
            autoComplete="username"
            required
            aria-invalid={failure?.status === 401}
            aria-describedby={failure === null ? undefined : ids.error}
            className={FIELD}
          />
        </div>
        <div className="flex flex-col gap-1">
          <label htmlFor={ids.password} className="font-medium">
            {t("login.password")}
          </label>
          <div className="relative">
            <input
              ref={password}
              id={ids.password}
              type={visible ? "text" : "password"}
              name="password"
              autoComplete="current-password"
              required
              aria-invalid={failure?.status === 401}
              aria-describedby={failure === null ? undefined : ids.error}
              className={`${FIELD} pr-10`}
            />
            <IconButton
              label={t(visible ? "login.hidePassword" : "login.showPassword")}
              onClick={() => setVisible(!visible)}
              className="absolute top-1 right-1"
            >
              {visible ? <EyeOff className="size-4" aria-hidden /> : <Eye className="size-4" aria-hidden />}
            </IconButton>
          </div>
        </div>
        <Button type="submit" variant="primary" disabled={busy} className="h-9 text-base">
          {t(busy ? "login.submitting" : "login.submit")}
        </Button>
      </form>
    </main>
  );
}
