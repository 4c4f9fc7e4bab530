import { useSuspenseQuery } from "@tanstack/react-query";
import { getRouteApi, Link, Outlet } from "@tanstack/react-router";
import { useEffect } from "react";
import { meQuery } from "@/api/queries";
import { t } from "@/i18n";
import { preferences } from "@/lib/preferences";
import { findProject } from "@/lib/projects";

const route = getRouteApi("/app/projects/$projectId");

/** Everything below a project: checks that the person is a member, and remembers it as the last one used. */
export function ProjectPage() {
  const { projectId } = route.useParams();
  const { data: me } = useSuspenseQuery(meQuery());
  const found = findProject(me, projectId);
  const organizationId = found?.organization.id;

  useEffect(() => {
    if (organizationId === undefined) return;
    preferences.project.set(projectId);
    preferences.organization.set(organizationId);
  }, [organizationId, projectId]);

  if (found === null) {
    return (
      <div className="mx-auto flex h-full max-w-md flex-col items-start justify-center gap-2 p-6">
        <h1 className="text-lg font-semibold">{t("page.notFound")}</h1>
        <p className="text-muted">{t("project.unknown")}</p>
        <Link to="/" className="text-accent underline">
          {t("project.first")}
        </Link>
      </div>
    );
  }
  return <Outlet />;
}
