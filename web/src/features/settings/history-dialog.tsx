import { useQuery } from "@tanstack/react-query";
import { settingHistoryQuery } from "@/api/identity-queries";
import type { SettingsScope, SettingView } from "@/api/identity";
import { ErrorNotice } from "@/components/error-notice";
import { Dialog } from "@/components/ui/dialog";
import { SkeletonLines } from "@/components/ui/page";
import { Time } from "@/components/ui/time";
import { t } from "@/i18n";
import { NONE } from "@/lib/format";
import { settingTitle } from "@/lib/setting-value";
import { valueText } from "./setting-row";

interface HistoryDialogProps {
  scope: SettingsScope;
  setting: SettingView;
  onClose: () => void;
}

export function HistoryDialog({ scope, setting, onClose }: HistoryDialogProps) {
  const history = useQuery({ ...settingHistoryQuery(scope, setting.key), staleTime: 0 });
  return (
    <Dialog open onClose={onClose} title={t("settings.historyOf", { name: settingTitle(setting.key) })}>
      {history.isPending ? (
        <SkeletonLines />
      ) : history.isError ? (
        <ErrorNotice error={history.error} onRetry={() => void history.refetch()} />
      ) : history.data.length === 0 ? (
        <p className="text-muted">{t("settings.noHistory", { value: valueText(setting.default) })}</p>
      ) : (
        <ol className="flex flex-col divide-y divide-line">
          {history.data.map((change) => (
            <li key={change.version} className="flex flex-wrap items-baseline gap-x-4 gap-y-0.5 py-2">
              <code className="code min-w-0 flex-1 break-words">{change.value === null ? t("settings.resetEntry") : valueText(change.value)}</code>
              <span className="text-xs text-muted">
                {change.changed_by_email ?? NONE}, <Time value={change.changed_at} />
              </span>
            </li>
          ))}
        </ol>
      )}
    </Dialog>
  );
}
