/** Prices of models, what they make of a span, and pricing stored spans anew. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { get, page, post, put, remove, send } from "./call";
import type { SpanDetail } from "./contract";
import { errorFromResponse } from "./error";
import type { components } from "./schema";

type Schemas = components["schemas"];
/** What may be left out when it is sent is always there in an answer. */
type Whole<T> = T extends (infer U)[] ? Whole<U>[] : T extends object ? { [K in keyof T]-?: Whole<Exclude<T[K], undefined>> } : T;

/** US dollars for a million tokens as decimal text, by kind of usage. */
export type Rates = Readonly<Schemas["TierRates"]["rates"]>;
export type AboveRates = Whole<Schemas["AboveRates"]>;
export type TierRates = Whole<Schemas["TierRates"]>;
export type PriceVersion = Whole<Schemas["PriceVersion"]>;
export type ModelPrice = Whole<Schemas["ModelPrice"]>;
export type PriceBody = Whole<Schemas["ModelPriceBody"]>;
export type CataloguePrice = Whole<Schemas["CatalogueModel"]>;
export type PriceMatch = Whole<Schemas["PriceMatch"]>;
export type UnpricedReason = Schemas["UnpricedReason"];
export type UnpricedModel = Schemas["UnpricedModel"];
export type CostLine = Schemas["CostLine"];
export type CostExplanation = Whole<Schemas["CostExplanation"]>;
export type RepricedModel = Schemas["RepricedModel"];
export type RepricingResult = Schemas["RepricingResult"];
export type RepricingMode = Schemas["RepricingBody"]["mode"];
export type RepricingBody = Schemas["RepricingBody"];
export type Repricing = Whole<Schemas["Repricing"]>;
/** What a rule took from where. */
export type ExplainedField = SpanDetail["explain"]["fields"][number];

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
