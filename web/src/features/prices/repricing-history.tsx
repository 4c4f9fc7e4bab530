import type { Repricing } from "@/api/prices";
import { Badge, type Tone } from "@/components/ui/badge";
import { DataTable, type Column } from "@/components/ui/data-table";
import { Empty } from "@/components/ui/page";
import { Time } from "@/components/ui/time";
import { t } from "@/i18n";
import { formatCost, formatCount, NONE } from "@/lib/format";
import { formatModel } from "@/lib/price-search";
import { formatMinute } from "@/lib/time";

const STATES = ["queued", "running", "done", "failed", "cancelled"] as const;
const TONES: Record<(typeof STATES)[number], Tone> = { queued: "plain", running: "accent", done: "plain", failed: "error", cancelled: "warning" };

export function RepricingState({ state }: { state: string }) {
  const known = STATES.find((one) => one === state);
  return known === undefined ? <Badge>{state}</Badge> : <Badge tone={TONES[known]}>{t(`reprice.state.${known}`)}</Badge>;
}

function span({ start_time: from, end_time: to }: Repricing): string {
  if (from === null && to === null) return t("reprice.range.all");
  return `${from === null ? "…" : formatMinute(Date.parse(from))} – ${to === null ? "…" : formatMinute(Date.parse(to))}`;
}

interface RepricingHistoryProps {
  rows: readonly Repricing[] | undefined;
  error: unknown;
  onRetry: () => void;
  onShow: (row: Repricing) => void;
}

/** What was counted and applied before, the latest first. */
export function RepricingHistory({ rows, error, onRetry, onShow }: RepricingHistoryProps) {
  const columns: Column<Repricing>[] = [
    {
      id: "what",
      header: t("reprice.what"),
      grow: true,
      cell: (row) => (
        <div className="min-w-0">
          <button
            type="button"
            className="block max-w-full truncate font-medium hover:underline"
            aria-label={`${t("reprice.show")}: ${t(`reprice.mode.${row.mode}`)}, ${span(row)}`}
            onClick={() => onShow(row)}
          >
            {t(`reprice.mode.${row.mode}`)}
          </button>
          <p className="truncate text-xs text-muted" data-tip={row.models.length === 0 ? undefined : row.models.map(formatModel).join("\n")}>
            {span(row)} · {row.models.length === 0 ? t("reprice.allModels") : t("reprice.someModels", { count: row.models.length })}
          </p>
        </div>
      ),
    },
    { id: "state", header: t("organization.status"), cell: (row) => <RepricingState state={row.state} /> },
    {
      id: "changed",
      header: t("reprice.changed"),
      align: "right",
      from: "sm",
      cell: (row) => <span className="num">{row.result === null ? NONE : formatCount(row.result.changed)}</span>,
    },
    {
      id: "cost",
      header: `${t("reprice.before")} → ${t("reprice.after")}`,
      align: "right",
      from: "md",
      cell: (row) => (
        <span className="num">{row.result === null ? NONE : `${formatCost(row.result.cost_before)} → ${formatCost(row.result.cost_after)}`}</span>
      ),
    },
    { id: "when", header: t("reprice.when"), from: "sm", cell: (row) => <Time value={row.created_at} /> },
    {
      id: "by",
      header: t("reprice.by"),
      from: "xl",
      cell: (row) => <span className="block max-w-48 truncate">{row.created_by?.email ?? NONE}</span>,
    },
  ];
  return (
    <section aria-label={t("reprice.history")}>
      <h2 className="mb-2 font-semibold">{t("reprice.history")}</h2>
      <DataTable
        label={t("reprice.history")}
        columns={columns}
        rows={rows}
        rowKey={(row) => row.id}
        error={error}
        onRetry={onRetry}
        onOpen={onShow}
        empty={<Empty title={t("reprice.noHistory")} text={t("reprice.noHistoryText")} />}
      />
    </section>
  );
}
