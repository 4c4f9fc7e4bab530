import type { Me, Organization, Project } from "@/api/contract";

/** A project by its id, with the organisation that it is in. */
export function findProject(me: Me, projectId: string): { organization: Organization; project: Project } | null {
  for (const organization of me.organizations) {
    const project = organization.projects.find((candidate) => candidate.id === projectId);
    if (project !== undefined) return { organization, project };
  }
  return null;
}

/** The project to open first: the last one used, else the first of the default organisation, else any. */
export function firstProject(me: Me, lastUsed: string): Project | null {
  const last = findProject(me, lastUsed);
  if (last !== null) return last.project;
  const preferred = me.organizations.find((organization) => organization.id === me.default_organization_id);
  const ordered = preferred === undefined ? me.organizations : [preferred, ...me.organizations];
  return ordered.find((organization) => organization.projects.length > 0)?.projects[0] ?? null;
}
