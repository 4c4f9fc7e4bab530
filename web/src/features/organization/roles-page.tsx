import { useQuery } from "@tanstack/react-query";
import { createLazyRoute, getRouteApi } from "@tanstack/react-router";
import { Check, Minus } from "lucide-react";
import { Fragment } from "react";
import { permissionsQuery, rolesQuery } from "@/api/identity-queries";
import { ErrorNotice } from "@/components/error-notice";
import { Badge } from "@/components/ui/badge";
import { cx } from "@/components/ui/cx";
import { SettingsPage, SkeletonLines } from "@/components/ui/page";
import { t } from "@/i18n";
import { groupPermissions } from "@/lib/permissions";
import { roleName } from "@/lib/roles";
import { useOrganizationPermissions } from "@/lib/use-permissions";

export const route = createLazyRoute("/app/organizations/$organizationId/roles")({ component: RolesPage });
const api = getRouteApi("/app/organizations/$organizationId/roles");

function RolesPage() {
  const { organizationId } = api.useParams();
  const roles = useQuery(rolesQuery(organizationId));
  const permissions = useQuery(permissionsQuery(organizationId));
  const { role: mine } = useOrganizationPermissions(organizationId);
  const failure = roles.error ?? permissions.error;
  return (
    <SettingsPage title={t("roles.title")} description={t("roles.text")} wide>
      {failure !== null ? (
        <ErrorNotice
          error={failure}
          onRetry={() => {
            void roles.refetch();
            void permissions.refetch();
          }}
        />
      ) : roles.data === undefined || permissions.data === undefined ? (
        <SkeletonLines count={12} />
      ) : (
        // It scrolls both ways, so that the names of the roles stay in sight; also by keyboard.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        <div tabIndex={0} role="region" aria-label={t("roles.title")} className="max-h-[calc(100dvh-190px)] min-h-64 overflow-auto rounded-lg border border-line">
          <table className="w-full border-separate border-spacing-0">
            <thead>
              <tr>
                <th scope="col" className="sticky top-0 left-0 z-20 h-10 min-w-44 border-b border-line bg-sunken px-3 text-left text-xs font-medium text-muted">
                  {t("roles.permission")}
                </th>
                {roles.data.map((role) => (
                  <th key={role.name} scope="col" data-tip={role.description} className="sticky top-0 z-10 border-b border-line bg-sunken px-3 text-center text-xs font-medium">
                    {roleName(role.name)} {role.name === mine && <Badge tone="accent">{t("roles.yours")}</Badge>}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {groupPermissions(permissions.data.map(({ name }) => name)).map(({ resource, names }) => (
                <Fragment key={resource}>
                  <tr>
                    <th scope="colgroup" colSpan={roles.data.length + 1} className="border-b border-line bg-page px-3 py-1 text-left text-xs font-medium text-muted">
                      {resource.replaceAll("-", " ").replace(/^./, (letter) => letter.toUpperCase())}
                    </th>
                  </tr>
                  {names.map((name) => (
                    <tr key={name} className="group">
                      <th scope="row" className="sticky left-0 border-b border-line bg-surface px-3 py-1 text-left font-normal group-hover:bg-hover">
                        <span className="code block">{name}</span>
                        <span className="block text-xs text-muted">{permissions.data.find((entry) => entry.name === name)?.description}</span>
                      </th>
                      {roles.data.map((role) => {
                        const has = role.permissions.includes(name);
                        const Icon = has ? Check : Minus;
                        return (
                          <td key={role.name} className="border-b border-line px-3 text-center group-hover:bg-hover">
                            <Icon role="img" aria-label={t(has ? "roles.has" : "roles.hasNot")} className={cx("mx-auto size-4", has ? "text-accent" : "text-line-strong")} />
                          </td>
                        );
                      })}
                    </tr>
                  ))}
                </Fragment>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </SettingsPage>
  );
}
