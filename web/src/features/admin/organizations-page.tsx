import { useInfiniteQuery } from "@tanstack/react-query";
import { createLazyRoute } from "@tanstack/react-router";
import { useState } from "react";
import { admin, type AdminOrganization, type LifeStatus } from "@/api/identity";
import { adminOrganizationsQuery } from "@/api/identity-queries";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { DataTable, TwoLines, type Column } from "@/components/ui/data-table";
import { SettingsPage } from "@/components/ui/page";
import { SearchInput } from "@/components/ui/search-input";
import { Segmented } from "@/components/ui/segmented";
import { Time } from "@/components/ui/time";
import { t } from "@/i18n";
import { NONE } from "@/lib/format";
import { useAction } from "@/lib/use-action";

export const route = createLazyRoute("/app/admin/organizations")({ component: OrganizationsPage });

function OrganizationsPage() {
  const [search, setSearch] = useState("");
  const [status, setStatus] = useState<LifeStatus | "any">("any");
  const list = useInfiniteQuery(adminOrganizationsQuery({ search: search.trim(), status: status === "any" ? undefined : status }));
  const restore = useAction((row: AdminOrganization) => admin.restoreOrganization(row.id), {
    stale: [["admin", "organizations"], ["me"], ["organizations"]],
    done: (row) => t("organizations.restored", { name: row.name }),
  });
  const columns: Column<AdminOrganization>[] = [
    {
      id: "name",
      header: t("organizations.name"),
      grow: true,
      cell: (row) => (
        <TwoLines
          first={row.name}
          second={row.owner_emails.length === 0 ? t("admin.noOwner") : row.owner_emails.join(", ")}
          badge={row.status !== "active" && <Badge tone={row.status === "deleted" ? "error" : "warning"}>{t(`life.${row.status}`)}</Badge>}
        />
      ),
    },
    { id: "members", header: t("members.title"), align: "right", from: "sm", cell: (row) => <span className="num">{row.member_count}</span> },
    { id: "projects", header: t("projects.title"), align: "right", from: "sm", cell: (row) => <span className="num">{row.project_count}</span> },
    { id: "created", header: t("organizations.created"), from: "md", cell: (row) => <Time value={row.created_at} /> },
    { id: "deleted", header: t("life.deleted"), from: "lg", cell: (row) => <Time value={row.deleted_at} none={NONE} /> },
    {
      id: "actions",
      header: t("organizations.actions"),
      quiet: true,
      cell: (row) =>
        row.status === "deleted" && (
          <Button disabled={restore.isPending} onClick={() => restore.mutate(row)} aria-label={`${t("action.restore")}: ${row.name}`}>
            {t("action.restore")}
          </Button>
        ),
    },
  ];
  return (
    <SettingsPage title={t("account.organizations")} description={t("admin.organizationsText")} wide>
      <div className="flex flex-wrap items-center gap-2">
        <SearchInput label={t("admin.searchOrganizations")} value={search} onChange={setSearch} wait={300} />
        <Segmented<LifeStatus | "any">
          label={t("organization.status")}
          value={status}
          onChange={setStatus}
          options={[
            { value: "any", label: t("filter.statusAny") },
            { value: "active", label: t("life.active") },
            { value: "archived", label: t("life.archived") },
            { value: "deleted", label: t("life.deleted") },
          ]}
        />
      </div>
      <DataTable
        label={t("account.organizations")}
        columns={columns}
        rows={list.data?.pages.flatMap((page) => page.items)}
        rowKey={(row) => row.id}
        error={list.error}
        onRetry={() => void list.refetch()}
        outdated={list.isPlaceholderData}
        more={list}
        empty={<p className="p-4 text-muted">{t("admin.noOrganizations")}</p>}
      />
    </SettingsPage>
  );
}
