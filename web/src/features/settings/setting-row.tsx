import { History, RotateCcw } from "lucide-react";
import { useState, type SubmitEvent } from "react";
import { toApiError } from "@/api/error";
import { settings, settingsPath, type SettingsScope, type SettingValue, type SettingView } from "@/api/identity";
import { settingsQuery } from "@/api/identity-queries";
import { Badge } from "@/components/ui/badge";
import { Button, IconButton } from "@/components/ui/button";
import { Checkbox, Select, TextArea, TextInput } from "@/components/ui/field";
import { t } from "@/i18n";
import { parseInput, sameValue, settingTitle, toInput } from "@/lib/setting-value";
import { useAction } from "@/lib/use-action";

interface SettingRowProps {
  scope: SettingsScope;
  setting: SettingView;
  denied: string | false;
  onHistory: () => void;
}

/** A value in words, for where it is inherited from and for its history. */
export function valueText(value: SettingValue | null): string {
  if (value === null) return t("settings.notSet");
  if (typeof value === "boolean") return t(value ? "settings.on" : "settings.off");
  if (Array.isArray(value)) return value.length === 0 ? t("settings.emptyList") : value.join(", ");
  return value === "" ? t("settings.emptyText") : String(value);
}

export function SettingRow({ scope, setting, denied, onHistory }: SettingRowProps) {
  const [input, setInput] = useState(() => toInput(setting.value));
  const parsed = parseInput(setting.type, input, setting.choices);
  const changed = !parsed.ok || !sameValue(parsed.value, setting.value);
  const own = setting.own_value !== null;
  const title = settingTitle(setting.key);
  const stale = [["settings"], settingsQuery(scope).queryKey, ["auth-options"]];
  const save = useAction(
    (value: SettingValue) =>
      settings.set(scope, setting.key, { value, ...(setting.version !== null && { version: setting.version }) }),
    { stale, done: () => t("settings.saved", { name: title }) },
  );
  const reset = useAction(() => settings.reset(scope, setting.key), {
    stale,
    done: () => t("settings.wasReset", { name: title }),
    undo: () => (setting.own_value === null ? Promise.resolve() : settings.set(scope, setting.key, { value: setting.own_value })),
  });
  const busy = save.isPending || reset.isPending;
  const refused = save.error === null ? undefined : (toApiError(save.error).fieldErrors.value ?? undefined);
  const problem = parsed.ok ? refused : t(`settings.problem.${parsed.problem}`);
  const onSubmit = (event: SubmitEvent) => {
    event.preventDefault();
    if (parsed.ok && changed && !busy) save.mutate(parsed.value);
  };
  return (
    <form
      onSubmit={onSubmit}
      aria-label={title}
      data-setting={`${settingsPath(scope)} ${setting.key}`}
      className="grid gap-x-8 gap-y-3 border-t border-line p-4 first:border-t-0 md:grid-cols-[1fr_minmax(0,300px)]"
    >
      <div className="min-w-0">
        <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
          <h3 className="font-medium">{title}</h3>
          <SourceBadge setting={setting} />
        </div>
        <p className="text-muted">{setting.description}</p>
        <div className="mt-1 flex flex-wrap items-center gap-1 text-xs text-muted">
          <code className="code break-all">{setting.key}</code>
          <IconButton label={t("settings.history")} size="sm" onClick={onHistory}>
            <History className="size-3.5" aria-hidden />
          </IconButton>
        </div>
      </div>
      <div className="flex min-w-0 flex-col gap-2">
        <Editor setting={setting} title={title} input={input} onInput={setInput} problem={changed ? problem : undefined} disabled={denied !== false || busy} />
        {/* There is always room for the buttons, so that nothing moves when they appear. */}
        <div className="flex min-h-7 items-center gap-2">
          {changed ? (
            <>
              <Button type="submit" variant="primary" disabled={!parsed.ok || busy}>
                {t(save.isPending ? "action.saving" : "action.save")}
              </Button>
              <Button variant="ghost" disabled={busy} onClick={() => setInput(toInput(setting.value))}>
                {t("action.cancel")}
              </Button>
            </>
          ) : own ? (
            <Button variant="ghost" denied={denied} disabled={busy} onClick={() => reset.mutate()} className="-ml-2.5">
              <RotateCcw className="size-3.5" aria-hidden />
              {t(scope.kind === "installation" ? "settings.resetDefault" : "settings.resetInherited")}
            </Button>
          ) : (
            denied !== false && <span className="text-xs text-muted">{denied}</span>
          )}
        </div>
      </div>
    </form>
  );
}

function SourceBadge({ setting }: { setting: SettingView }) {
  if (setting.own_value !== null) {
    return (
      <Badge tone="accent" tip={t("settings.defaultIs", { value: valueText(setting.default) })}>
        {t("settings.setHere")}
      </Badge>
    );
  }
  return <Badge>{t(`settings.source.${setting.source}`)}</Badge>;
}

interface EditorProps {
  setting: SettingView;
  title: string;
  input: string;
  onInput: (input: string) => void;
  problem: string | undefined;
  disabled: boolean;
}

function Editor({ setting, title, input, onInput, problem, disabled }: EditorProps) {
  const shared = { label: title, bare: true, value: input, onChange: onInput, error: problem, disabled };
  switch (setting.type) {
    case "bool":
      return (
        <Checkbox
          label={t(input === "true" ? "settings.on" : "settings.off")}
          checked={input === "true"}
          disabled={disabled}
          onChange={(checked) => onInput(String(checked))}
        />
      );
    case "choice":
      return <Select {...shared} options={(setting.choices ?? []).map((choice) => ({ value: choice, label: choice.replaceAll("_", " ") }))} />;
    case "integer":
      return <TextInput {...shared} inputMode="numeric" />;
    case "string_list":
      return <TextArea {...shared} hint={t("settings.onePerLine")} spellCheck={false} />;
    case "string":
      return <TextInput {...shared} />;
  }
}
