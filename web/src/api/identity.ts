/** Accounts, organisations, projects and administration: the names that the app gives to the types of the API, and the calls. */
import { data, get, openly, page, patch, post, put, remove, send } from "./call";
import type { Me, Session } from "./contract";
import { errorFromResponse } from "./error";
import type { components, operations } from "./schema";

type Schemas = components["schemas"];

export type { Me };
/** Roles are names: an organisation may have others than the built-in ones. */
export type Role = string;
export type LifeStatus = Schemas["TenantStatus"];
export type AuthOptions = Schemas["AuthOptions"];
export type SessionView = Schemas["SessionView"];
export type OrganizationView = Schemas["OrganizationView"];
export type MemberView = Schemas["MemberView"];
export type InvitationStatus = Schemas["InvitationStatus"];
export type InvitationView = Schemas["InvitationView"];
export type InvitationPreview = Schemas["ValidInvitation"];
export type InvitationBody = Schemas["NewInvitation"];
export type SignUpResult = Schemas["SignUpResult"];
export type MyInvitation = Schemas["MyInvitation"];
export type RoleView = Schemas["RoleView"];
export type PermissionView = Schemas["PermissionView"];
export type ProjectView = Schemas["ProjectView"];
export type ProjectMember = Schemas["ProjectMemberView"];
export type KeyScope = Schemas["KeyScope"];
export type ApiKeyView = Schemas["ApiKeyView"];
export type NewApiKey = Schemas["MadeApiKey"];
export type SettingValue = Schemas["SettingValue"];
export type SettingView = Schemas["SettingView"];
export type SettingChange = Schemas["SettingChange"];
export type AuditView = Schemas["AuditLine"];
export type AdminUser = Schemas["Account"];
export type AdminOrganization = Schemas["Tenant"];
export type JobView = Schemas["JobView"];
export type JobDetail = Schemas["JobDetail"];
export type JobSummary = Schemas["JobSummary"];
export type ScheduleView = Schemas["ScheduleView"];
export type MailView = Schemas["MailView"];
export type MailDetail = Schemas["MailDetail"];

type QueryOf<Operation extends keyof operations> = NonNullable<operations[Operation]["parameters"]["query"]>;
type Paging = "limit" | "cursor";
export type AuditQuery = Omit<QueryOf<"listAuditLogs">, Paging>;
export type JobsQuery = Omit<QueryOf<"listJobs">, Paging>;
export type AdminUsersQuery = Omit<QueryOf<"listUsers">, Paging>;
export type AdminOrganizationsQuery = Omit<QueryOf<"listAllOrganizations">, Paging>;
export type MailQuery = Omit<QueryOf<"listMail">, Paging>;


export const auth = {
  options: (signal?: AbortSignal) => data<AuthOptions>("GET", "/auth/options", { signal, open: true }),
  completeLogin: (body: Schemas["CompleteLogin"]) =>
    openly<Session>("/auth/second-factor", body),
  signUp: (body: Schemas["NewSignUp"]) => openly<SignUpResult>("/auth/signup", body),
  verifyEmail: (token: string) => openly("/auth/verify-email", { token }),
  resendVerification: (email: string) => openly("/auth/resend-verification", { email }),
  forgotPassword: (email: string) => openly("/auth/forgot-password", { email }),
  resetPassword: (body: Schemas["ResetPassword"]) => openly("/auth/reset-password", body),
  logoutAll: () => post<Schemas["EndedSessions"]>("/auth/logout-all"),
  sessions: (signal?: AbortSignal) => get<SessionView[]>("/auth/sessions", signal),
  revokeSession: (id: string) => post(`/auth/sessions/${id}/revoke`),
  revokeOtherSessions: () => post<Schemas["EndedSessions"]>("/auth/sessions/revoke-all"),
  secondFactor: (signal?: AbortSignal) => get<Schemas["SecondFactorView"]>("/auth/second-factor", signal),
  setUpSecondFactor: (password: string) =>
    post<Schemas["SecondFactorSetup"]>("/auth/second-factor/setup", { password }),
  enableSecondFactor: (code: string) => post<Schemas["RecoveryCodes"]>("/auth/second-factor/enable", { code }),
  disableSecondFactor: (body: Schemas["DisableSecondFactor"]) =>
    post("/auth/second-factor/disable", body),
  replaceRecoveryCodes: (body: Schemas["ReplaceRecoveryCodes"]) =>
    post<Schemas["RecoveryCodes"]>("/auth/second-factor/recovery-codes", body),
};

