import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  Outlet,
  redirect,
} from "@tanstack/react-router";
import { onSignedOut, session } from "./api/client";
import { meQuery } from "./api/queries";
import { CrashPage, NotFoundPage } from "./features/shell/fallback-pages";
import { NoProjectPage } from "./features/shell/no-project-page";
import { ProjectPage } from "./features/shell/project-page";
import { Shell } from "./features/shell/shell";
import { onOtherTabLogout } from "./lib/tabs";
import { firstProject } from "./lib/projects";
import { preferences } from "./lib/preferences";
import { parseTraceSearch } from "./lib/trace-search";

interface RouterContext {
  queryClient: QueryClient;
}

export interface LoginSearch {
  /** Where to go after the log-in: a path of this app. */
  next?: string;
  /** The session ended while the app was in use. */
  ended?: true;
  /** Somebody logged out, but the server could not be told. */
  open?: true;
}

export interface DetailSearch {
  span?: string;
}

/** A path of this app and nothing that a browser would read as another origin. */
function localPath(value: unknown): string | undefined {
  return typeof value === "string" && /^\/(?![/\\])/.test(value) && !value.startsWith("/login") ? value : undefined;
}

const rootRoute = createRootRouteWithContext<RouterContext>()({
  component: Outlet,
  notFoundComponent: NotFoundPage,
});

const loginRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/login",
  validateSearch: (search: Record<string, unknown>): LoginSearch => ({
    ...(localPath(search.next) !== undefined && { next: localPath(search.next) }),
    ...(search.ended === true && { ended: true as const }),
    ...(search.open === true && { open: true as const }),
  }),
}).lazy(() => import("./features/auth/login-page").then((module) => module.route));

const appRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: "app",
  beforeLoad: async ({ context, location }) => {
    if (!(await session.ensure())) {
      const next = localPath(location.href);
      throw redirect({ to: "/login", search: next === undefined || next === "/" ? {} : { next }, replace: true });
    }
    await context.queryClient.query({ ...meQuery(), staleTime: "static" });
  },
  component: Shell,
});

const indexRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "/",
  beforeLoad: async ({ context }) => {
    const me = await context.queryClient.query({ ...meQuery(), staleTime: "static" });
    const project = firstProject(me, preferences.project.get());
    if (project !== null) {
      throw redirect({ to: "/projects/$projectId/traces", params: { projectId: project.id }, replace: true });
    }
  },
  component: NoProjectPage,
});

const projectRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "/projects/$projectId",
  component: ProjectPage,
});

const projectIndexRoute = createRoute({
  getParentRoute: () => projectRoute,
  path: "/",
  beforeLoad: ({ params }) => {
    throw redirect({ to: "/projects/$projectId/traces", params, replace: true });
  },
});

const tracesRoute = createRoute({
  getParentRoute: () => projectRoute,
  path: "/traces",
  validateSearch: parseTraceSearch,
}).lazy(() => import("./features/traces/list/traces-page").then((module) => module.route));

const traceRoute = createRoute({
  getParentRoute: () => projectRoute,
  path: "/traces/$traceId",
  validateSearch: (search: Record<string, unknown>): DetailSearch => {
    // An id of digits only is read as a number by the router when somebody typed it without quotes.
    const span = typeof search.span === "number" ? String(search.span) : search.span;
    return typeof span === "string" && span !== "" ? { span } : {};
  },
}).lazy(() => import("./features/traces/detail/trace-page").then((module) => module.route));

const routeTree = rootRoute.addChildren([
  loginRoute,
  appRoute.addChildren([indexRoute, projectRoute.addChildren([projectIndexRoute, tracesRoute, traceRoute])]),
]);

export function createAppRouter(queryClient: QueryClient) {
  const router = createRouter({
    routeTree,
    context: { queryClient },
    defaultPreload: "intent",
    defaultPreloadStaleTime: 0,
    defaultErrorComponent: CrashPage,
    defaultPendingMs: 300,
  });

  const leave = (ended: boolean) => {
    queryClient.clear();
    const next = localPath(router.state.location.href);
    void router.navigate({
      to: "/login",
      search: { ...(next !== undefined && next !== "/" && { next }), ...(ended && { ended: true as const }) },
      replace: true,
    });
  };
  onSignedOut(() => leave(true));
  onOtherTabLogout(() => {
    session.forget();
    leave(false);
  });
  return router;
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
