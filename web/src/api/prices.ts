/**
 * Prices of models, what they make of a span, and pricing stored spans anew. The types are written by hand until the OpenAPI document
 * of a server that has these routes is there; then they are those of schema.d.ts.
 */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { get, page, post, put, remove, send } from "./call";
import type { SpanDetail } from "./contract";
import { errorFromResponse } from "./error";

/** US dollars for a million tokens as decimal text, by kind of usage. */
export type Rates = Readonly<Record<string, string>>;
export interface AboveRates {
  /** They hold when all input together is more than so many tokens. */
  input_tokens: number;
  rates: Rates;
}
export interface TierRates {
  rates: Rates;
  above: AboveRates[];
}
export interface PriceVersion extends TierRates {
  /** The first day, YYYY-MM-DD in UTC; null: since ever. */
  from: string | null;
  batch: TierRates | null;
  flex: TierRates | null;
  priority: TierRates | null;
}
export interface ModelPrice {
  id: string;
  scope: "project" | "organization";
  scope_id: string;
  /** Empty: any. */
  provider: string;
  /** A name, or a pattern with `*`. */
  model: string;
  prices: PriceVersion[];
  created_at: string;
  updated_at: string;
  updated_by: { id: string; email?: string | null } | null;
}
export interface PriceBody {
  provider: string;
  model: string;
  prices: PriceVersion[];
}
export interface CataloguePrice {
  provider: string;
  model: string;
  /** Other names of the same model. */
  also: string[];
  source: string | null;
  prices: (PriceVersion & { id: string; seen: string | null })[];
}
export interface PriceMatch {
  scope: "project" | "organization" | "catalogue";
  provider: string;
  /** Of the entry that was matched. */
  model: string;
  rule: "exact" | "normalised" | "pattern";
  price_id: string;
  version: PriceVersion;
}
export type UnpricedReason = "unknown_model" | "no_rate" | "before_first_price" | "price_known";
export interface UnpricedModel {
  provider: string;
  /** Empty where spans do not name it. */
  model: string;
  span_count: number;
  input_tokens: number;
  output_tokens: number;
  usage: Record<string, number>;
  first_seen: string;
  last_seen: string;
  reason: string;
  missing_rates: string[];
}
export interface CostLine {
  kind: string;
  tokens: number;
  unit_price: string | null;
  /** The kind whose rate it is: `input` for cache reads without a rate of their own. */
  unit_price_kind: string | null;
  cost: string | null;
}
export interface CostExplanation {
  /** `client`, `project`, `organization`, `catalogue` or `none`. */
  source: string;
  /** One sentence for people. */
  reason: string;
  price_id: string | null;
  match: PriceMatch | null;
  service_tier: string | null;
  /** The rates hold for inputs longer than so many tokens; null: the ordinary ones. */
  context_tier: number | null;
  lines: CostLine[];
  total: string | null;
  /** The usage is the sum of what the span's children report. */
  rolled_up: boolean;
  /** Whether today's prices give the stored cost. */
  current: boolean;
  current_total: string | null;
}
export interface RepricedModel {
  provider: string;
  model: string;
  spans: number;
  changed: number;
  cost_before: string;
  cost_after: string;
}
export interface RepricingResult {
  spans: number;
  changed: number;
  newly_priced: number;
  no_longer_priced: number;
  cost_before: string;
  cost_after: string;
  by_model: RepricedModel[];
}
export type RepricingMode = "preview" | "apply";
export interface RepricingBody {
  mode: RepricingMode;
  start_time?: string;
  end_time?: string;
  models?: { provider?: string; model: string }[];
}
export interface Repricing {
  id: string;
  mode: RepricingMode;
  /** `queued`, `running`, `done`, `failed` or `cancelled`. */
  state: string;
  start_time: string | null;
  end_time: string | null;
  models: { provider?: string | null; model: string }[];
  progress: { done: number; total: number | null };
  /** So far, while it runs. */
  result: RepricingResult | null;
  error: string | null;
  created_at: string;
  finished_at: string | null;
  created_by: { id: string; email?: string | null } | null;
}
/** What a rule took from where. */
export interface ExplainedField {
  field: string;
  rule: string;
  family: string;
  /** Null where it was no attribute: the name of the span, a default. */
  attribute: string | null;
}
/** A span of a server that says how it read it. */
export type ExplainedSpan = SpanDetail & { explain?: { fields: ExplainedField[]; unused_attributes: string[] } };

/** Where prices are set. */
export interface PriceScope {
  kind: "project" | "organization";
  id: string;
}
export interface CatalogueQuery {
  search?: string;
  provider?: string;
}

