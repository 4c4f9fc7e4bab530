/**
 * Accounts, organisations, projects and administration: the types and the calls. What the rest of the app uses of them is here,
 * so that a change of the API is a change of this file.
 */
import { address, type Query } from "./address";
import { authorized } from "./client";
import type { Me as BaseMe, Meta, Session } from "./contract";
import { errorFromResponse, toApiError } from "./error";

export type Role = string;
export type SignUpMode = "closed" | "invitation" | "domain" | "open";
export type LifeStatus = "active" | "archived" | "deleted";

export type Me = BaseMe;
export interface AuthOptions {
  sign_up: SignUpMode;
  mail: boolean;
  password: { min_length: number; max_length: number };
}
export interface SignUpBody {
  email: string;
  password: string;
  first_name: string;
  last_name: string;
  organization_name?: string;
  invitation_token?: string;
}
export interface SignUpAnswer {
  status: "signed_in" | "verification_sent";
  session: Session | null;
}
export interface SessionView {
  id: string;
  current: boolean;
  ip_address: string | null;
  user_agent: string | null;
  created_at: string;
  last_seen_at: string | null;
  expires_at: string;
}
export interface SecondFactor {
  enabled: boolean;
  enabled_at: string | null;
  recovery_codes_left: number;
}
export interface OrganizationView {
  id: string;
  name: string;
  slug: string;
  composite_slug: string;
  status: LifeStatus;
  role: Role;
  member_count: number;
  project_count: number;
  created_at: string;
  archived_at: string | null;
  deleted_at: string | null;
}
export interface MemberView {
  user_id: string;
  email: string;
  first_name: string;
  last_name: string;
  role: Role;
  status: "active" | "suspended";
  joined_at: string;
  last_login_at: string | null;
  second_factor: boolean;
  project_roles: { project_id: string; project_name: string; role: Role }[];
}
export type InvitationStatus = "pending" | "accepted" | "declined" | "revoked" | "expired";
export interface InvitationView {
  id: string;
  email: string;
  role: Role;
  project_roles: { project_id: string; role: Role }[];
  status: InvitationStatus;
  invited_by_email: string | null;
  sent_at: string | null;
  sent_count: number;
  expires_at: string;
  created_at: string;
}
export interface InvitationPreview {
  organization_name: string;
  email: string;
  role: Role;
  invited_by: string | null;
  expires_at: string;
  account_exists: boolean;
}
export interface MyInvitation {
  id: string;
  organization_name: string;
  role: Role;
  invited_by: string | null;
  expires_at: string;
}
export interface RoleView {
  name: Role;
  description: string;
  built_in: boolean;
  scope_type: string;
  permissions: string[];
}
export interface PermissionView {
  name: string;
  description: string;
}
export interface ProjectView {
  id: string;
  organization_id: string;
  name: string;
  slug: string;
  composite_slug: string;
  description: string | null;
  status: LifeStatus;
  role: Role;
  created_at: string;
  archived_at: string | null;
  deleted_at: string | null;
}
export interface ProjectMember {
  user_id: string;
  email: string;
  first_name: string;
  last_name: string;
  organization_role: Role;
  project_role: Role | null;
  effective_role: Role;
}
export type KeyScope = "ingest" | "read" | "gateway" | "full";
export interface ApiKeyView {
  id: string;
  project_id: string;
  name: string;
  key_preview: string;
  scopes: KeyScope[];
  status: string;
  created_at: string;
  expires_at: string | null;
  last_used: string | null;
  created_by_email?: string | null;
  replaces_id?: string | null;
}
export type NewApiKey = ApiKeyView & { key: string };
export interface ApiKeyBody {
  name: string;
  scopes: KeyScope[];
  expiry_option?: "30days" | "90days" | "never";
  expires_at?: string;
}
export type SettingType = "bool" | "integer" | "string" | "string_list" | "choice";
export type SettingValue = boolean | number | string | string[];
export interface SettingView {
  key: string;
  description: string;
  type: SettingType;
  choices: string[] | null;
  value: SettingValue;
  default: SettingValue;
  source: "default" | "installation" | "organization" | "project";
  own_value: SettingValue | null;
  version: number | null;
  updated_at: string | null;
  updated_by_email: string | null;
}
export interface SettingChange {
  value: SettingValue | null;
  version: number;
  changed_at: string;
  changed_by_email: string | null;
}
export interface AuditView {
  id: string;
  organization_id: string | null;
  project_id: string | null;
  actor_type: string;
  actor_id: string | null;
  actor_email: string | null;
  action: string;
  target_type: string | null;
  target_id: string | null;
  target_name: string | null;
  outcome: string;
  ip_address: string | null;
  user_agent: string | null;
  request_id: string | null;
  before: unknown;
  after: unknown;
  created_at: string;
}
export interface AuditQuery {
  action?: string;
  actor_id?: string;
  target_type?: string;
  project_id?: string;
  outcome?: string;
  start_time?: string;
  end_time?: string;
}
export interface AdminUser {
  id: string;
  email: string;
  first_name: string;
  last_name: string;
  status: "active" | "suspended";
  is_admin: boolean;
  email_verified: boolean;
  second_factor: boolean;
  organization_count: number;
  last_login_at: string | null;
  locked_until: string | null;
  created_at: string;
}
export interface NewUserBody {
  email: string;
  first_name?: string;
  last_name?: string;
  is_admin?: boolean;
  password?: string;
}
export interface AdminOrganization {
  id: string;
  name: string;
  status: LifeStatus;
  member_count: number;
  project_count: number;
  owner_emails: string[];
  created_at: string;
  deleted_at: string | null;
}
export type JobStatus = "queued" | "running" | "done" | "dead" | "cancelled";
export interface JobView {
  id: string;
  kind: string;
  key: string | null;
  status: JobStatus;
  priority: number;
  run_at: string;
  attempts: number;
  max_attempts: number;
  progress_done: number | null;
  progress_total: number | null;
  progress_note: string | null;
  last_error: string | null;
  organization_id: string | null;
  created_at: string;
  updated_at: string;
  finished_at: string | null;
}
export type JobDetail = JobView & { payload?: unknown };
export interface JobSummary {
  counts: { kind: string; status: JobStatus; count: number }[];
  oldest_queued_seconds: number | null;
  runners: number;
}
export interface ScheduleView {
  name: string;
  kind: string;
  cron: string;
  next_at: string | null;
  last_at: string | null;
}
export type MailStatus = "queued" | "sent" | "kept" | "failed";
export interface MailView {
  id: string;
  recipient: string;
  template: string;
  subject: string;
  status: MailStatus;
  last_error: string | null;
  created_at: string;
  sent_at: string | null;
}
export type MailDetail = MailView & { text: string; html: string };

