import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { unpricedQuery, type UnpricedModel, type UnpricedReason } from "@/api/prices";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { DataTable, TwoLines, type Column } from "@/components/ui/data-table";
import { Empty } from "@/components/ui/page";
import { Segmented } from "@/components/ui/segmented";
import { Time } from "@/components/ui/time";
import { t } from "@/i18n";
import { formatCount, formatTokens } from "@/lib/format";
import type { PriceInput } from "@/lib/price-form";
import { formatModel } from "@/lib/price-search";
import { usageLabel } from "@/lib/usage";

interface UnpricedProps {
  projectId: string;
  denied: string | false;
  repriceDenied: string | false;
  onSet: (initial: Partial<PriceInput>) => void;
  /** Goes to the re-pricing of these models. */
  onReprice: (models: string) => void;
}

const REASONS: readonly UnpricedReason[] = ["unknown_model", "no_rate", "before_first_price", "price_known"];
const WINDOWS = ["1", "7", "30", "90"] as const;

function Reason({ row }: { row: UnpricedModel }) {
  const reason = REASONS.find((known) => known === row.reason);
  if (row.model === "") return <Badge tone="warning" tip={t("unpriced.noModelTip")}>{t("unpriced.reason.unknown_model")}</Badge>;
  if (reason === undefined) return <Badge tone="warning">{row.reason}</Badge>;
  return (
    <Badge tone={reason === "price_known" ? "accent" : "warning"} tip={t(`unpriced.tip.${reason}`)}>
      {t(`unpriced.reason.${reason}`, { kinds: row.missing_rates.map(usageLabel).join(", ") })}
    </Badge>
  );
}

/** Models whose spans have tokens and no cost, and the way to a price. */
export function Unpriced({ projectId, denied, repriceDenied, onSet, onReprice }: UnpricedProps) {
  const [days, setDays] = useState<(typeof WINDOWS)[number]>("30");
  const list = useQuery(unpricedQuery(projectId, Number(days)));
  const columns: Column<UnpricedModel>[] = [
    {
      id: "model",
      header: t("prices.model"),
      grow: true,
      cell: (row) => (
        <TwoLines
          first={row.model === "" ? <span className="text-muted">{t("unpriced.noModel")}</span> : <span className="font-mono">{row.model}</span>}
          second={row.provider === "" ? t("prices.anyProvider") : row.provider}
        />
      ),
    },
    { id: "spans", header: t("unpriced.spans"), align: "right", cell: (row) => <span className="num">{formatCount(row.span_count)}</span> },
    {
      id: "tokens",
      header: t("unpriced.tokens"),
      align: "right",
      from: "md",
      cell: (row) => (
        <span
          className="num"
          data-tip={Object.entries(row.usage)
            .map(([kind, count]) => `${usageLabel(kind)}: ${formatCount(count)}`)
            .join("\n")}
        >
          {formatTokens(row.input_tokens, row.output_tokens)}
        </span>
      ),
    },
    { id: "reason", header: t("unpriced.reason"), from: "sm", cell: (row) => <Reason row={row} /> },
    { id: "seen", header: t("unpriced.lastSeen"), from: "lg", cell: (row) => <Time value={row.last_seen} /> },
    {
      id: "actions",
      header: t("organizations.actions"),
      quiet: true,
      align: "right",
      cell: (row) => {
        if (row.model === "") return null;
        if (row.reason === "price_known") {
          return (
            <Button denied={repriceDenied} aria-label={`${t("unpriced.reprice")}: ${row.model}`} onClick={() => onReprice(formatModel(row))}>
              {t("unpriced.reprice")}
            </Button>
          );
        }
        return (
          <Button
            variant="primary"
            denied={denied}
            aria-label={`${t("unpriced.setPrice")}: ${row.model}`}
            onClick={() => onSet({ provider: row.provider, model: row.model })}
          >
            {t("unpriced.setPrice")}
          </Button>
        );
      },
    },
  ];
  return (
    <div className="flex flex-col gap-3">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <p className="text-muted">{t("unpriced.text")}</p>
        <Segmented
          label={t("unpriced.window")}
          value={days}
          onChange={setDays}
          options={WINDOWS.map((value) => ({ value, label: t("unpriced.days", { count: Number(value) }) }))}
        />
      </div>
      <DataTable
        label={t("prices.tab.unpriced")}
        columns={columns}
        rows={list.data}
        rowKey={(row) => `${row.provider}/${row.model}/${row.reason}`}
        error={list.error}
        onRetry={() => void list.refetch()}
        empty={<Empty title={t("unpriced.none")} text={t("unpriced.noneText")} />}
      />
    </div>
  );
}
