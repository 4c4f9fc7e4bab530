import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { organizations, projects, type OrganizationView, type ProjectView } from "@/api/identity";
import { TextArea, TextInput } from "@/components/ui/field";
import { FormDialog } from "@/components/ui/form-dialog";
import { t } from "@/i18n";
import { preferences } from "@/lib/preferences";
import { useForm } from "@/lib/use-form";

/** Makes an organisation and goes there. */
export function useCreateOrganization(onDone: () => void) {
  const client = useQueryClient();
  const navigate = useNavigate();
  return useForm({ name: "" }, async ({ name }) => {
    const made: OrganizationView = await organizations.create(name.trim());
    preferences.organization.set(made.id);
    preferences.project.set("");
    await client.refetchQueries({ queryKey: ["me"] });
    void client.invalidateQueries({ queryKey: ["organizations"] });
    onDone();
    await navigate({ to: "/" });
  });
}

/** Makes a project and goes there. */
export function useCreateProject(organizationId: string, onDone: () => void) {
  const client = useQueryClient();
  const navigate = useNavigate();
  return useForm({ name: "", description: "" }, async ({ name, description }) => {
    const made: ProjectView = await projects.create(organizationId, {
      name: name.trim(),
      ...(description.trim() !== "" && { description: description.trim() }),
    });
    await client.refetchQueries({ queryKey: ["me"] });
    void client.invalidateQueries({ queryKey: ["organization", organizationId] });
    onDone();
    await navigate({ to: "/projects/$projectId/traces", params: { projectId: made.id } });
  });
}

export function CreateOrganizationDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  return open ? <OpenCreateOrganization onClose={onClose} /> : null;
}

function OpenCreateOrganization({ onClose }: { onClose: () => void }) {
  const form = useCreateOrganization(onClose);
  return (
    <FormDialog
      open
      onClose={onClose}
      title={t("organizations.create")}
      form={form}
      submit={t("organizations.createSubmit")}
      disabled={form.values.name.trim() === ""}
      className="w-[min(440px,calc(100vw-24px))]"
    >
      <TextInput label={t("organizations.name")} hint={t("organizations.createHint")} autoComplete="organization" {...form.field("name")} />
    </FormDialog>
  );
}

interface CreateProjectProps {
  organization: { id: string; name: string } | null;
  onClose: () => void;
}

export function CreateProjectDialog({ organization, onClose }: CreateProjectProps) {
  return organization === null ? null : <OpenCreateProject organization={organization} onClose={onClose} />;
}

function OpenCreateProject({ organization, onClose }: { organization: { id: string; name: string }; onClose: () => void }) {
  const form = useCreateProject(organization.id, onClose);
  return (
    <FormDialog
      open
      onClose={onClose}
      title={t("projects.createIn", { name: organization.name })}
      form={form}
      submit={t("projects.createSubmit")}
      disabled={form.values.name.trim() === ""}
      className="w-[min(440px,calc(100vw-24px))]"
    >
      <TextInput label={t("projects.name")} hint={t("projects.nameHint")} autoComplete="off" {...form.field("name")} />
      <TextArea label={t("projects.descriptionOptional")} {...form.field("description")} />
    </FormDialog>
  );
}
