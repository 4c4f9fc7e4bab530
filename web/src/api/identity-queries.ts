/** Queries of accounts, organisations, projects and administration. A key begins with what a change of it makes stale. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import type { Paged } from "./call";
import {
  admin,
  apiKeys,
  auth,
  invitations,
  organizations,
  projects,
  settings,
  settingsPath,
  type AdminOrganizationsQuery,
  type AdminUsersQuery,
  type AuditQuery,
  type JobsQuery,
  type LifeStatus,
  type MailQuery,
  type SettingsScope,
} from "./identity";

export function paged<Item>(key: readonly unknown[], fetchPage: (cursor?: string, signal?: AbortSignal) => Promise<Paged<Item>>) {
  return infiniteQueryOptions({
    queryKey: key,
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) => fetchPage(pageParam, signal),
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    placeholderData: (previous) => previous,
  });
}

export const authOptionsQuery = () =>
  queryOptions({ queryKey: ["auth-options"], queryFn: ({ signal }) => auth.options(signal), staleTime: 5 * 60_000 });

export const sessionsQuery = () =>
  queryOptions({ queryKey: ["sessions"], queryFn: ({ signal }) => auth.sessions(signal) });

export const secondFactorQuery = () =>
  queryOptions({ queryKey: ["second-factor"], queryFn: ({ signal }) => auth.secondFactor(signal) });

export const myInvitationsQuery = () =>
  queryOptions({ queryKey: ["my-invitations"], queryFn: ({ signal }) => invitations.mine(signal) });

export const invitationPreviewQuery = (token: string) =>
  queryOptions({
    queryKey: ["invitation", token],
    queryFn: ({ signal }) => invitations.validate(token, signal),
    staleTime: Infinity,
  });

export const myOrganizationsQuery = (status?: LifeStatus) =>
  queryOptions({
    queryKey: ["organizations", status ?? "all"],
    queryFn: ({ signal }) => organizations.list(status, signal),
  });

export const organizationQuery = (id: string) =>
  queryOptions({ queryKey: ["organization", id], queryFn: ({ signal }) => organizations.get(id, signal) });

export const membersQuery = (id: string) =>
  queryOptions({
    queryKey: ["organization", id, "members"],
    queryFn: ({ signal }) => organizations.members(id, signal),
  });

export const rolesQuery = (id: string) =>
  queryOptions({
    queryKey: ["organization", id, "roles"],
    queryFn: ({ signal }) => organizations.roles(id, signal),
    staleTime: 10 * 60_000,
  });

export const permissionsQuery = (id: string) =>
  queryOptions({
    queryKey: ["organization", id, "permissions"],
    queryFn: ({ signal }) => organizations.permissions(id, signal),
    staleTime: 10 * 60_000,
  });

export const invitationsQuery = (id: string) =>
  queryOptions({
    queryKey: ["organization", id, "invitations"],
    queryFn: ({ signal }) => invitations.list(id, undefined, signal),
  });

export const projectsQuery = (organizationId: string, status?: LifeStatus) =>
  queryOptions({
    queryKey: ["organization", organizationId, "projects", status ?? "all"],
    queryFn: ({ signal }) => projects.list(organizationId, status, signal),
  });

export const projectQuery = (id: string) =>
  queryOptions({ queryKey: ["project", id], queryFn: ({ signal }) => projects.get(id, signal) });

export const projectMembersQuery = (id: string) =>
  queryOptions({ queryKey: ["project", id, "members"], queryFn: ({ signal }) => projects.members(id, signal) });

export const apiKeysQuery = (projectId: string) =>
  queryOptions({ queryKey: ["project", projectId, "api-keys"], queryFn: ({ signal }) => apiKeys.list(projectId, signal) });

export const settingsQuery = (scope: SettingsScope) =>
  queryOptions({
    queryKey: ["settings", settingsPath(scope)],
    queryFn: ({ signal }) => settings.list(scope, signal),
  });

export const settingHistoryQuery = (scope: SettingsScope, key: string) =>
  queryOptions({
    queryKey: ["settings", settingsPath(scope), "history", key],
    queryFn: ({ signal }) => settings.history(scope, key, signal),
  });

/** The audit log of an organisation, or of the installation where there is none. */
export const auditQuery = (organizationId: string | null, query: AuditQuery) =>
  paged(["audit", organizationId, query], (cursor, signal) =>
    organizationId === null
      ? admin.auditLogs(query, cursor, signal)
      : organizations.auditLogs(organizationId, query, cursor, signal),
  );

export const adminUsersQuery = (query: AdminUsersQuery) =>
  paged(["admin", "users", query], (cursor, signal) => admin.users(query, cursor, signal));

export const adminOrganizationsQuery = (query: AdminOrganizationsQuery) =>
  paged(["admin", "organizations", query], (cursor, signal) => admin.organizations(query, cursor, signal));

export const jobsQuery = (query: JobsQuery) =>
  paged(["admin", "jobs", "list", query], (cursor, signal) => admin.jobs(query, cursor, signal));

export const jobSummaryQuery = () =>
  queryOptions({ queryKey: ["admin", "jobs", "summary"], queryFn: ({ signal }) => admin.jobSummary(signal) });

export const jobQuery = (id: string) =>
  queryOptions({ queryKey: ["admin", "jobs", "one", id], queryFn: ({ signal }) => admin.job(id, signal) });

export const schedulesQuery = () =>
  queryOptions({ queryKey: ["admin", "schedules"], queryFn: ({ signal }) => admin.schedules(signal) });

export const outboxQuery = (query: MailQuery) =>
  paged(["admin", "outbox", "list", query], (cursor, signal) => admin.outbox(query, cursor, signal));

export const mailQuery = (id: string) =>
  queryOptions({ queryKey: ["admin", "outbox", "one", id], queryFn: ({ signal }) => admin.mail(id, signal) });
