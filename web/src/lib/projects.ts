import type { Me, Organization, Project } from "@/api/contract";

/** A project by its id, with the organisation that it is in. */
export function findProject(me: Me, projectId: string): { organization: Organization; project: Project } | null {
  for (const organization of me.organizations) {
    const project = organization.projects.find((candidate) => candidate.id === projectId);
    if (project !== undefined) return { organization, project };
  }
  return null;
}

/** The first project of an organisation that is in use, else the first. */
function firstOf(organization: Organization): Project | undefined {
  return organization.projects.find((project) => project.status === "active") ?? organization.projects[0];
}

/** The project to open first: the last one used, else the first of the default organisation, else any. */
export function firstProject(me: Me, lastUsed: string): Project | null {
  const last = findProject(me, lastUsed);
  if (last !== null) return last.project;
  const preferred = me.organizations.find((organization) => organization.id === me.default_organization_id);
  const ordered = preferred === undefined ? me.organizations : [preferred, ...me.organizations];
  const found = ordered.find((organization) => organization.projects.length > 0);
  return found === undefined ? null : (firstOf(found) ?? null);
}

export interface Place {
  organization: Organization | null;
  project: Project | null;
}

/**
 * Where somebody is or was: the project of the address, the organisation of the address, else what was used last. An organisation
 * without projects is a place too, so that a new one shows its first step.
 */
export function currentPlace(
  me: Me,
  address: { projectId?: string; organizationId?: string },
  last: { project: string; organization: string },
): Place {
  const named = address.projectId === undefined ? null : findProject(me, address.projectId);
  if (named !== null) return named;
  const organization = me.organizations.find(({ id }) => id === (address.organizationId ?? last.organization));
  const recent = findProject(me, last.project);
  if (organization !== undefined && recent?.organization.id !== organization.id) {
    return { organization, project: firstOf(organization) ?? null };
  }
  if (recent !== null) return recent;
  const project = firstProject(me, "");
  if (project !== null) return findProject(me, project.id) ?? { organization: null, project: null };
  const preferred = me.organizations.find(({ id }) => id === me.default_organization_id) ?? me.organizations[0];
  return { organization: preferred ?? null, project: null };
}

export interface Group {
  organization: Organization;
  projects: Project[];
}

/** Organisations and projects whose name, or whose organisation's name, contains every word. */
export function searchPlaces(organizations: readonly Organization[], query: string): Group[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const groups = organizations.map((organization) => ({
    organization,
    projects: organization.projects.filter((project) => {
      const text = `${organization.name} ${project.name}`.toLowerCase();
      return words.every((word) => text.includes(word));
    }),
  }));
  if (words.length === 0) return groups;
  return groups.filter(
    ({ organization, projects }) =>
      projects.length > 0 || words.every((word) => organization.name.toLowerCase().includes(word)),
  );
}