export const users = {
  updateMe: (body: Schemas["UpdateMe"]) => patch<Me>("/users/me", body),
  setDefaultOrganization: (id: string) => put("/users/me/default-organization", { organization_id: id }),
  changePassword: (body: Schemas["ChangePassword"]) => post("/users/me/password", body),
};

const org = (id: string) => `/organizations/${id}`;

export const organizations = {
  list: (status?: LifeStatus, signal?: AbortSignal) => get<OrganizationView[]>("/organizations", signal, { status }),
  create: (name: string) => post<OrganizationView>("/organizations", { name }),
  get: (id: string, signal?: AbortSignal) => get<OrganizationView>(org(id), signal),
  rename: (id: string, name: string) => patch<OrganizationView>(org(id), { name }),
  delete: (id: string) => remove(org(id)),
  restore: (id: string) => post(`${org(id)}/restore`),
  archive: (id: string) => post(`${org(id)}/archive`),
  unarchive: (id: string) => post(`${org(id)}/unarchive`),
  transfer: (id: string, userId: string) => post(`${org(id)}/transfer`, { user_id: userId }),
  leave: (id: string) => post(`${org(id)}/leave`),
  members: (id: string, signal?: AbortSignal) => get<MemberView[]>(`${org(id)}/members`, signal),
  updateMember: (id: string, userId: string, role: Role) => patch(`${org(id)}/members/${userId}`, { role }),
  removeMember: (id: string, userId: string) => remove(`${org(id)}/members/${userId}`),
  suspendMember: (id: string, userId: string) => post(`${org(id)}/members/${userId}/suspend`),
  reinstateMember: (id: string, userId: string) => post(`${org(id)}/members/${userId}/reinstate`),
  roles: (id: string, signal?: AbortSignal) => get<RoleView[]>(`${org(id)}/roles`, signal),
  permissions: (id: string, signal?: AbortSignal) => get<PermissionView[]>(`${org(id)}/permissions`, signal),
  auditLogs: (id: string, query: AuditQuery, cursor?: string, signal?: AbortSignal) =>
    page<AuditView>(`${org(id)}/audit-logs`, { ...query, cursor }, signal),
};

export const invitations = {
  list: (id: string, status?: InvitationStatus, signal?: AbortSignal) =>
    get<InvitationView[]>(`${org(id)}/invitations`, signal, { status }),
  create: (id: string, body: InvitationBody) => post<InvitationView>(`${org(id)}/invitations`, body),
  resend: (id: string, invitationId: string) => post(`${org(id)}/invitations/${invitationId}/resend`),
  revoke: (id: string, invitationId: string) => remove(`${org(id)}/invitations/${invitationId}`),
  validate: (token: string, signal?: AbortSignal) =>
    data<InvitationPreview>("POST", "/invitations/validate", { body: { token }, open: true, signal }),
  mine: (signal?: AbortSignal) => get<MyInvitation[]>("/invitations", signal),
  accept: (by: Schemas["Acceptance"]) => post<Schemas["Joined"]>("/invitations/accept", by),
  declineMine: (id: string) => post(`/invitations/${id}/decline`),
  decline: (token: string) => openly("/invitations/decline", { token }),
};

const proj = (id: string) => `/projects/${id}`;

export const projects = {
  list: (organizationId: string, status?: LifeStatus, signal?: AbortSignal) =>
    get<ProjectView[]>("/projects", signal, { organization_id: organizationId, status }),
  create: (organizationId: string, body: Schemas["NewProject"]) =>
    post<ProjectView>(`/projects?organization_id=${organizationId}`, body),
  get: (id: string, signal?: AbortSignal) => get<ProjectView>(proj(id), signal),
  update: (id: string, body: Schemas["ProjectUpdate"]) => patch<ProjectView>(proj(id), body),
  delete: (id: string) => remove(proj(id)),
  archive: (id: string) => post(`${proj(id)}/archive`),
  unarchive: (id: string) => post(`${proj(id)}/unarchive`),
  restore: (id: string) => post(`${proj(id)}/restore`),
  members: (id: string, signal?: AbortSignal) => get<ProjectMember[]>(`${proj(id)}/members`, signal),
  setRole: (id: string, userId: string, role: Role) => put(`${proj(id)}/members/${userId}`, { role }),
  clearRole: (id: string, userId: string) => remove(`${proj(id)}/members/${userId}`),
};

