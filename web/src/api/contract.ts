/**
 * The one place that says where the API types come from, and the names the rest of the app uses for them.
 * Change the import below to "./schema" once `npm run generate` has written src/api/schema.d.ts.
 */
import type { components, paths } from "./types";

export type { paths };

type Schemas = components["schemas"];
export type Meta = Schemas["Meta"];
export type ErrorEnvelope = Schemas["ErrorEnvelope"];
export type Session = Schemas["Session"];
export type SessionUser = Schemas["SessionUser"];
export type Me = Schemas["Me"];
export type Organization = Schemas["OrganizationMembership"];
export type Project = Schemas["ProjectMembership"];
export type Status = Schemas["Status"];
export type TraceSummary = Schemas["TraceSummary"];
export type SpanSummary = Schemas["SpanSummary"];
export type SpanDetail = Schemas["SpanDetail"];
export type SpanEvent = Schemas["SpanEvent"];
export type SpanLink = Schemas["SpanLink"];
