import { useQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { createLazyRoute, Link } from "@tanstack/react-router";
import { useState } from "react";
import { organizations, users, type OrganizationView } from "@/api/identity";
import { myOrganizationsQuery } from "@/api/identity-queries";
import { meQuery } from "@/api/queries";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { DataTable, TwoLines, type Column } from "@/components/ui/data-table";
import { MenuItem, RowMenu } from "@/components/ui/menu";
import { Empty, SettingsPage } from "@/components/ui/page";
import { Time } from "@/components/ui/time";
import { CreateOrganizationDialog } from "@/features/shell/create-dialogs";
import { t } from "@/i18n";
import { roleName } from "@/lib/roles";
import { useAction } from "@/lib/use-action";

export const route = createLazyRoute("/app/account/organizations")({ component: MyOrganizationsPage });

function MyOrganizationsPage() {
  const client = useQueryClient();
  const { data: me } = useSuspenseQuery(meQuery());
  const list = useQuery(myOrganizationsQuery());
  const deleted = useQuery(myOrganizationsQuery("deleted"));
  const [creating, setCreating] = useState(false);
  const [leaving, setLeaving] = useState<OrganizationView | null>(null);
  const makeDefault = useAction((row: OrganizationView) => users.setDefaultOrganization(row.id), {
    stale: [["me"]],
    done: (row) => t("organizations.defaultSet", { name: row.name }),
  });
  const restore = useAction((row: OrganizationView) => organizations.restore(row.id), {
    stale: [["me"], ["organizations"]],
    done: (row) => t("organizations.restored", { name: row.name }),
  });
  const columns: Column<OrganizationView>[] = [
    {
      id: "name",
      header: t("organizations.name"),
      grow: true,
      cell: (row) => (
        <TwoLines
          first={
            <Link to="/organizations/$organizationId" params={{ organizationId: row.id }} className="hover:underline">
              {row.name}
            </Link>
          }
          second={t("organizations.size", { members: row.member_count, projects: row.project_count })}
          badge={
            <>
              {row.id === me.default_organization_id && <Badge tip={t("organizations.defaultTip")}>{t("organizations.default")}</Badge>}
              {row.status === "archived" && <Badge tone="warning">{t("life.archived")}</Badge>}
            </>
          }
        />
      ),
    },
    { id: "role", header: t("invitation.role"), cell: (row) => roleName(row.role) },
    { id: "created", header: t("organizations.created"), from: "md", cell: (row) => <Time value={row.created_at} /> },
    {
      id: "actions",
      header: t("organizations.actions"),
      quiet: true,
      cell: (row) => (
        <RowMenu label={t("action.more", { name: row.name })}>
          <MenuItem
            denied={row.id === me.default_organization_id && t("organizations.defaultTip")}
            onSelect={() => makeDefault.mutate(row)}
          >
            {t("organizations.makeDefault")}
          </MenuItem>
          <MenuItem danger onSelect={() => setLeaving(row)}>
            {t("organizations.leave")}
          </MenuItem>
        </RowMenu>
      ),
    },
  ];
  return (
    <SettingsPage
      title={t("account.organizations")}
      wide
      actions={
        <Button variant="primary" onClick={() => setCreating(true)}>
          {t("organizations.create")}
        </Button>
      }
    >
      <DataTable
        label={t("account.organizations")}
        columns={columns}
        rows={list.data}
        rowKey={(row) => row.id}
        error={list.error}
        onRetry={() => void list.refetch()}
        empty={<Empty title={t("onboarding.noOrganization")} text={t("onboarding.noOrganizationText")} />}
      />
      {deleted.data !== undefined && deleted.data.length > 0 && (
        <>
          <h2 className="mt-3 font-semibold">{t("organizations.deleted")}</h2>
          <DataTable
            label={t("organizations.deleted")}
            columns={[
              { id: "name", header: t("organizations.name"), grow: true, cell: (row) => <TwoLines first={row.name} second={t("organizations.deletedHint")} /> },
              { id: "deleted", header: t("life.deleted"), cell: (row) => <Time value={row.deleted_at} /> },
              {
                id: "restore",
                header: t("action.restore"),
                quiet: true,
                cell: (row) => (
                  <Button disabled={restore.isPending} onClick={() => restore.mutate(row)}>
                    {t("action.restore")}
                  </Button>
                ),
              },
            ]}
            rows={deleted.data}
            rowKey={(row) => row.id}
            empty={null}
          />
        </>
      )}
      <CreateOrganizationDialog open={creating} onClose={() => setCreating(false)} />
      <ConfirmDialog
        open={leaving !== null}
        onClose={() => setLeaving(null)}
        title={t("organizations.leave")}
        text={t("organizations.leaveText", { name: leaving?.name ?? "" })}
        confirm={t("organizations.leave")}
        act={async () => {
          if (leaving === null) return;
          await organizations.leave(leaving.id);
          await Promise.all(["me", "organizations"].map((key) => client.invalidateQueries({ queryKey: [key] })));
        }}
      />
    </SettingsPage>
  );
}
