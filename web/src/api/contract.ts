/** The names that the app uses for what the API sends; the types themselves are generated from the OpenAPI document. */
import type { components, paths } from "./schema";

export type { paths };

type Schemas = components["schemas"];
export type Meta = Schemas["Meta"];
export type ErrorEnvelope = Schemas["ErrorEnvelope"];
export type Session = Schemas["Session"];
export type SessionUser = Session["user"];
export type Me = Schemas["Me"];
export type Organization = Schemas["OrganizationMembership"];
export type Project = Schemas["ProjectMembership"];
export type Status = Schemas["Status"];
export type TraceSummary = Schemas["TraceSummary"];
export type SpanSummary = Schemas["SpanSummary"];
export type SpanDetail = Schemas["SpanDetail"];
export type SpanEvent = Schemas["SpanEvent"];
export type SpanLink = Schemas["SpanLink"];
