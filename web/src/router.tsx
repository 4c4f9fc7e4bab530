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
import { parseAuditSearch } from "./lib/audit-search";
import { parseJobSearch } from "./lib/job-search";
import { parsePriceSearch } from "./lib/price-search";
import { preferences } from "./lib/preferences";
import { currentPlace } from "./lib/projects";
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

export interface SignUpSearch {
  next?: string;
}

/** What a link in a mail carries. */
export interface TokenSearch {
  token?: string;
}

export interface InviteSearch {
  /** Whether the form is open. */
  invite?: true;
}

export interface DetailSearch {
  span?: string;
}

/** A path of this app and nothing that a browser would read as another origin. */
function localPath(value: unknown): string | undefined {
  return typeof value === "string" && /^\/(?![/\\])/.test(value) && !value.startsWith("/login") ? value : undefined;
}

function tokenSearch(search: Record<string, unknown>): TokenSearch {
  // A token of digits only is read as a number by the router.
  const token = typeof search.token === "number" ? String(search.token) : search.token;
  return typeof token === "string" && token !== "" ? { token } : {};
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

const signUpRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/signup",
  validateSearch: (search: Record<string, unknown>): SignUpSearch => {
    const next = localPath(search.next);
    return next === undefined ? {} : { next };
  },
}).lazy(() => import("./features/auth/signup-page").then((module) => module.route));

const forgotPasswordRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/forgot-password",
}).lazy(() => import("./features/auth/forgot-password-page").then((module) => module.route));

const resetPasswordRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/reset-password",
  validateSearch: tokenSearch,
}).lazy(() => import("./features/auth/reset-password-page").then((module) => module.route));

const verifyEmailRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/verify-email",
  validateSearch: tokenSearch,
}).lazy(() => import("./features/auth/verify-email-page").then((module) => module.route));

const invitationRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/invitation",
  validateSearch: tokenSearch,
}).lazy(() => import("./features/auth/invitation-page").then((module) => module.route));

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
    const last = { project: preferences.project.get(), organization: preferences.organization.get() };
    const { project } = currentPlace(me, {}, last);
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

const accountRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "/account",
}).lazy(() => import("./features/account/account-layout").then((module) => module.route));

const profileRoute = createRoute({
  getParentRoute: () => accountRoute,
  path: "/",
}).lazy(() => import("./features/account/profile-page").then((module) => module.route));

const securityRoute = createRoute({
  getParentRoute: () => accountRoute,
  path: "/security",
}).lazy(() => import("./features/account/security-page").then((module) => module.route));

const sessionsRoute = createRoute({
  getParentRoute: () => accountRoute,
  path: "/sessions",
}).lazy(() => import("./features/account/sessions-page").then((module) => module.route));

const myOrganizationsRoute = createRoute({
  getParentRoute: () => accountRoute,
  path: "/organizations",
}).lazy(() => import("./features/account/organizations-page").then((module) => module.route));

const myInvitationsRoute = createRoute({
  getParentRoute: () => accountRoute,
  path: "/invitations",
}).lazy(() => import("./features/account/invitations-page").then((module) => module.route));

const organizationRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "/organizations/$organizationId",
}).lazy(() => import("./features/organization/organization-layout").then((module) => module.route));

const organizationGeneralRoute = createRoute({
  getParentRoute: () => organizationRoute,
  path: "/",
}).lazy(() => import("./features/organization/general-page").then((module) => module.route));

const membersRoute = createRoute({
  getParentRoute: () => organizationRoute,
  path: "/members",
}).lazy(() => import("./features/organization/members-page").then((module) => module.route));

const invitationsRoute = createRoute({
  getParentRoute: () => organizationRoute,
  path: "/invitations",
  validateSearch: (search: Record<string, unknown>): InviteSearch => (search.invite === true ? { invite: true } : {}),
}).lazy(() => import("./features/organization/invitations-page").then((module) => module.route));

const projectsRoute = createRoute({
  getParentRoute: () => organizationRoute,
  path: "/projects",
}).lazy(() => import("./features/organization/projects-page").then((module) => module.route));

const rolesRoute = createRoute({
  getParentRoute: () => organizationRoute,
  path: "/roles",
}).lazy(() => import("./features/organization/roles-page").then((module) => module.route));

