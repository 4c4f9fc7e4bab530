import { useInfiniteQuery } from "@tanstack/react-query";
import { ChevronRight, Download } from "lucide-react";
import { useState, type ReactNode } from "react";
import { exportAuditLogs, type AuditQuery, type AuditView } from "@/api/identity";
import { auditQuery } from "@/api/identity-queries";
import { Badge } from "@/components/ui/badge";
import { Button, IconButton } from "@/components/ui/button";
import { cx } from "@/components/ui/cx";
import { DataTable, TwoLines, type Column } from "@/components/ui/data-table";
import { Menu, MenuContent, MenuItem, MenuTrigger } from "@/components/ui/menu";
import { Empty } from "@/components/ui/page";
import { Time } from "@/components/ui/time";
import { t } from "@/i18n";
import { auditRange, type AuditSearch } from "@/lib/audit-search";
import { download } from "@/lib/download";
import { NONE, shortId } from "@/lib/format";
import { useAction } from "@/lib/use-action";
import { AuditDetail } from "./audit-detail";
import { AuditFilters } from "./audit-filters";

interface AuditLogProps {
  /** Null for what belongs to no organisation. */
  organizationId: string | null;
  search: AuditSearch;
  onChange: (patch: Partial<AuditSearch>) => void;
  /** Filters beside those that every log has. */
  filters?: ReactNode;
}

/** Who did what, newest first. */
export function AuditLog({ organizationId, search, onChange, filters }: AuditLogProps) {
  return (
    <div className="flex flex-col gap-3">
      <AuditFilters search={search} onChange={onChange} filtered={isFiltered(search)}>
        {filters}
      </AuditFilters>
      <Entries key={search.range ?? ""} organizationId={organizationId} search={search} onChange={onChange} />
    </div>
  );
}

const NO_FILTERS: AuditSearch = {
  action: undefined,
  actor: undefined,
  target: undefined,
  project: undefined,
  outcome: undefined,
  range: undefined,
};

function isFiltered(search: AuditSearch): boolean {
  return Object.values(search).some((value) => value !== undefined);
}

function Entries({ organizationId, search, onChange }: Omit<AuditLogProps, "filters">) {
  const [open, setOpen] = useState<string | null>(null);
  // Fixed while the range stays, so that the pages of one list fit together.
  const [range] = useState(() => auditRange(search.range, Date.now()));
  const query: AuditQuery = {
    action: search.action,
    actor_id: search.actor,
    target_type: search.target,
    project_id: search.project,
    outcome: search.outcome,
    ...range,
  };
  const list = useInfiniteQuery(auditQuery(organizationId, query));
  const rows = list.data?.pages.flatMap((page) => page.items);
  const filtered = isFiltered(search);
  const columns: Column<AuditView>[] = [
    {
      id: "toggle",
      header: t("audit.details"),
      quiet: true,
      cell: (row) => (
        <IconButton size="sm" label={t(open === row.id ? "audit.hide" : "audit.show")} aria-expanded={open === row.id} onClick={() => setOpen(open === row.id ? null : row.id)}>
          <ChevronRight className={cx("size-4 transition-transform duration-100", open === row.id && "rotate-90")} aria-hidden />
        </IconButton>
      ),
    },
    { id: "time", header: t("audit.time"), cell: (row) => <Time value={row.created_at} /> },
    {
      id: "action",
      header: t("audit.action"),
      cell: (row) => (
        <span className="flex items-center gap-1.5">
          <code className="code">{row.action}</code>
          {row.outcome !== "success" && <Badge tone="error">{row.outcome}</Badge>}
        </span>
      ),
    },
    {
      id: "target",
      header: t("audit.target"),
      grow: true,
      from: "sm",
      cell: (row) => <TwoLines first={row.target_name ?? (row.target_id === null ? NONE : shortId(row.target_id))} second={row.target_type.replaceAll("_", " ")} />,
    },
    { id: "actor", header: t("audit.actor"), from: "md", cell: (row) => <span className="block max-w-52 truncate">{row.actor_email ?? row.actor_type.replaceAll("_", " ")}</span> },
    { id: "ip", header: t("audit.ip"), from: "xl", cell: (row) => <span className="code text-muted">{row.ip_address ?? NONE}</span> },
  ];
  return (
    <DataTable
        label={t("audit.title")}
        columns={columns}
        rows={rows}
        rowKey={(row) => row.id}
        error={list.error}
        onRetry={() => void list.refetch()}
        outdated={list.isPlaceholderData}
        more={list}
        onOpen={(row) => setOpen(open === row.id ? null : row.id)}
        detail={(row) => (row.id === open ? <AuditDetail entry={row} /> : null)}
        empty={
          <Empty title={t(filtered ? "audit.noMatch" : "audit.none")} text={t(filtered ? "audit.noMatchText" : "audit.noneText")}>
            {filtered && (
              <Button onClick={() => onChange(NO_FILTERS)}>
                {t("filter.clear")}
              </Button>
            )}
          </Empty>
        }
      />
  );
}

interface ExportMenuProps {
  organizationId: string;
  search: AuditSearch;
  denied: string | false;
}

/** The log as a file, by the same filters. */
export function ExportMenu({ organizationId, search, denied }: ExportMenuProps) {
  const save = useAction(
    async (format: "csv" | "json") => {
      const content = await exportAuditLogs(organizationId, format, {
        action: search.action,
        actor_id: search.actor,
        target_type: search.target,
        project_id: search.project,
        outcome: search.outcome,
        ...auditRange(search.range, Date.now()),
      });
      download(`audit-log.${format}`, content);
    },
    { stale: [] },
  );
  if (denied !== false) return <Button denied={denied}>{t("audit.export")}</Button>;
  return (
    <Menu>
      <MenuTrigger asChild>
        <Button disabled={save.isPending}>
          <Download className="size-4" aria-hidden />
          {t(save.isPending ? "audit.exporting" : "audit.export")}
        </Button>
      </MenuTrigger>
      <MenuContent align="end">
        <MenuItem onSelect={() => save.mutate("csv")}>{t("audit.csv")}</MenuItem>
        <MenuItem onSelect={() => save.mutate("json")}>{t("audit.json")}</MenuItem>
      </MenuContent>
    </Menu>
  );
}
