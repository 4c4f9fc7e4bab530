import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { settingsQuery } from "@/api/identity-queries";
import type { SettingsScope, SettingView } from "@/api/identity";
import { ErrorNotice } from "@/components/error-notice";
import { Empty, SkeletonLines } from "@/components/ui/page";
import { t } from "@/i18n";
import { groupSettings } from "@/lib/setting-value";
import { HistoryDialog } from "./history-dialog";
import { SettingRow } from "./setting-row";

interface SettingsEditorProps {
  scope: SettingsScope;
  denied: string | false;
}

/** Every setting of a place, each with an editor of its type. */
export function SettingsEditor({ scope, denied }: SettingsEditorProps) {
  const list = useQuery(settingsQuery(scope));
  const [history, setHistory] = useState<SettingView | null>(null);
  if (list.isPending) return <SkeletonLines count={9} />;
  if (list.isError) return <ErrorNotice error={list.error} onRetry={() => void list.refetch()} />;
  if (list.data.length === 0) {
    return (
      <div className="rounded-lg border border-line">
        <Empty title={t("settings.none")} text={t("settings.noneText")} />
      </div>
    );
  }
  return (
    <>
      {groupSettings(list.data).map(({ group, settings }) => (
        <section key={group} aria-label={group} className="flex flex-col gap-2">
          <h2 className="font-semibold">{group}</h2>
          <div className="rounded-lg border border-line">
            {settings.map((setting) => (
              // Anew when somebody else has changed it, so that the field never shows what is not so.
              <SettingRow
                key={`${setting.key} ${setting.version ?? 0} ${JSON.stringify(setting.value)}`}
                scope={scope}
                setting={setting}
                denied={denied}
                onHistory={() => setHistory(setting)}
              />
            ))}
          </div>
        </section>
      ))}
      {history !== null && <HistoryDialog scope={scope} setting={history} onClose={() => setHistory(null)} />}
    </>
  );
}
