import { useQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { createLazyRoute, getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { projects, type LifeStatus, type ProjectView } from "@/api/identity";
import { projectsQuery } from "@/api/identity-queries";
import { meQuery } from "@/api/queries";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { DataTable, TwoLines, type Column } from "@/components/ui/data-table";
import { MenuItem, RowMenu } from "@/components/ui/menu";
import { Empty, SettingsPage } from "@/components/ui/page";
import { Segmented } from "@/components/ui/segmented";
import { Time } from "@/components/ui/time";
import { CreateProjectDialog } from "@/features/shell/create-dialogs";
import { t } from "@/i18n";
import { roleName } from "@/lib/roles";
import { useAction } from "@/lib/use-action";
import { useOrganizationPermissions } from "@/lib/use-permissions";

export const route = createLazyRoute("/app/organizations/$organizationId/projects")({ component: ProjectsPage });
const api = getRouteApi("/app/organizations/$organizationId/projects");

function ProjectsPage() {
  const { organizationId } = api.useParams();
  const client = useQueryClient();
  const { data: me } = useSuspenseQuery(meQuery());
  const organization = me.organizations.find(({ id }) => id === organizationId);
  const permissions = useOrganizationPermissions(organizationId);
  const [status, setStatus] = useState<LifeStatus>("active");
  const list = useQuery(projectsQuery(organizationId, status));
  const [creating, setCreating] = useState(false);
  const [deleting, setDeleting] = useState<ProjectView | null>(null);
  const stale = [["organization", organizationId], ["project"], ["me"]];
  const named = (key: "projects.archived" | "projects.unarchived" | "organizations.restored") => (row: ProjectView) => t(key, { name: row.name });
  const archive = useAction((row: ProjectView) => projects.archive(row.id), {
    stale,
    done: named("projects.archived"),
    undo: (row) => projects.unarchive(row.id),
  });
  const unarchive = useAction((row: ProjectView) => projects.unarchive(row.id), { stale, done: named("projects.unarchived") });
  const restore = useAction((row: ProjectView) => projects.restore(row.id), { stale, done: named("organizations.restored") });
  const remove = useAction((row: ProjectView) => projects.delete(row.id), {
    stale,
    done: (row) => t("projects.deletedToast", { name: row.name }),
    undo: (row) => projects.restore(row.id),
  });
  const denied = permissions.denied("projects:write");
  const columns: Column<ProjectView>[] = [
    {
      id: "name",
      header: t("projects.name"),
      grow: true,
      cell: (row) => (
        <TwoLines
          first={
            row.status === "deleted" ? (
              row.name
            ) : (
              <Link to="/projects/$projectId/traces" params={{ projectId: row.id }} className="hover:underline">
                {row.name}
              </Link>
            )
          }
          second={row.description === "" ? undefined : row.description}
          badge={row.status === "archived" && <Badge tone="warning">{t("life.archived")}</Badge>}
        />
      ),
    },
    { id: "role", header: t("projects.myRole"), from: "sm", cell: (row) => roleName(row.role) },
    {
      id: "created",
      header: t(status === "deleted" ? "life.deleted" : "organizations.created"),
      from: "md",
      cell: (row) => <Time value={status === "deleted" ? row.deleted_at : row.created_at} />,
    },
    {
      id: "actions",
      header: t("organizations.actions"),
      quiet: true,
      align: "right",
      cell: (row) =>
        row.status === "deleted" ? (
          <Button denied={permissions.denied("projects:delete")} disabled={restore.isPending} onClick={() => restore.mutate(row)}>
            {t("action.restore")}
          </Button>
        ) : (
          <RowMenu label={t("action.more", { name: row.name })}>
            {row.status === "archived" ? (
              <MenuItem denied={denied} onSelect={() => unarchive.mutate(row)}>
                {t("action.unarchive")}
              </MenuItem>
            ) : (
              <MenuItem denied={denied} onSelect={() => archive.mutate(row)}>
                {t("action.archive")}
              </MenuItem>
            )}
            <MenuItem danger denied={permissions.denied("projects:delete")} onSelect={() => setDeleting(row)}>
              {t("action.delete")}
            </MenuItem>
          </RowMenu>
        ),
    },
  ];
  return (
    <SettingsPage
      title={t("projects.title")}
      description={t("projects.text")}
      wide
      actions={
        <Button variant="primary" denied={denied} onClick={() => setCreating(true)}>
          {t("projects.create")}
        </Button>
      }
    >
      <Segmented<LifeStatus>
        label={t("organization.status")}
        value={status}
        onChange={setStatus}
        className="self-start"
        options={[
          { value: "active", label: t("life.active") },
          { value: "archived", label: t("life.archived") },
          { value: "deleted", label: t("life.deleted") },
        ]}
      />
      <DataTable
        label={t("projects.title")}
        columns={columns}
        rows={list.data}
        rowKey={(row) => row.id}
        error={list.error}
        onRetry={() => void list.refetch()}
        empty={
          status === "active" ? (
            <Empty title={t("projects.none")} text={t("onboarding.noProjectText")}>
              <Button denied={denied} onClick={() => setCreating(true)}>
                {t("projects.create")}
              </Button>
            </Empty>
          ) : (
            <p className="p-4 text-muted">{t(status === "archived" ? "projects.noneArchived" : "projects.noneDeleted")}</p>
          )
        }
      />
      <CreateProjectDialog organization={creating ? (organization ?? null) : null} onClose={() => setCreating(false)} />
      <ConfirmDialog
        open={deleting !== null}
        onClose={() => setDeleting(null)}
        title={t("projects.delete")}
        text={t("projects.deleteConfirm", { name: deleting?.name ?? "" })}
        confirm={t("projects.delete")}
        typeName={deleting?.name}
        act={async () => {
          if (deleting === null) return;
          await remove.mutateAsync(deleting);
          await client.invalidateQueries({ queryKey: ["me"] });
        }}
      />
    </SettingsPage>
  );
}
