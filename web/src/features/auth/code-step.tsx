import { useEffect, useRef, useState, type SubmitEvent } from "react";
import type { Session } from "@/api/contract";
import { toApiError, type ApiError } from "@/api/error";
import { auth } from "@/api/identity";
import { Button } from "@/components/ui/button";
import { TextInput } from "@/components/ui/field";
import { t } from "@/i18n";
import { formatWait, useCountdown } from "@/lib/countdown";
import { isWholeCode, readCode, readRecoveryCode } from "@/lib/otp";
import { AuthPage, FailureNotice, Notice } from "./auth-page";

interface CodeStepProps {
  challenge: string;
  onDone: (session: Session) => void;
  /** Back to the password; `tooLate` when the server no longer knows the challenge. */
  onBack: (tooLate: boolean) => void;
}

/** The second factor: a code of the app, or one of the recovery codes. */
export function CodeStep({ challenge, onDone, onBack }: CodeStepProps) {
  const [recovery, setRecovery] = useState(false);
  const [code, setCode] = useState("");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<ApiError | null>(null);
  const { left, start } = useCountdown();
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), [recovery]);

  const submit = async (typed: string) => {
    setBusy(true);
    setFailure(null);
    try {
      onDone(
        await auth.completeLogin({
          challenge,
          ...(recovery ? { recovery_code: readRecoveryCode(typed) } : { code: typed }),
        }),
      );
    } catch (error) {
      const failed = toApiError(error);
      if (failed.status === 401 && failed.message.includes("expired")) {
        onBack(true);
        return;
      }
      setFailure(failed);
      setBusy(false);
      if (failed.status === 429) start(failed.retryAfter ?? 30);
      if (!recovery) setCode("");
      input.current?.focus();
    }
  };
  const ready = recovery ? readRecoveryCode(code) !== "" : isWholeCode(code);
  const onSubmit = (event: SubmitEvent) => {
    event.preventDefault();
    if (!busy && ready && left === 0) void submit(code);
  };
  const type = (typed: string) => {
    if (recovery) {
      setCode(typed);
      return;
    }
    const digits = readCode(typed);
    setCode(digits);
    // The last digit is as good as Enter.
    if (isWholeCode(digits) && digits !== code && !busy && left === 0) void submit(digits);
  };

  return (
    <AuthPage title={t("code.title")} lead={t(recovery ? "code.recoveryLead" : "code.lead")}>
      {failure !== null &&
        (failure.status === 429 ? (
          left > 0 && <Notice tone="warning">{t("login.wait", { wait: formatWait(left) })}</Notice>
        ) : failure.status === 401 ? (
          <Notice tone="error">{t(recovery ? "code.recoveryWrong" : "code.wrong")}</Notice>
        ) : (
          <FailureNotice failure={failure} />
        ))}
      <form onSubmit={onSubmit} className="flex flex-col gap-4">
        <TextInput
          ref={input}
          label={t(recovery ? "code.recovery" : "code.code")}
          value={code}
          onChange={type}
          autoComplete="one-time-code"
          inputMode={recovery ? "text" : "numeric"}
          spellCheck={false}
          autoCapitalize="none"
          placeholder={recovery ? undefined : "123456"}
          large
          mono
          aria-invalid={failure?.status === 401}
        />
        <Button type="submit" variant="primary" disabled={busy || !ready || left > 0} className="h-9 text-base">
          {t(busy ? "login.submitting" : "login.submit")}
        </Button>
      </form>
      <div className="flex flex-col items-start gap-2">
        <button
          type="button"
          className="text-accent hover:underline"
          onClick={() => {
            setRecovery(!recovery);
            setCode("");
            setFailure(null);
          }}
        >
          {t(recovery ? "code.useApp" : "code.useRecovery")}
        </button>
        <button type="button" className="text-muted hover:underline" onClick={() => onBack(false)}>
          {t("code.back")}
        </button>
      </div>
    </AuthPage>
  );
}
