import { useInfiniteQuery, useQuery, useQueryClient, type InfiniteData } from "@tanstack/react-query";
import { useCallback, useMemo, type RefObject } from "react";
import type { TraceSummary } from "@/api/contract";
import { fetchTracePage, TRACE_PAGE_SIZE, type Page, type TraceQuery } from "@/api/queries";
import { compareHead, flatten, hasGap, insertRows } from "@/lib/live-list";
import { bounds, DEFAULT_REFRESH, type TraceSearch } from "@/lib/trace-search";

/** A page remembers the bounds it was asked with, so that the cursor of the next one still fits. */
interface BoundPage extends Page<TraceSummary> {
  window: { startTime: string; endTime?: string };
}
interface PageParam {
  cursor: string;
  window: BoundPage["window"];
}
type Pages = InfiniteData<BoundPage, PageParam | null>;

interface Head {
  page: BoundPage;
  /** Ids of the rows that this poll put into the list. */
  inserted: ReadonlySet<string>;
}

function queryOf(projectId: string, search: TraceSearch, window: BoundPage["window"]): TraceQuery {
  return { projectId, ...window, name: search.name, status: search.status, environment: search.environment };
}

/**
 * The list of traces with its paging, and a poll of its head that brings rows up to date. New rows go in
 * by themselves while `mayInsert` says so; else they wait until `showPending`.
 */
export function useLiveTraces(projectId: string, search: TraceSearch, mayInsert: RefObject<() => boolean>) {
  const queryClient = useQueryClient();
  const { range, from, to, name, status, environment } = search;
  const key = useMemo(
    () => ["traces", projectId, { range, from, to, name, status, environment }] as const,
    [projectId, range, from, to, name, status, environment],
  );

  const list = useInfiniteQuery({
    queryKey: key,
    initialPageParam: null as PageParam | null,
    queryFn: async ({ pageParam, signal }): Promise<BoundPage> => {
      const window = pageParam?.window ?? bounds(search, Date.now());
      const page = await fetchTracePage(queryOf(projectId, search, window), pageParam?.cursor, TRACE_PAGE_SIZE, signal);
      return { ...page, window };
    },
    getNextPageParam: (page) => (page.nextCursor === null ? undefined : { cursor: page.nextCursor, window: page.window }),
    // The poll of the head keeps it fresh; a refetch of every page would lose the place.
    staleTime: Infinity,
    // What was there stays while new results load, but never across projects.
    placeholderData: (previous, query) => (query?.queryKey[1] === projectId ? previous : undefined),
  });

  const refresh = to === undefined ? (search.refresh ?? DEFAULT_REFRESH) : 0;
  const head = useQuery({
    queryKey: ["traces-head", projectId, key[2]],
    queryFn: async ({ signal }): Promise<Head> => {
      const window = bounds(search, Date.now());
      const page = { ...(await fetchTracePage(queryOf(projectId, search, window), undefined, TRACE_PAGE_SIZE, signal)), window };
      const inserted = new Set<string>();
      queryClient.setQueryData<Pages>(key, (data) => {
        if (data === undefined) return data;
        const insert = mayInsert.current();
        if (hasGap(data.pages, page)) return insert ? { pages: [page], pageParams: [null] } : data;
        const merge = compareHead(data.pages, page.items);
        if (insert) for (const row of merge.fresh) inserted.add(row.trace_id);
        return withPages(data, insert ? insertRows(merge.pages, merge.fresh) : merge.pages);
      });
      return { page, inserted };
    },
    enabled: list.isSuccess && !list.isPlaceholderData,
    refetchInterval: refresh === 0 ? false : refresh * 1000,
    refetchIntervalInBackground: false,
    refetchOnMount: "always",
    refetchOnWindowFocus: refresh === 0 ? false : "always",
    gcTime: 0,
  });

  const pages = list.data?.pages;
  const rows = useMemo(() => (pages === undefined ? [] : flatten(pages)), [pages]);
  const headPage = list.isPlaceholderData ? undefined : head.data?.page;
  const gap = pages !== undefined && headPage !== undefined && hasGap(pages, headPage);
  const pending = useMemo(
    () => (pages === undefined || headPage === undefined ? [] : compareHead(pages, headPage.items).fresh),
    [pages, headPage],
  );

  const showPending = useCallback(() => {
    if (headPage === undefined) return;
    queryClient.setQueryData<Pages>(key, (data) => {
      if (data === undefined) return data;
      if (hasGap(data.pages, headPage)) return { pages: [headPage], pageParams: [null] };
      const merge = compareHead(data.pages, headPage.items);
      return withPages(data, insertRows(merge.pages, merge.fresh));
    });
  }, [queryClient, key, headPage]);

  return {
    rows,
    list,
    /** The poll; its error means that the rows may be out of date. */
    head,
    inserted: head.data?.inserted,
    /** How many rows wait; Infinity when there are too many to know. */
    pendingCount: gap ? Infinity : pending.length,
    showPending,
    live: refresh > 0,
  };
}

/** Puts changed pages back with the windows that they came with. */
function withPages(data: Pages, pages: Page<TraceSummary>[]): Pages {
  if (pages === data.pages) return data;
  const fallback = data.pages[0]?.window ?? { startTime: new Date(0).toISOString() };
  return {
    ...data,
    pages: pages.map((page, index) => ({ ...page, window: data.pages[index]?.window ?? fallback })),
  };
}
