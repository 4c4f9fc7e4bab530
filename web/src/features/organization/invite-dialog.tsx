import { useQuery, useQueryClient } from "@tanstack/react-query";
import { invitations } from "@/api/identity";
import { invitationsQuery, projectsQuery } from "@/api/identity-queries";
import { Select, TextInput } from "@/components/ui/field";
import { FormDialog } from "@/components/ui/form-dialog";
import { toast } from "@/components/ui/toast-store";
import { t, type Key } from "@/i18n";
import { PROJECT_ROLES, rolesUpTo } from "@/lib/permissions";
import { roleChoices, roleName } from "@/lib/roles";
import { useForm } from "@/lib/use-form";

interface InviteDialogProps {
  organizationId: string;
  ownRole: string;
  mail: boolean;
  onClose: () => void;
}

const EXPLAINED = new Set(["owner", "admin", "developer", "viewer", "none"]);

export function InviteDialog({ organizationId, ownRole, mail, onClose }: InviteDialogProps) {
  const client = useQueryClient();
  const { data: projects } = useQuery(projectsQuery(organizationId, "active"));
  const roles = rolesUpTo(ownRole);
  const form = useForm<{ email: string; role: string; project_roles: Record<string, string> }>(
    { email: "", role: roles.includes("developer") ? "developer" : (roles[0] ?? "viewer"), project_roles: {} },
    async (values) => {
      const exceptions = Object.entries(values.project_roles).filter(([, role]) => role !== "");
      const email = values.email.trim();
      await invitations.create(organizationId, {
        email,
        role: values.role,
        ...(exceptions.length > 0 && { project_roles: exceptions.map(([project_id, role]) => ({ project_id, role })) }),
      });
      await client.invalidateQueries({ queryKey: invitationsQuery(organizationId).queryKey });
      toast({ text: t(mail ? "invitations.sent" : "invitations.kept", { email }) });
      onClose();
    },
  );
  const { role, project_roles: exceptions } = form.values;
  return (
    <FormDialog open onClose={onClose} title={t("invitations.invite")} form={form} submit={t("invitations.send")} disabled={form.values.email.trim() === ""}>
      <TextInput label={t("login.email")} type="email" autoComplete="off" placeholder="ada@example.com" {...form.field("email")} />
      <Select
        label={t("invitation.role")}
        options={roleChoices(roles)}
        hint={EXPLAINED.has(role) ? t(`role.${role}.text` as Key) : undefined}
        {...form.field("role")}
      />
      {projects !== undefined && projects.length > 0 && (
        <fieldset className="min-w-0">
          <legend className="font-medium">{t("members.projectRoles")}</legend>
          <p className="text-xs text-muted">{t("invitations.projectRolesText")}</p>
          <ul className="mt-2 max-h-44 divide-y divide-line overflow-y-auto rounded-md border border-line px-3">
            {projects.map((project) => (
              <li key={project.id} className="flex items-center gap-4 py-1.5">
                <span className="min-w-0 flex-1 truncate">{project.name}</span>
                <Select
                  bare
                  label={t("members.roleIn", { name: project.name })}
                  className="w-44"
                  value={exceptions[project.id] ?? ""}
                  onChange={(chosen) => form.set({ project_roles: { ...exceptions, [project.id]: chosen } })}
                  options={[{ value: "", label: t("members.inherited", { role: roleName(role) }) }, ...roleChoices(PROJECT_ROLES)]}
                />
              </li>
            ))}
          </ul>
        </fieldset>
      )}
      {!mail && <p className="rounded-md bg-warning-soft px-3 py-2 text-warning">{t("mail.none")}</p>}
    </FormDialog>
  );
}