const base = ({ kind, id }: PriceScope) => `/${kind === "project" ? "projects" : "organizations"}/${id}/prices`;
const repricingsOf = (projectId: string) => `/projects/${projectId}/repricings`;

export const prices = {
  list: (scope: PriceScope, signal?: AbortSignal) => get<ModelPrice[]>(base(scope), signal),
  create: (scope: PriceScope, body: PriceBody) => post<ModelPrice>(base(scope), body),
  update: (scope: PriceScope, id: string, body: PriceBody) => put<ModelPrice>(`${base(scope)}/${id}`, body),
  delete: (scope: PriceScope, id: string) => remove(`${base(scope)}/${id}`),
  catalogue: (projectId: string, query: CatalogueQuery, nextPage?: string, signal?: AbortSignal, limit?: number) =>
    page<CataloguePrice>(`/projects/${projectId}/prices/catalogue`, { ...query, page: nextPage, limit }, signal),
  match: (projectId: string, body: { provider?: string; model: string; start_time?: string }) =>
    post<{ match: PriceMatch | null }>(`/projects/${projectId}/prices/match`, body),
  unpriced: (projectId: string, query: { start_time?: string }, signal?: AbortSignal) =>
    get<UnpricedModel[]>(`/projects/${projectId}/unpriced-models`, signal, query),
};

export const repricings = {
  list: (projectId: string, signal?: AbortSignal) => get<Repricing[]>(repricingsOf(projectId), signal),
  get: (projectId: string, id: string, signal?: AbortSignal) => get<Repricing>(`${repricingsOf(projectId)}/${id}`, signal),
  create: (projectId: string, body: RepricingBody) => post<Repricing>(repricingsOf(projectId), body),
  cancel: (projectId: string, id: string) => post<Repricing>(`${repricingsOf(projectId)}/${id}/cancel`),
};

/** A change of an own price makes all of these stale, also those of projects that inherit it. */
export const PRICES_KEY = ["prices"];

export const pricesQuery = (scope: PriceScope) =>
  queryOptions({ queryKey: [...PRICES_KEY, scope.kind, scope.id], queryFn: ({ signal }) => prices.list(scope, signal) });

export const catalogueQuery = (projectId: string, query: CatalogueQuery) =>
  infiniteQueryOptions({
    queryKey: ["catalogue", projectId, query],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) => prices.catalogue(projectId, query, pageParam, signal),
    getNextPageParam: (list) => list.nextCursor ?? undefined,
    placeholderData: (previous) => previous,
    staleTime: 10 * 60_000,
  });

/** Entries of the catalogue whose names are like that of a model without a price. */
export const similarQuery = (projectId: string, search: string) =>
  queryOptions({
    queryKey: ["catalogue", projectId, "similar", search],
    queryFn: async ({ signal }) => (await prices.catalogue(projectId, { search }, undefined, signal, 8)).items,
    staleTime: 10 * 60_000,
  });

export const unpricedQuery = (projectId: string, days: number) =>
  queryOptions({
    queryKey: [...PRICES_KEY, "unpriced", projectId, days],
    queryFn: ({ signal }) =>
      prices.unpriced(projectId, { start_time: new Date(Date.now() - days * 86_400_000).toISOString() }, signal),
  });

export const isOpen = (repricing: Repricing): boolean => repricing.state === "queued" || repricing.state === "running";

/** Asked for again and again while one is being done. */
export const repricingsQuery = (projectId: string) =>
  queryOptions({
    queryKey: ["repricings", projectId],
    queryFn: ({ signal }) => repricings.list(projectId, signal),
    refetchInterval: (query) => (query.state.data?.some(isOpen) === true ? 1000 : false),
  });

export const spanCostQuery = (projectId: string, traceId: string, spanId: string) =>
  queryOptions({
    queryKey: [...PRICES_KEY, "span", projectId, traceId, spanId],
    queryFn: ({ signal }) => get<CostExplanation>(`/spans/${spanId}/cost`, signal, { project_id: projectId, trace_id: traceId }),
  });

/** The span as OTLP/JSON, which is not in the envelope. */
export const spanOtlpQuery = (projectId: string, traceId: string, spanId: string) =>
  queryOptions({
    queryKey: ["otlp", projectId, traceId, spanId],
    queryFn: async ({ signal }) => {
      const response = await send("GET", `/spans/${spanId}/otlp`, { query: { project_id: projectId, trace_id: traceId }, signal });
      if (!response.ok) throw errorFromResponse(response, await response.json().catch(() => null));
      // As text: numbers of 64 bits would not survive being read.
      return response.text();
    },
    staleTime: 60_000,
  });
