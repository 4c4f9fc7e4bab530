import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createLazyRoute, getRouteApi, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { projects, type ProjectView } from "@/api/identity";
import { projectQuery } from "@/api/identity-queries";
import { ErrorNotice } from "@/components/error-notice";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { CopyButton } from "@/components/ui/copy-button";
import { TextArea, TextInput } from "@/components/ui/field";
import { FormError } from "@/components/ui/form-error";
import { ActionRow, Section, SettingsPage, SkeletonLines } from "@/components/ui/page";
import { toast } from "@/components/ui/toast-store";
import { t } from "@/i18n";
import { preferences } from "@/lib/preferences";
import { useAction } from "@/lib/use-action";
import { useForm } from "@/lib/use-form";
import { useProjectPermissions, type Permissions } from "@/lib/use-permissions";

export const route = createLazyRoute("/app/projects/$projectId/settings/")({ component: ProjectGeneralPage });
const api = getRouteApi("/app/projects/$projectId/settings/");

function ProjectGeneralPage() {
  const { projectId } = api.useParams();
  const project = useQuery(projectQuery(projectId));
  const permissions = useProjectPermissions(projectId);
  return (
    <SettingsPage title={t("organization.general")}>
      {project.isPending ? (
        <SkeletonLines count={6} />
      ) : project.isError ? (
        <ErrorNotice error={project.error} onRetry={() => void project.refetch()} />
      ) : (
        <>
          <AboutSection project={project.data} permissions={permissions} />
          <DangerSection project={project.data} permissions={permissions} />
        </>
      )}
    </SettingsPage>
  );
}

interface PartProps {
  project: ProjectView;
  permissions: Permissions;
}

function AboutSection({ project, permissions }: PartProps) {
  const client = useQueryClient();
  const form = useForm({ name: project.name, description: project.description }, async (values) => {
    await projects.update(project.id, { name: values.name.trim(), description: values.description.trim() });
    await Promise.all([["me"], ["project", project.id], ["organization", project.organization_id]].map((queryKey) => client.invalidateQueries({ queryKey })));
    toast({ text: t("toast.saved") });
  });
  const denied = permissions.denied("projects:write");
  const changed = form.values.name.trim() !== project.name || form.values.description.trim() !== project.description;
  return (
    <Section title={t("project.about")}>
      <form onSubmit={form.onSubmit} className="flex max-w-md flex-col gap-4">
        <TextInput label={t("projects.name")} readOnly={denied !== false} {...form.field("name")} />
        <TextArea label={t("projects.description")} readOnly={denied !== false} {...form.field("description")} />
        <p className="flex min-w-0 items-center gap-1 text-muted">
          {t("project.id")} <code className="code truncate text-text">{project.id}</code>
          <CopyButton text={project.id} />
        </p>
        <FormError failure={form.failure} />
        <Button type="submit" variant="primary" denied={denied} disabled={form.busy || !changed || form.values.name.trim() === ""} className="self-start">
          {t("action.save")}
        </Button>
      </form>
    </Section>
  );
}

function DangerSection({ project, permissions }: PartProps) {
  const { id, name } = project;
  const client = useQueryClient();
  const navigate = useNavigate();
  const [deleting, setDeleting] = useState(false);
  const archived = project.status === "archived";
  const stale = [["me"], ["project", id], ["organization", project.organization_id]];
  const archive = useAction(() => projects.archive(id), { stale, done: () => t("projects.archived", { name }), undo: () => projects.unarchive(id) });
  const unarchive = useAction(() => projects.unarchive(id), { stale, done: () => t("projects.unarchived", { name }) });
  const restore = useAction(() => projects.restore(id), { stale, done: () => t("organizations.restored", { name }) });
  return (
    <section aria-label={t("project.danger")} className="rounded-lg border border-error/40">
      <ActionRow title={t(archived ? "project.unarchive" : "project.archive")} description={t("project.archiveText")}>
        <Button
          denied={permissions.denied("projects:write")}
          disabled={archive.isPending || unarchive.isPending}
          onClick={() => (archived ? unarchive.mutate() : archive.mutate())}
        >
          {t(archived ? "action.unarchive" : "action.archive")}
        </Button>
      </ActionRow>
      <ActionRow title={t("projects.delete")} description={t("project.deleteText")}>
        <Button variant="danger" denied={permissions.denied("projects:delete")} onClick={() => setDeleting(true)}>
          {t("action.delete")}
        </Button>
      </ActionRow>
      <ConfirmDialog
        open={deleting}
        onClose={() => setDeleting(false)}
        title={t("projects.delete")}
        text={t("projects.deleteConfirm", { name })}
        confirm={t("projects.delete")}
        typeName={name}
        act={async () => {
          await projects.delete(id);
          preferences.project.set("");
          await navigate({ to: "/organizations/$organizationId/projects", params: { organizationId: project.organization_id } });
          await Promise.all(stale.map((queryKey) => client.invalidateQueries({ queryKey })));
          toast({ text: t("projects.deletedToast", { name }), action: { label: t("action.undo"), run: () => restore.mutate() } });
        }}
      />
    </section>
  );
}