const organizationPricesRoute = createRoute({
  getParentRoute: () => organizationRoute,
  path: "/prices",
}).lazy(() => import("./features/prices/organization-prices-page").then((module) => module.route));

const organizationSettingsRoute = createRoute({
  getParentRoute: () => organizationRoute,
  path: "/settings",
}).lazy(() => import("./features/organization/settings-page").then((module) => module.route));

const organizationAuditRoute = createRoute({
  getParentRoute: () => organizationRoute,
  path: "/audit-log",
  validateSearch: parseAuditSearch,
}).lazy(() => import("./features/organization/audit-page").then((module) => module.route));

const projectSettingsRoute = createRoute({
  getParentRoute: () => projectRoute,
  path: "/settings",
}).lazy(() => import("./features/project/project-settings-layout").then((module) => module.route));

const projectGeneralRoute = createRoute({
  getParentRoute: () => projectSettingsRoute,
  path: "/",
}).lazy(() => import("./features/project/general-page").then((module) => module.route));

const apiKeysRoute = createRoute({
  getParentRoute: () => projectSettingsRoute,
  path: "/api-keys",
}).lazy(() => import("./features/project/api-keys-page").then((module) => module.route));

const projectMembersRoute = createRoute({
  getParentRoute: () => projectSettingsRoute,
  path: "/members",
}).lazy(() => import("./features/project/members-page").then((module) => module.route));

const pricesRoute = createRoute({
  getParentRoute: () => projectSettingsRoute,
  path: "/prices",
  validateSearch: parsePriceSearch,
}).lazy(() => import("./features/prices/project-prices-page").then((module) => module.route));

const projectOptionsRoute = createRoute({
  getParentRoute: () => projectSettingsRoute,
  path: "/options",
}).lazy(() => import("./features/project/settings-page").then((module) => module.route));

const adminRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "/admin",
}).lazy(() => import("./features/admin/admin-layout").then((module) => module.route));

const adminIndexRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/admin/users", replace: true });
  },
});

const adminUsersRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "/users",
}).lazy(() => import("./features/admin/users-page").then((module) => module.route));

const adminOrganizationsRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "/organizations",
}).lazy(() => import("./features/admin/organizations-page").then((module) => module.route));

const jobsRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "/jobs",
  validateSearch: parseJobSearch,
}).lazy(() => import("./features/admin/jobs-page").then((module) => module.route));

const schedulesRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "/schedules",
}).lazy(() => import("./features/admin/schedules-page").then((module) => module.route));

const outboxRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "/outbox",
}).lazy(() => import("./features/admin/outbox-page").then((module) => module.route));

const adminSettingsRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "/settings",
}).lazy(() => import("./features/admin/settings-page").then((module) => module.route));

const adminAuditRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "/audit-log",
  validateSearch: parseAuditSearch,
}).lazy(() => import("./features/admin/audit-page").then((module) => module.route));

const routeTree = rootRoute.addChildren([
  loginRoute,
  signUpRoute,
  forgotPasswordRoute,
  resetPasswordRoute,
  verifyEmailRoute,
  invitationRoute,
  appRoute.addChildren([
    indexRoute,
    projectRoute.addChildren([
      projectIndexRoute,
      tracesRoute,
      traceRoute,
      projectSettingsRoute.addChildren([projectGeneralRoute, apiKeysRoute, projectMembersRoute, pricesRoute, projectOptionsRoute]),
    ]),
    accountRoute.addChildren([profileRoute, securityRoute, sessionsRoute, myOrganizationsRoute, myInvitationsRoute]),
    organizationRoute.addChildren([
      organizationGeneralRoute,
      membersRoute,
      invitationsRoute,
      projectsRoute,
      rolesRoute,
      organizationPricesRoute,
      organizationSettingsRoute,
      organizationAuditRoute,
    ]),
    adminRoute.addChildren([
      adminIndexRoute,
      adminUsersRoute,
      adminOrganizationsRoute,
      jobsRoute,
      schedulesRoute,
      outboxRoute,
      adminSettingsRoute,
      adminAuditRoute,
    ]),
  ]),
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
