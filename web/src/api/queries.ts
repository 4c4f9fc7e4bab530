import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "./client";
import type { SpanSummary, Status, TraceSummary } from "./contract";

/** One page of a cursor-paged list. */
export interface Page<Item> {
  items: Item[];
  nextCursor: string | null;
}

/** Which traces to list. Times are RFC 3339. */
export interface TraceQuery {
  projectId: string;
  startTime: string;
  endTime?: string;
  name?: string;
  status?: Status;
  environment?: string;
}

export const TRACE_PAGE_SIZE = 50;
/** Fewer requests for large traces, and each still small enough to show progress. */
const SPAN_PAGE_SIZE = 2000;

export function meQuery() {
  return queryOptions({
    queryKey: ["me"],
    queryFn: async ({ signal }) => (await unwrap(api.GET("/api/v1/users/me", { signal }))).data,
    staleTime: 5 * 60_000,
  });
}

/** Fetches one page of traces, newest first. */
export async function fetchTracePage(
  query: TraceQuery,
  cursor: string | undefined,
  limit: number,
  signal?: AbortSignal,
): Promise<Page<TraceSummary>> {
  const { data, meta } = await unwrap(
    api.GET("/api/v1/traces", {
      params: {
        query: {
          project_id: query.projectId,
          start_time: query.startTime,
          end_time: query.endTime,
          name: query.name,
          status: query.status,
          environment: query.environment,
          limit,
          cursor,
        },
      },
      signal,
    }),
  );
  return { items: data, nextCursor: meta.pagination?.next_cursor ?? null };
}

export function traceQuery(projectId: string, traceId: string) {
  return queryOptions({
    queryKey: ["trace", projectId, traceId],
    queryFn: async ({ signal }) =>
      (
        await unwrap(
          api.GET("/api/v1/traces/{trace_id}", {
            params: { path: { trace_id: traceId }, query: { project_id: projectId } },
            signal,
          }),
        )
      ).data,
  });
}

/** The spans of a trace without input and output, page by page in order of start. */
export function spansQuery(projectId: string, traceId: string) {
  return infiniteQueryOptions({
    queryKey: ["spans", projectId, traceId],
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ pageParam, signal }): Promise<Page<SpanSummary>> => {
      const { data, meta } = await unwrap(
        api.GET("/api/v1/traces/{trace_id}/spans", {
          params: {
            path: { trace_id: traceId },
            query: { project_id: projectId, limit: SPAN_PAGE_SIZE, cursor: pageParam },
          },
          signal,
        }),
      );
      return { items: data, nextCursor: meta.pagination?.next_cursor ?? null };
    },
    getNextPageParam: (page) => page.nextCursor ?? undefined,
  });
}

export function spanQuery(projectId: string, traceId: string, spanId: string) {
  return queryOptions({
    queryKey: ["span", projectId, traceId, spanId],
    queryFn: async ({ signal }) =>
      (
        await unwrap(
          api.GET("/api/v1/spans/{span_id}", {
            params: { path: { span_id: spanId }, query: { project_id: projectId, trace_id: traceId } },
            signal,
          }),
        )
      ).data,
    staleTime: 60_000,
  });
}
