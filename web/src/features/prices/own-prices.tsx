import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ChevronRight } from "lucide-react";
import { useState } from "react";
import { prices, pricesQuery, PRICES_KEY, type ModelPrice, type PriceBody, type PriceScope } from "@/api/prices";
import { Badge } from "@/components/ui/badge";
import { Button, IconButton } from "@/components/ui/button";
import { cx } from "@/components/ui/cx";
import { DataTable, TwoLines, type Column } from "@/components/ui/data-table";
import { MenuItem, MenuSeparator, RowMenu } from "@/components/ui/menu";
import { Empty } from "@/components/ui/page";
import { Time } from "@/components/ui/time";
import { t } from "@/i18n";
import { versionInput, versionOn, type PriceInput } from "@/lib/price-form";
import { useAction } from "@/lib/use-action";
import { Periods, PriceMarks, priceDay, RateLine, today } from "./rates";

export type Editing = { price: ModelPrice } | { initial: Partial<PriceInput> } | null;

interface OwnPricesProps {
  scope: PriceScope;
  /** Of a project: where inherited prices are changed. */
  organizationId: string;
  denied: string | false;
  onEdit: (editing: Editing) => void;
}

function TodaysRates({ row }: { row: ModelPrice }) {
  const day = today();
  const now = versionOn(row.prices, day);
  if (now !== undefined) return <RateLine rates={now.rates} />;
  const next = row.prices.map(({ from }) => from).filter((from) => from !== null).sort()[0];
  return <span className="text-muted">{t("prices.notYet", { day: priceDay(next ?? null) })}</span>;
}

/** Prices that were set by people: the project's, and those that it inherits. */
export function OwnPrices({ scope, organizationId, denied, onEdit }: OwnPricesProps) {
  const list = useQuery(pricesQuery(scope));
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const removal = useAction((row: ModelPrice) => prices.delete(scope, row.id), {
    stale: [PRICES_KEY],
    done: (row) => t("prices.deleted", { model: row.model }),
    undo: (row) => prices.create(scope, { provider: row.provider, model: row.model, prices: row.prices } satisfies PriceBody),
  });
  const toggle = (row: ModelPrice) => {
    const next = new Set(open);
    if (!next.delete(row.id)) next.add(row.id);
    setOpen(next);
  };
  const inherited = (row: ModelPrice) => row.scope !== scope.kind;
  const columns: Column<ModelPrice>[] = [
    {
      id: "fold",
      header: t("audit.details"),
      quiet: true,
      cell: (row) => (
        <IconButton size="sm" label={t("catalogue.details", { model: row.model })} aria-expanded={open.has(row.id)} onClick={() => toggle(row)}>
          <ChevronRight className={cx("size-4 transition-transform duration-100", open.has(row.id) && "rotate-90")} aria-hidden />
        </IconButton>
      ),
    },
    {
      id: "model",
      header: t("prices.model"),
      grow: true,
      cell: (row) => (
        <TwoLines
          first={<span className="font-mono">{row.model}</span>}
          second={row.provider === "" ? t("prices.anyProvider") : row.provider}
          badge={inherited(row) && <Badge tip={t("prices.inheritedTip")}>{t("prices.inherited")}</Badge>}
        />
      ),
    },
    { id: "rates", header: t("prices.rates"), align: "right", cell: (row) => <TodaysRates row={row} /> },
    {
      id: "more",
      header: t("prices.serviceTiers"),
      quiet: true,
      from: "lg",
      cell: (row) => {
        const version = versionOn(row.prices, today()) ?? row.prices[0];
        return (
          <span className="flex gap-1">
            {version !== undefined && <PriceMarks version={version} />}
            {row.prices.length > 1 && <Badge>{t("prices.versions", { count: row.prices.length })}</Badge>}
          </span>
        );
      },
    },
    {
      id: "updated",
      header: t("prices.updated"),
      from: "md",
      cell: (row) => (
        <span data-tip={row.updated_by?.email ?? undefined}>
          <Time value={row.updated_at} />
        </span>
      ),
    },
    {
      id: "actions",
      header: t("organizations.actions"),
      quiet: true,
      cell: (row) => (
        <RowMenu label={t("action.more", { name: row.model })}>
          {inherited(row) ? (
            <>
              <MenuItem
                denied={denied}
                onSelect={() => onEdit({ initial: { provider: row.provider, model: row.model, versions: row.prices.map(versionInput) } })}
              >
                {t("prices.override")}
              </MenuItem>
              <MenuItem asChild>
                <Link to="/organizations/$organizationId/prices" params={{ organizationId }}>
                  {t("prices.inOrganization")}
                </Link>
              </MenuItem>
            </>
          ) : (
            <>
              <MenuItem denied={denied} onSelect={() => onEdit({ price: row })}>
                {t("prices.edit")}
              </MenuItem>
              <MenuSeparator />
              <MenuItem danger denied={denied} onSelect={() => removal.mutate(row)}>
                {t("prices.delete")}
              </MenuItem>
            </>
          )}
        </RowMenu>
      ),
    },
  ];
  return (
    <DataTable
      label={t("prices.tab.own")}
      columns={columns}
      rows={list.data}
      rowKey={(row) => row.id}
      error={list.error}
      onRetry={() => void list.refetch()}
      detail={(row) => (open.has(row.id) ? <Periods versions={row.prices} model={row.model} /> : null)}
      onOpen={toggle}
      empty={
        <Empty title={t("prices.none")} text={t("prices.noneText")}>
          <Button denied={denied} onClick={() => onEdit({ initial: {} })}>
            {t("prices.add")}
          </Button>
        </Empty>
      }
    />
  );
}
