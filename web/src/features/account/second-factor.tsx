import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { auth } from "@/api/identity";
import { secondFactorQuery } from "@/api/identity-queries";
import { ErrorNotice } from "@/components/error-notice";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { PasswordInput, TextInput } from "@/components/ui/field";
import { FormDialog } from "@/components/ui/form-dialog";
import { ActionRow, Section, SkeletonLines } from "@/components/ui/page";
import { QrCode } from "@/components/ui/qr-code";
import { Time } from "@/components/ui/time";
import { toast } from "@/components/ui/toast-store";
import { t } from "@/i18n";
import { groupSecret, isWholeCode, readCode, readRecoveryCode } from "@/lib/otp";
import { useForm } from "@/lib/use-form";
import { RecoveryCodesDialog } from "./recovery-codes";

type Open = "setup" | "disable" | "replace" | null;

export function SecondFactorSection() {
  const client = useQueryClient();
  const factor = useQuery(secondFactorQuery());
  const [open, setOpen] = useState<Open>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  const close = () => setOpen(null);
  const refresh = () =>
    Promise.all([client.invalidateQueries({ queryKey: ["second-factor"] }), client.invalidateQueries({ queryKey: ["me"] })]);
  const finish = (made: string[]) => {
    close();
    setCodes(made);
    void refresh();
  };
  return (
    <Section
      title={t("factor.title")}
      description={t("factor.text")}
      actions={factor.data !== undefined && <Badge tone={factor.data.enabled ? "accent" : "plain"}>{t(factor.data.enabled ? "factor.on" : "factor.off")}</Badge>}
    >
      {factor.isPending ? (
        <SkeletonLines count={2} />
      ) : factor.isError ? (
        <ErrorNotice error={factor.error} onRetry={() => void factor.refetch()} />
      ) : factor.data.enabled ? (
        <div className="-m-4">
          <ActionRow
            title={t("factor.codes")}
            description={<span className={factor.data.recovery_codes_left < 3 ? "text-warning" : undefined}>{t("factor.left", { count: factor.data.recovery_codes_left })}</span>}
          >
            <Button onClick={() => setOpen("replace")}>{t("factor.replace")}</Button>
          </ActionRow>
          <ActionRow
            title={t("factor.app")}
            description={
              <>
                {t("factor.since")} <Time value={factor.data.enabled_at} />
              </>
            }
          >
            <Button onClick={() => setOpen("disable")}>{t("factor.disable")}</Button>
          </ActionRow>
        </div>
      ) : (
        <Button variant="primary" onClick={() => setOpen("setup")}>
          {t("factor.setup")}
        </Button>
      )}
      {open === "setup" && <SetupDialog onClose={close} onDone={finish} />}
      {open === "replace" && <ReplaceDialog onClose={close} onDone={finish} />}
      {open === "disable" && (
        <DisableDialog
          onClose={close}
          onDone={() => {
            close();
            toast({ text: t("factor.disabled") });
            void refresh();
          }}
        />
      )}
      <RecoveryCodesDialog codes={codes} onClose={() => setCodes(null)} />
    </Section>
  );
}

interface StepProps {
  onClose: () => void;
  onDone: (codes: string[]) => void;
}

function SetupDialog({ onClose, onDone }: StepProps) {
  const [secret, setSecret] = useState<{ secret: string; otpauth_url: string } | null>(null);
  const form = useForm({ password: "" }, async ({ password }) => setSecret(await auth.setUpSecondFactor(password)));
  if (secret !== null) return <ScanDialog {...secret} onClose={onClose} onDone={onDone} />;
  return (
    <FormDialog open onClose={onClose} title={t("factor.setup")} form={form} submit={t("factor.next")} disabled={form.values.password === ""} className="w-[min(440px,calc(100vw-24px))]">
      <p>{t("factor.passwordFirst")}</p>
      <PasswordInput label={t("login.password")} autoComplete="current-password" {...form.field("password")} />
    </FormDialog>
  );
}

function ScanDialog({ secret, otpauth_url: url, onClose, onDone }: StepProps & { secret: string; otpauth_url: string }) {
  const form = useForm({ code: "" }, async ({ code }) => onDone((await auth.enableSecondFactor(code)).recovery_codes));
  return (
    <FormDialog open onClose={onClose} title={t("factor.setup")} form={form} submit={t("factor.enable")} disabled={!isWholeCode(form.values.code)}>
      <div className="flex flex-col gap-4 sm:flex-row">
        <QrCode text={url} label={t("factor.qr")} />
        <div className="flex min-w-0 flex-1 flex-col gap-3">
          <p>{t("factor.scan")}</p>
          <div>
            <p className="text-xs text-muted">{t("factor.byHand")}</p>
            <p className="flex items-start gap-1">
              <code className="code break-words">{groupSecret(secret)}</code>
              <CopyButton text={secret} label={t("factor.copySecret")} />
            </p>
          </div>
          <CodeInput field={form.field("code")} />
        </div>
      </div>
    </FormDialog>
  );
}

function CodeInput({ field }: { field: { value: string; onChange: (value: string) => void; error: string | undefined } }) {
  return (
    <TextInput
      label={t("code.code")}
      inputMode="numeric"
      autoComplete="one-time-code"
      placeholder="123456"
      mono
      {...field}
      onChange={(typed) => field.onChange(readCode(typed))}
    />
  );
}

function ReplaceDialog({ onClose, onDone }: StepProps) {
  const form = useForm({ password: "", code: "" }, async (values) =>
    onDone((await auth.replaceRecoveryCodes(values)).recovery_codes),
  );
  const ready = form.values.password !== "" && isWholeCode(form.values.code);
  return (
    <FormDialog open onClose={onClose} title={t("factor.replace")} form={form} submit={t("factor.replace")} disabled={!ready} className="w-[min(440px,calc(100vw-24px))]">
      <p>{t("factor.replaceText")}</p>
      <PasswordInput label={t("login.password")} autoComplete="current-password" {...form.field("password")} />
      <CodeInput field={form.field("code")} />
    </FormDialog>
  );
}

function DisableDialog({ onClose, onDone }: { onClose: () => void; onDone: () => void }) {
  const [recovery, setRecovery] = useState(false);
  const form = useForm({ password: "", code: "", recovery_code: "" }, async ({ password, code, recovery_code: kept }) => {
    await auth.disableSecondFactor({ password, ...(recovery ? { recovery_code: readRecoveryCode(kept) } : { code }) });
    onDone();
  });
  const { password, code, recovery_code: kept } = form.values;
  const ready = password !== "" && (recovery ? kept.trim() !== "" : isWholeCode(code));
  return (
    <FormDialog open onClose={onClose} title={t("factor.disable")} form={form} submit={t("factor.disable")} danger disabled={!ready} className="w-[min(440px,calc(100vw-24px))]">
      <p>{t("factor.disableText")}</p>
      <PasswordInput label={t("login.password")} autoComplete="current-password" {...form.field("password")} />
      {recovery ? (
        <TextInput label={t("code.recovery")} autoComplete="off" mono {...form.field("recovery_code")} />
      ) : (
        <CodeInput field={form.field("code")} />
      )}
      <button type="button" className="self-start text-accent hover:underline" onClick={() => setRecovery(!recovery)}>
        {t(recovery ? "code.useApp" : "code.useRecovery")}
      </button>
    </FormDialog>
  );
}