/** One page of a list, with the cursor of the next. */
export interface Paged<Item> {
  items: Item[];
  nextCursor: string | null;
}

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
interface Options {
  query?: Query;
  body?: unknown;
  signal?: AbortSignal;
  /** For routes that ask for nobody: no token is sent, and a 401 is about what was sent, not about the session. */
  open?: true;
}

async function send(method: Method, path: string, { query, body, signal, open }: Options): Promise<Response> {
  const request = new Request(new URL(address(path, query), globalThis.location.origin), {
    method,
    signal,
    credentials: "same-origin",
    ...(body !== undefined && { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
  });
  try {
    return open === true ? await fetch(request) : await authorized(request);
  } catch (error) {
    // An aborted request is not a failure: TanStack Query must see the original.
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw toApiError(error);
  }
}

async function call(method: Method, path: string, options: Options = {}): Promise<{ data: unknown; meta: Meta }> {
  const response = await send(method, path, options);
  const parsed: unknown = await response.json().catch(() => null);
  if (!response.ok || parsed === null) throw errorFromResponse(response, parsed);
  return parsed as { data: unknown; meta: Meta };
}

async function data<Data>(method: Method, path: string, options: Options = {}): Promise<Data> {
  return (await call(method, path, options)).data as Data;
}

async function page<Item>(path: string, query: Query, signal?: AbortSignal): Promise<Paged<Item>> {
  const answer = await call("GET", path, { query, signal });
  return { items: answer.data as Item[], nextCursor: answer.meta.pagination?.next_cursor ?? null };
}

const get = <Data>(path: string, signal?: AbortSignal, query?: Query) => data<Data>("GET", path, { signal, query });
const post = <Data = unknown>(path: string, body?: unknown) => data<Data>("POST", path, { body });
const put = <Data = unknown>(path: string, body: unknown) => data<Data>("PUT", path, { body });
const patch = <Data = unknown>(path: string, body: unknown) => data<Data>("PATCH", path, { body });
const remove = <Data = unknown>(path: string) => data<Data>("DELETE", path);
const openly = <Data>(path: string, body: unknown) => data<Data>("POST", path, { body, open: true });

export const auth = {
  options: (signal?: AbortSignal) => data<AuthOptions>("GET", "/auth/options", { signal, open: true }),
  completeLogin: (body: { challenge: string; code?: string; recovery_code?: string }) =>
    openly<Session>("/auth/second-factor", body),
  signUp: (body: SignUpBody) => openly<SignUpAnswer>("/auth/signup", body),
  verifyEmail: (token: string) => openly("/auth/verify-email", { token }),
  resendVerification: (email: string) => openly("/auth/resend-verification", { email }),
  forgotPassword: (email: string) => openly("/auth/forgot-password", { email }),
  resetPassword: (body: { token: string; new_password: string }) => openly("/auth/reset-password", body),
  logoutAll: () => post<{ ended: number }>("/auth/logout-all"),
  sessions: (signal?: AbortSignal) => get<SessionView[]>("/auth/sessions", signal),
  revokeSession: (id: string) => post(`/auth/sessions/${id}/revoke`),
  revokeOtherSessions: () => post<{ ended: number }>("/auth/sessions/revoke-all"),
  secondFactor: (signal?: AbortSignal) => get<SecondFactor>("/auth/second-factor", signal),
  setUpSecondFactor: (password: string) =>
    post<{ secret: string; otpauth_url: string }>("/auth/second-factor/setup", { password }),
  enableSecondFactor: (code: string) => post<{ recovery_codes: string[] }>("/auth/second-factor/enable", { code }),
  disableSecondFactor: (body: { password: string; code?: string; recovery_code?: string }) =>
    post("/auth/second-factor/disable", body),
  replaceRecoveryCodes: (body: { password: string; code: string }) =>
    post<{ recovery_codes: string[] }>("/auth/second-factor/recovery-codes", body),
};

export const users = {
  updateMe: (body: { first_name: string; last_name: string }) => patch<Me>("/users/me", body),
  setDefaultOrganization: (id: string) => put("/users/me/default-organization", { organization_id: id }),
  changePassword: (body: { current_password: string; new_password: string }) => post("/users/me/password", body),
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

export interface InvitationBody {
  email: string;
  role: Role;
  project_roles?: { project_id: string; role: Role }[];
}

export const invitations = {
  list: (id: string, status?: InvitationStatus, signal?: AbortSignal) =>
    get<InvitationView[]>(`${org(id)}/invitations`, signal, { status }),
  create: (id: string, body: InvitationBody) => post<InvitationView>(`${org(id)}/invitations`, body),
  resend: (id: string, invitationId: string) => post(`${org(id)}/invitations/${invitationId}/resend`),
  revoke: (id: string, invitationId: string) => remove(`${org(id)}/invitations/${invitationId}`),
  validate: (token: string, signal?: AbortSignal) =>
    data<InvitationPreview>("POST", "/invitations/validate", { body: { token }, open: true, signal }),
  mine: (signal?: AbortSignal) => get<MyInvitation[]>("/invitations", signal),
  accept: (by: { token: string } | { invitation_id: string }) =>
    post<{ organization_id: string }>("/invitations/accept", by),
  decline: (token: string) => openly("/invitations/decline", { token }),
};

const proj = (id: string) => `/projects/${id}`;

export const projects = {
  list: (organizationId: string, status?: LifeStatus, signal?: AbortSignal) =>
    get<ProjectView[]>("/projects", signal, { organization_id: organizationId, status }),
  create: (organizationId: string, body: { name: string; description?: string }) =>
    post<ProjectView>(`/projects?organization_id=${organizationId}`, body),
  get: (id: string, signal?: AbortSignal) => get<ProjectView>(proj(id), signal),
  update: (id: string, body: { name?: string; description?: string }) => patch<ProjectView>(proj(id), body),
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
  create: (projectId: string, body: ApiKeyBody) => post<NewApiKey>(keys(projectId), body),
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
  set: (scope: SettingsScope, key: string, body: { value: SettingValue; version?: number }) =>
    put(`${settingsPath(scope)}/${key}`, body),
  reset: (scope: SettingsScope, key: string) => remove(`${settingsPath(scope)}/${key}`),
  history: (scope: SettingsScope, key: string, signal?: AbortSignal) =>
    get<SettingChange[]>(`${settingsPath(scope)}/${key}/history`, signal),
};

export interface AdminQuery {
  search?: string;
  status?: string;
}

export const admin = {
  users: (query: AdminQuery, cursor?: string, signal?: AbortSignal) =>
    page<AdminUser>("/admin/users", { ...query, cursor }, signal),
  createUser: (body: NewUserBody) => post<{ user: AdminUser; password_reset_link: string | null }>("/admin/users", body),
  updateUser: (id: string, body: { status?: string; is_admin?: boolean }) => patch<AdminUser>(`/admin/users/${id}`, body),
  userAction: (id: string, action: "revoke-sessions" | "unlock" | "reset-second-factor" | "send-password-reset") =>
    post(`/admin/users/${id}/${action}`),
  organizations: (query: AdminQuery, cursor?: string, signal?: AbortSignal) =>
    page<AdminOrganization>("/admin/organizations", { ...query, cursor }, signal),
  restoreOrganization: (id: string) => post(`/admin/organizations/${id}/restore`),
  auditLogs: (query: AuditQuery, cursor?: string, signal?: AbortSignal) =>
    page<AuditView>("/admin/audit-logs", { ...query, cursor }, signal),
  jobs: (query: { status?: string; kind?: string }, cursor?: string, signal?: AbortSignal) =>
    page<JobView>("/admin/jobs", { ...query, cursor }, signal),
  jobSummary: (signal?: AbortSignal) => get<JobSummary>("/admin/jobs/summary", signal),
  job: (id: string, signal?: AbortSignal) => get<JobDetail>(`/admin/jobs/${id}`, signal),
  retryJob: (id: string) => post(`/admin/jobs/${id}/retry`),
  cancelJob: (id: string) => post(`/admin/jobs/${id}/cancel`),
  schedules: (signal?: AbortSignal) => get<ScheduleView[]>("/admin/schedules", signal),
  runSchedule: (name: string) => post(`/admin/schedules/${encodeURIComponent(name)}/run`),
  outbox: (query: { status?: string }, cursor?: string, signal?: AbortSignal) =>
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