const keys = (projectId: string) => `${proj(projectId)}/api-keys`;

export const apiKeys = {
  list: (projectId: string, signal?: AbortSignal) => get<ApiKeyView[]>(keys(projectId), signal),
  create: (projectId: string, body: Schemas["NewApiKey"]) => post<NewApiKey>(keys(projectId), body),
  rename: (projectId: string, id: string, name: string) => patch(`${keys(projectId)}/${id}`, { name }),
  rotate: (projectId: string, id: string, hours: number) =>
    post<NewApiKey>(`${keys(projectId)}/${id}/rotate`, { overlap_hours: hours }),
  revoke: (projectId: string, id: string) => remove(`${keys(projectId)}/${id}`),
};

/** Where a setting is set. */
export type SettingsScope = { kind: "installation" } | { kind: "organization" | "project"; id: string };

export function settingsPath(scope: SettingsScope): string {
  if (scope.kind === "installation") return "/admin/settings";
  return `${scope.kind === "organization" ? org(scope.id) : proj(scope.id)}/settings`;
}

export const settings = {
  list: (scope: SettingsScope, signal?: AbortSignal) => get<SettingView[]>(settingsPath(scope), signal),
  set: (scope: SettingsScope, key: string, body: Schemas["SetSetting"]) =>
    put(`${settingsPath(scope)}/${key}`, body),
  reset: (scope: SettingsScope, key: string) => remove(`${settingsPath(scope)}/${key}`),
  history: (scope: SettingsScope, key: string, signal?: AbortSignal) =>
    get<SettingChange[]>(`${settingsPath(scope)}/${key}/history`, signal),
};

export const admin = {
  users: (query: AdminUsersQuery, cursor?: string, signal?: AbortSignal) =>
    page<AdminUser>("/admin/users", { ...query, cursor }, signal),
  createUser: (body: Schemas["CreateUser"]) => post<Schemas["CreatedUser"]>("/admin/users", body),
  updateUser: (id: string, body: Schemas["UpdateUser"]) => patch<AdminUser>(`/admin/users/${id}`, body),
  userAction: (id: string, action: "revoke-sessions" | "unlock" | "reset-second-factor" | "send-password-reset") =>
    post(`/admin/users/${id}/${action}`),
  organizations: (query: AdminOrganizationsQuery, cursor?: string, signal?: AbortSignal) =>
    page<AdminOrganization>("/admin/organizations", { ...query, cursor }, signal),
  restoreOrganization: (id: string) => post(`/admin/organizations/${id}/restore`),
  auditLogs: (query: AuditQuery, cursor?: string, signal?: AbortSignal) =>
    page<AuditView>("/admin/audit-logs", { ...query, cursor }, signal),
  jobs: (query: JobsQuery, cursor?: string, signal?: AbortSignal) =>
    page<JobView>("/admin/jobs", { ...query, cursor }, signal),
  jobSummary: (signal?: AbortSignal) => get<JobSummary>("/admin/jobs/summary", signal),
  job: (id: string, signal?: AbortSignal) => get<JobDetail>(`/admin/jobs/${id}`, signal),
  retryJob: (id: string) => post(`/admin/jobs/${id}/retry`),
  cancelJob: (id: string) => post(`/admin/jobs/${id}/cancel`),
  schedules: (signal?: AbortSignal) => get<ScheduleView[]>("/admin/schedules", signal),
  runSchedule: (name: string) => post(`/admin/schedules/${encodeURIComponent(name)}/run`),
  outbox: (query: MailQuery, cursor?: string, signal?: AbortSignal) =>
    page<MailView>("/admin/outbox", { ...query, cursor }, signal),
  mail: (id: string, signal?: AbortSignal) => get<MailDetail>(`/admin/outbox/${id}`, signal),
  retryMail: (id: string) => post(`/admin/outbox/${id}/retry`),
};

/** Fetches the audit log as a file, as whoever is logged in: a plain link would not carry the token. */
export async function exportAuditLogs(organizationId: string, format: "csv" | "json", query: AuditQuery): Promise<Blob> {
  const response = await send("GET", `${org(organizationId)}/audit-logs/export`, { query: { ...query, format } });
  if (!response.ok) throw errorFromResponse(response, await response.json().catch(() => null));
  return response.blob();
}
