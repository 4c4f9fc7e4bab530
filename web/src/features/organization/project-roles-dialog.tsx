import { useQuery } from "@tanstack/react-query";
import { projects, type MemberView, type ProjectView } from "@/api/identity";
import { membersQuery, projectsQuery } from "@/api/identity-queries";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Select } from "@/components/ui/field";
import { SkeletonLines } from "@/components/ui/page";
import { ErrorNotice } from "@/components/error-notice";
import { t } from "@/i18n";
import { PROJECT_ROLES } from "@/lib/permissions";
import { personName, roleChoices, roleName } from "@/lib/roles";
import { useAction } from "@/lib/use-action";

interface ProjectRolesDialogProps {
  organizationId: string;
  member: MemberView | null;
  denied: string | false;
  onClose: () => void;
}

/** The role of somebody in each project: as in the organisation, or another. */
export function ProjectRolesDialog({ organizationId, member, denied, onClose }: ProjectRolesDialogProps) {
  const list = useQuery({ ...projectsQuery(organizationId), enabled: member !== null });
  const change = useAction(
    ({ project, role }: { project: ProjectView; role: string }) =>
      role === ""
        ? projects.clearRole(project.id, member?.user_id ?? "")
        : projects.setRole(project.id, member?.user_id ?? "", role),
    { stale: [membersQuery(organizationId).queryKey, ["project"], ["me"]] },
  );
  if (member === null) return null;
  return (
    <Dialog open onClose={onClose} title={t("members.projectRolesOf", { name: personName(member) })}>
      <p className="mb-3 text-muted">{denied === false ? t("members.projectRolesText") : denied}</p>
      {list.isPending ? (
        <SkeletonLines />
      ) : list.isError ? (
        <ErrorNotice error={list.error} onRetry={() => void list.refetch()} />
      ) : list.data.length === 0 ? (
        <p className="text-muted">{t("projects.none")}</p>
      ) : (
        <ul className="flex flex-col divide-y divide-line">
          {list.data.map((project) => (
            <li key={project.id} className="flex items-center gap-4 py-2">
              <span className="min-w-0 flex-1 truncate font-medium">{project.name}</span>
              <Select
                bare
                label={t("members.roleIn", { name: project.name })}
                className="w-52"
                disabled={denied !== false || change.isPending}
                value={member.project_roles.find((entry) => entry.project_id === project.id)?.role ?? ""}
                onChange={(role) => change.mutate({ project, role })}
                options={[
                  { value: "", label: t("members.inherited", { role: roleName(member.role) }) },
                  ...roleChoices(PROJECT_ROLES),
                ]}
              />
            </li>
          ))}
        </ul>
      )}
      <div className="mt-4 flex justify-end">
        <Button variant="primary" onClick={onClose}>
          {t("action.done")}
        </Button>
      </div>
    </Dialog>
  );
}
