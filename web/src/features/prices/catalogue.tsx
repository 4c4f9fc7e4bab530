import { useInfiniteQuery } from "@tanstack/react-query";
import { ChevronRight } from "lucide-react";
import { useState } from "react";
import { catalogueQuery, type CataloguePrice } from "@/api/prices";
import { Button, IconButton } from "@/components/ui/button";
import { cx } from "@/components/ui/cx";
import { DataTable, TwoLines, type Column } from "@/components/ui/data-table";
import { Empty } from "@/components/ui/page";
import { SearchInput } from "@/components/ui/search-input";
import { t } from "@/i18n";
import { versionInput, versionOn, type PriceInput } from "@/lib/price-form";
import { Periods, PriceMarks, priceDay, RateLine, today } from "./rates";

interface CatalogueProps {
  projectId: string;
  denied: string | false;
  /** Opens the form for an own price. */
  onSet: (initial: Partial<PriceInput>) => void;
}

const keyOf = (row: CataloguePrice) => `${row.provider}/${row.model}`;

/** The prices that this version of Brokle brings along. */
export function Catalogue({ projectId, denied, onSet }: CatalogueProps) {
  const [search, setSearch] = useState("");
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const list = useInfiniteQuery(catalogueQuery(projectId, { search: search.trim() }));
  const toggle = (row: CataloguePrice) => {
    const next = new Set(open);
    if (!next.delete(keyOf(row))) next.add(keyOf(row));
    setOpen(next);
  };
  const columns: Column<CataloguePrice>[] = [
    {
      id: "fold",
      header: t("audit.details"),
      quiet: true,
      cell: (row) => (
        <IconButton size="sm" label={t("catalogue.details", { model: row.model })} aria-expanded={open.has(keyOf(row))} onClick={() => toggle(row)}>
          <ChevronRight className={cx("size-4 transition-transform duration-100", open.has(keyOf(row)) && "rotate-90")} aria-hidden />
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
          second={row.also.length === 0 ? row.provider : `${row.provider} · ${t("catalogue.also", { names: row.also.join(", ") })}`}
        />
      ),
    },
    {
      id: "rates",
      header: t("prices.rates"),
      align: "right",
      cell: (row) => {
        const now = versionOn(row.prices, today());
        return now === undefined ? null : <RateLine rates={now.rates} />;
      },
    },
    {
      id: "more",
      header: t("prices.serviceTiers"),
      quiet: true,
      from: "lg",
      cell: (row) => {
        const now = versionOn(row.prices, today());
        return <span className="flex gap-1">{now !== undefined && <PriceMarks version={now} />}</span>;
      },
    },
    {
      id: "actions",
      header: t("organizations.actions"),
      quiet: true,
      from: "sm",
      align: "right",
      cell: (row) => <SetButton row={row} denied={denied} onSet={onSet} />,
    },
  ];
  return (
    <div className="flex flex-col gap-3">
      <p className="text-muted">{t("catalogue.text")}</p>
      <SearchInput label={t("catalogue.search")} value={search} onChange={setSearch} wait={250} />
      <DataTable
        label={t("prices.tab.catalogue")}
        columns={columns}
        rows={list.data?.pages.flatMap((page) => page.items)}
        rowKey={keyOf}
        error={list.error}
        onRetry={() => void list.refetch()}
        outdated={list.isPlaceholderData}
        more={list}
        onOpen={toggle}
        detail={(row) =>
          open.has(keyOf(row)) ? (
            <div className="flex flex-col gap-3">
              <Periods versions={row.prices} model={row.model} />
              <Origin row={row} />
              <div className="sm:hidden">
                <SetButton row={row} denied={denied} onSet={onSet} />
              </div>
            </div>
          ) : null
        }
        empty={
          <Empty title={t("catalogue.none")} text={t("catalogue.noneText")}>
            <Button denied={denied} onClick={() => onSet({ model: search.trim() })}>
              {t("catalogue.override")}
            </Button>
          </Empty>
        }
      />
    </div>
  );
}

function SetButton({ row, denied, onSet }: { row: CataloguePrice; denied: string | false; onSet: CatalogueProps["onSet"] }) {
  return (
    <Button
      denied={denied}
      aria-label={`${t("catalogue.override")}: ${row.model}`}
      onClick={() => {
        const now = versionOn(row.prices, today());
        onSet({ provider: row.provider, model: row.model, ...(now !== undefined && { versions: [{ ...versionInput(now), from: "" }] }) });
      }}
    >
      {t("catalogue.override")}
    </Button>
  );
}

function Origin({ row }: { row: CataloguePrice }) {
  const seen = row.prices.map((price) => price.seen).filter((day) => day !== null).sort().at(-1);
  const parts = [row.source, seen === undefined ? null : t("catalogue.seen", { day: priceDay(seen) })].filter((part) => part !== null && part !== "");
  if (parts.length === 0) return null;
  return (
    <p className="text-xs text-muted">
      {t("catalogue.source")}: {parts.join(" · ")}
    </p>
  );
}
