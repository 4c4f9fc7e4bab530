import { ChevronDown, CloudAlert, RefreshCw } from "lucide-react";
import { toApiError } from "@/api/error";
import { Button } from "@/components/ui/button";
import { cx } from "@/components/ui/cx";
import { Menu, MenuContent, MenuRadioGroup, MenuRadioItem, MenuTrigger } from "@/components/ui/menu";
import { t } from "@/i18n";
import { REFRESH, type Refresh } from "@/lib/trace-search";

interface RefreshControlProps {
  value: Refresh;
  /** The range has an end: there is nothing new to wait for. */
  fixed: boolean;
  busy: boolean;
  error: unknown;
  onChange: (value: Refresh) => void;
  onRefresh: () => void;
}

function label(seconds: Refresh): string {
  return seconds === 0 ? t("filter.refreshOff") : `${seconds} s`;
}

export function RefreshControl({ value, fixed, busy, error, onChange, onRefresh }: RefreshControlProps) {
  const failed = error !== null && error !== undefined;
  const Icon = failed ? CloudAlert : RefreshCw;
  const tip = failed ? t("error.stale", { message: toApiError(error).message }) : t("filter.refreshNow");
  return (
    <div className="flex shrink-0">
      <Button
        aria-label={t("filter.refreshNow")}
        data-tip={tip}
        onClick={onRefresh}
        className="rounded-r-none border-r-0 px-2"
      >
        <Icon
          className={cx("size-4", failed ? "text-warning" : "text-muted", busy && "animate-spin [animation-duration:1s]")}
          aria-hidden
        />
      </Button>
      <Menu>
        <MenuTrigger asChild>
          <Button
            disabled={fixed}
            aria-label={`${t("filter.refresh")}: ${label(value)}`}
            data-tip={fixed ? t("filter.refreshPaused") : undefined}
            className="num gap-0.5 rounded-l-none px-2"
          >
            {fixed ? t("filter.refreshOff") : label(value)}
            <ChevronDown className="size-3.5 text-muted" aria-hidden />
          </Button>
        </MenuTrigger>
        <MenuContent align="end">
          <MenuRadioGroup value={String(value)} onValueChange={(next) => onChange(Number(next) as Refresh)}>
            {REFRESH.map((seconds) => (
              <MenuRadioItem key={seconds} value={String(seconds)}>
                {seconds === 0 ? t("filter.refreshOff") : t("filter.refreshEvery", { seconds })}
              </MenuRadioItem>
            ))}
          </MenuRadioGroup>
        </MenuContent>
      </Menu>
    </div>
  );
}
