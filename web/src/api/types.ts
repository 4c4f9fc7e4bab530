/**
 * The HTTP contract, written by hand in the shape that openapi-typescript emits, until the server publishes
 * its own document. `contract.ts` is the only file that imports this one.
 */

type Json = unknown;

export interface components {
  schemas: {
    Pagination: { limit: number; next_cursor: string | null; has_next: boolean };
    Meta: { request_id: string; timestamp: string; version: string; pagination?: components["schemas"]["Pagination"] };
    ErrorBody: { code: string; message: string; details?: Json };
    ErrorEnvelope: {
      success: false;
      data: null;
      error: components["schemas"]["ErrorBody"];
      meta: components["schemas"]["Meta"];
    };

    SessionUser: { id: string; email: string; first_name: string; last_name: string };
    Session: {
      access_token: string;
      token_type: string;
      /** Seconds. */
      expires_in: number;
      user: components["schemas"]["SessionUser"];
    };
    LoginRequest: { email: string; password: string };
    ProjectMembership: {
      id: string;
      name: string;
      slug: string;
      composite_slug: string;
      role: string;
      status: string;
      created_at: string;
    };
    OrganizationMembership: {
      id: string;
      name: string;
      slug: string;
      composite_slug: string;
      role: string;
      created_at: string;
      projects: components["schemas"]["ProjectMembership"][];
    };
    Me: {
      id: string;
      email: string;
      first_name: string;
      last_name: string;
      is_admin: boolean;
      default_organization_id: string | null;
      created_at: string;
      organizations: components["schemas"]["OrganizationMembership"][];
    };

    Status: "ok" | "error" | "unset";
    TraceSummary: {
      trace_id: string;
      project_id: string;
      root_span_id: string | null;
      has_root: boolean;
      name: string;
      /** RFC 3339. */
      start_time: string;
      end_time: string | null;
      /** Nanoseconds; null while the trace runs. */
      duration: number | null;
      status: components["schemas"]["Status"];
      status_code: number;
      has_error: boolean;
      span_count: number;
      error_span_count: number;
      input_tokens: number;
      output_tokens: number;
      total_tokens: number;
      usage_details: { [key: string]: number };
      /** US dollars as a decimal string; null when a price is unknown. */
      total_cost: string | null;
      model_name: string | null;
      models: string[];
      providers: string[];
      service_name: string | null;
      user_id: string | null;
      session_id: string | null;
      tags: string[];
      environment: string;
      release: string | null;
      input_preview: string | null;
      output_preview: string | null;
      ingested_at: string;
    };
    SpanSummary: {
      span_id: string;
      trace_id: string;
      parent_span_id: string | null;
      is_root: boolean;
      name: string;
      type: string;
      kind: string | null;
      level: string | null;
      status: components["schemas"]["Status"];
      status_code: number;
      status_message: string | null;
      start_time: string;
      end_time: string | null;
      /** Nanoseconds; null while the span runs. */
      duration: number | null;
      completion_start_time: string | null;
      model: string | null;
      provider: string | null;
      service_name: string | null;
      environment: string;
      user_id: string | null;
      session_id: string | null;
      input_tokens: number;
      output_tokens: number;
      total_tokens: number;
      usage_details: { [key: string]: number };
      total_cost: string | null;
      /** Bytes. */
      input_length: number;
      output_length: number;
      input_preview: string | null;
      output_preview: string | null;
      flags: string[];
    };
    SpanEvent: { name: string; timestamp: string; attributes: { [key: string]: Json } };
    SpanLink: { trace_id: string; span_id: string; trace_state: string; attributes: { [key: string]: Json } };
    Scope: { name: string; version: string; attributes: { [key: string]: Json }; schema_url: string };
    SpanDetail: components["schemas"]["SpanSummary"] & {
      /** JSON text or plain text, exactly as it was sent. */
      input: string | null;
      output: string | null;
      model_parameters: { [key: string]: Json } | null;
      prompt: { id: string | null; name: string | null; version: string | number | null } | null;
      cost_details: { [key: string]: string };
      cost_source: string | null;
      price_id: string | null;
      tags: string[];
      release: string | null;
      version: string | null;
      attributes: { [key: string]: Json };
      resource_attributes: { [key: string]: Json };
      scope: components["schemas"]["Scope"] | null;
      resource_schema_url: string | null;
      trace_state: string | null;
      trace_flags: number;
      events: components["schemas"]["SpanEvent"][];
      links: components["schemas"]["SpanLink"][];
      dropped: { attributes: number; events: number; links: number };
      mapping: { [field: string]: string };
      ingested_at: string;
      client_total_tokens: number | null;
    };
  };
}

interface Ok<Data> {
  headers: { [name: string]: unknown };
  content: { "application/json": { success: true; data: Data; meta: components["schemas"]["Meta"] } };
}
interface Problem {
  headers: { [name: string]: unknown };
  content: { "application/json": components["schemas"]["ErrorEnvelope"] };
}
interface Operation<Parameters, Data> {
  parameters: Parameters;
  requestBody?: never;
  responses: { 200: Ok<Data>; default: Problem };
}
interface OperationWithBody<Parameters, Data, Body> {
  parameters: Parameters;
  requestBody: { content: { "application/json": Body } };
  responses: { 200: Ok<Data>; default: Problem };
}
interface NoParameters {
  query?: never;
  header?: never;
  path?: never;
  cookie?: never;
}

export interface paths {
  "/api/v1/auth/login": {
    post: OperationWithBody<NoParameters, components["schemas"]["Session"], components["schemas"]["LoginRequest"]>;
  };
  "/api/v1/auth/refresh": { post: Operation<NoParameters, components["schemas"]["Session"]> };
  "/api/v1/auth/logout": { post: Operation<NoParameters, object> };
  "/api/v1/users/me": { get: Operation<NoParameters, components["schemas"]["Me"]> };
  "/api/v1/traces": {
    get: Operation<
      {
        query: {
          project_id: string;
          start_time?: string;
          end_time?: string;
          name?: string;
          status?: components["schemas"]["Status"];
          environment?: string;
          limit?: number;
          cursor?: string;
        };
      },
      components["schemas"]["TraceSummary"][]
    >;
  };
  "/api/v1/traces/{trace_id}": {
    get: Operation<
      { path: { trace_id: string }; query: { project_id: string } },
      components["schemas"]["TraceSummary"]
    >;
  };
  "/api/v1/traces/{trace_id}/spans": {
    get: Operation<
      { path: { trace_id: string }; query: { project_id: string; include?: string; limit?: number; cursor?: string } },
      components["schemas"]["SpanSummary"][]
    >;
  };
  "/api/v1/spans/{span_id}": {
    get: Operation<
      { path: { span_id: string }; query: { project_id: string; trace_id: string } },
      components["schemas"]["SpanDetail"]
    >;
  };
}
