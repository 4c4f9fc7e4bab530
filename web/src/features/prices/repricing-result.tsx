import { useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { isOpen, PRICES_KEY, repricings, repricingsQuery, type RepricedModel, type Repricing, type RepricingResult } from "@/api/prices";
import { sentence } from "@/api/error";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { DataTable, TwoLines, type Column } from "@/components/ui/data-table";
import { Section } from "@/components/ui/page";
import { t } from "@/i18n";
import { formatCost, formatCostExact, formatCount } from "@/lib/format";
import { formatRelative } from "@/lib/time";
import { useAction } from "@/lib/use-action";
import { useNow } from "@/lib/use-now";
import { difference } from "@/lib/money";
import { RepricingState } from "./repricing-history";

interface RepricingResultProps {
  projectId: string;
  repricing: Repricing;
  denied: string | false;
  onApply: () => Promise<void>;
}

/** How far a re-pricing is, and what it found or changed. */
export function RepricingResultView({ projectId, repricing, denied, onApply }: RepricingResultProps) {
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  const now = useNow(30_000);
  const cancel = useAction(() => repricings.cancel(projectId, repricing.id), {
    stale: [repricingsQuery(projectId).queryKey],
    done: () => t("reprice.cancelled"),
  });
  const { result, mode } = repricing;
  const open = isOpen(repricing);
  const preview = mode === "preview" && repricing.state === "done" && result !== null;
  return (
    <Section
      title={t(open ? `reprice.running.${mode}` : `reprice.mode.${mode}`)}
      description={!open && repricing.finished_at !== null ? formatRelative(repricing.finished_at, now) : undefined}
      actions={
        <>
          <RepricingState state={repricing.state} />
          {open && (
            <Button denied={denied} disabled={cancel.isPending} onClick={() => cancel.mutate()}>
              {t("reprice.cancel")}
            </Button>
          )}
          {preview && result.changed > 0 && (
            <Button variant="primary" denied={denied} onClick={() => setAsking(true)}>
              {t("reprice.apply")}
            </Button>
          )}
        </>
      }
    >
      <div className="flex flex-col gap-4">
        {open && <ProgressBar repricing={repricing} />}
        {repricing.error !== null && <p className="rounded-md bg-error-soft px-3 py-2 break-words text-error">{sentence(repricing.error)}</p>}
        {preview && result.changed === 0 && <p className="text-muted">{t("reprice.nothing")}</p>}
        {result !== null && (result.changed > 0 || open || mode === "apply") && <Result result={result} />}
      </div>
      {result !== null && (
        <ConfirmDialog
          open={asking}
          onClose={() => setAsking(false)}
          danger={false}
          title={t("reprice.applyTitle", { count: result.changed })}
          text={t("reprice.applyText", { before: formatCost(result.cost_before), after: formatCost(result.cost_after) })}
          confirm={t("reprice.applyConfirm")}
          act={async () => {
            await onApply();
            void client.invalidateQueries({ queryKey: PRICES_KEY });
          }}
        />
      )}
    </Section>
  );
}

function ProgressBar({ repricing }: { repricing: Repricing }) {
  const { done, total } = repricing.progress;
  const share = total === null || total === 0 ? null : Math.min(100, (done / total) * 100);
  return (
    <div>
      <div
        role="progressbar"
        aria-label={t(`reprice.running.${repricing.mode}`)}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={share === null ? undefined : Math.round(share)}
        className="h-2 overflow-hidden rounded-full bg-hover"
      >
        <div className={share === null ? "skeleton h-full w-full" : "h-full bg-bar-strong transition-[width] duration-150"} style={share === null ? undefined : { width: `${share}%` }} />
      </div>
      <p className="num mt-1 text-xs text-muted" aria-live="polite">
        {repricing.state === "queued"
          ? t("reprice.queued")
          : total === null
            ? t("reprice.progressUnknown", { done })
            : t("reprice.progress", { done, total })}
      </p>
    </div>
  );
}

function Result({ result }: { result: RepricingResult }) {
  const columns: Column<RepricedModel>[] = [
    {
      id: "model",
      header: t("prices.model"),
      grow: true,
      cell: (row) => (
        <TwoLines
          first={row.model === "" ? t("unpriced.noModel") : <span className="font-mono">{row.model}</span>}
          second={row.provider === "" ? undefined : row.provider}
        />
      ),
    },
    {
      id: "changed",
      header: t("reprice.changed"),
      align: "right",
      from: "sm",
      cell: (row) => (
        <span className="num">
          {formatCount(row.changed)} <span className="text-muted">/ {formatCount(row.spans)}</span>
        </span>
      ),
    },
    { id: "before", header: t("reprice.before"), align: "right", from: "sm", cell: (row) => <Money amount={row.cost_before} /> },
    { id: "after", header: t("reprice.after"), align: "right", cell: (row) => <Money amount={row.cost_after} /> },
    { id: "difference", header: t("reprice.difference"), align: "right", cell: (row) => <Difference before={row.cost_before} after={row.cost_after} /> },
  ];
  return (
    <>
      <dl className="grid grid-cols-2 gap-x-6 gap-y-3 sm:grid-cols-4">
        <Figure name={t("reprice.changed")}>
          {formatCount(result.changed)} <span className="text-sm font-normal text-muted">/ {formatCount(result.spans)}</span>
        </Figure>
        <Figure name={t("reprice.newly")}>{formatCount(result.newly_priced)}</Figure>
        <Figure name={t("reprice.lost")}>
          {result.no_longer_priced > 0 ? <Badge tone="warning">{formatCount(result.no_longer_priced)}</Badge> : formatCount(0)}
        </Figure>
        <Figure name={`${t("reprice.before")} → ${t("reprice.after")}`}>
          <Money amount={result.cost_before} /> <span className="text-muted">→</span> <Money amount={result.cost_after} />
        </Figure>
      </dl>
      {result.by_model.length > 0 && (
        <DataTable
          label={t("reprice.byModel")}
          columns={columns}
          rows={result.by_model}
          rowKey={(row) => `${row.provider}/${row.model}`}
          empty={null}
        />
      )}
    </>
  );
}

function Figure({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="text-xs text-muted">{name}</dt>
      <dd className="num text-lg font-semibold">{children}</dd>
    </div>
  );
}

function Money({ amount }: { amount: string }) {
  return (
    <span className="num whitespace-nowrap" data-tip={formatCostExact(amount)}>
      {formatCost(amount)}
    </span>
  );
}

function Difference({ before, after }: { before: string; after: string }) {
  const change = difference(before, after);
  const sign = change === "0" || change.startsWith("-") ? "" : "+";
  return (
    <span className="num font-medium whitespace-nowrap" data-tip={`${sign}${formatCostExact(change)}`}>
      {sign}
      {formatCost(change)}
    </span>
  );
}
