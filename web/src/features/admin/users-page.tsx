import { useInfiniteQuery, useSuspenseQuery } from "@tanstack/react-query";
import { createLazyRoute } from "@tanstack/react-router";
import { useState } from "react";
import { admin, type AdminUser } from "@/api/identity";
import { adminUsersQuery } from "@/api/identity-queries";
import { meQuery } from "@/api/queries";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { DataTable, TwoLines, type Column } from "@/components/ui/data-table";
import { MenuItem, MenuSeparator, RowMenu } from "@/components/ui/menu";
import { SettingsPage } from "@/components/ui/page";
import { SearchInput } from "@/components/ui/search-input";
import { Segmented } from "@/components/ui/segmented";
import { Time } from "@/components/ui/time";
import { t, type Key } from "@/i18n";
import { personName } from "@/lib/roles";
import { formatExact } from "@/lib/time";
import { useAction } from "@/lib/use-action";
import { useNow } from "@/lib/use-now";
import { CreateUserDialog } from "./create-user-dialog";

export const route = createLazyRoute("/app/admin/users")({ component: UsersPage });

type Status = "any" | "active" | "suspended";
type Kind = "suspend" | "makeAdmin" | "dropAdmin" | "resetFactor" | "revokeSessions";
const STALE = [["admin", "users"]];

/** What is asked before it is done, and what it does. */
const ASKED: Record<Kind, { title: Key; text: Key; act: (id: string) => Promise<unknown> }> = {
  suspend: { title: "admin.suspend", text: "admin.suspendText", act: (id) => admin.updateUser(id, { status: "suspended" }) },
  makeAdmin: { title: "admin.makeAdmin", text: "admin.makeAdminText", act: (id) => admin.updateUser(id, { is_admin: true }) },
  dropAdmin: { title: "admin.dropAdmin", text: "admin.dropAdminText", act: (id) => admin.updateUser(id, { is_admin: false }) },
  resetFactor: { title: "admin.resetFactor", text: "admin.resetFactorText", act: (id) => admin.userAction(id, "reset-second-factor") },
  revokeSessions: { title: "admin.revokeSessions", text: "admin.revokeSessionsText", act: (id) => admin.userAction(id, "revoke-sessions") },
};

function UsersPage() {
  const { data: me } = useSuspenseQuery(meQuery());
  const now = useNow(10_000);
  const [search, setSearch] = useState("");
  const [status, setStatus] = useState<Status>("any");
  const [creating, setCreating] = useState(false);
  const [asked, setAsked] = useState<{ kind: Kind; user: AdminUser } | null>(null);
  const list = useInfiniteQuery(adminUsersQuery({ search: search.trim(), status: status === "any" ? undefined : status }));
  const act = useAction(({ kind, user }: { kind: Kind; user: AdminUser }) => ASKED[kind].act(user.id), {
    stale: STALE,
    done: ({ user }) => t("admin.userChanged", { name: personName(user) }),
  });
  const unlock = useAction((user: AdminUser) => admin.userAction(user.id, "unlock"), {
    stale: STALE,
    done: (user) => t("admin.unlocked", { name: personName(user) }),
  });
  const reinstate = useAction((user: AdminUser) => admin.updateUser(user.id, { status: "active" }), {
    stale: STALE,
    done: (user) => t("members.reinstated", { name: personName(user) }),
  });
  const reset = useAction((user: AdminUser) => admin.userAction(user.id, "send-password-reset"), {
    stale: [["admin", "outbox"]],
    done: (user) => t("admin.resetSent", { email: user.email }),
  });
  const isLocked = (user: AdminUser) => user.locked_until !== null && Date.parse(user.locked_until) > now;

  const columns: Column<AdminUser>[] = [
    {
      id: "person",
      header: t("members.person"),
      grow: true,
      cell: (row) => (
        <TwoLines
          first={personName(row)}
          second={row.email}
          badge={
            <>
              {row.is_admin && <Badge tone="accent">{t("admin.admin")}</Badge>}
              {row.status === "suspended" && <Badge tone="warning">{t("members.statusSuspended")}</Badge>}
              {isLocked(row) && (
                <Badge tone="error" tip={row.locked_until === null ? undefined : t("admin.lockedUntil", { until: formatExact(row.locked_until) })}>
                  {t("admin.locked")}
                </Badge>
              )}
              {!row.email_verified && <Badge>{t("profile.notVerified")}</Badge>}
            </>
          }
        />
      ),
    },
    { id: "factor", header: t("factor.title"), from: "lg", cell: (row) => <span className="text-muted">{t(row.second_factor ? "factor.on" : "factor.off")}</span> },
    { id: "organizations", header: t("account.organizations"), from: "md", align: "right", cell: (row) => <span className="num">{row.organization_count}</span> },
    { id: "login", header: t("members.lastLogin"), from: "sm", cell: (row) => <Time value={row.last_login_at} none={t("members.never")} /> },
    { id: "created", header: t("organizations.created"), from: "xl", cell: (row) => <Time value={row.created_at} /> },
    {
      id: "actions",
      header: t("organizations.actions"),
      quiet: true,
      cell: (row) => {
        const own = row.id === me.id && t("members.yourself");
        const ask = (kind: Kind) => setAsked({ kind, user: row });
        return (
          <RowMenu label={t("action.more", { name: personName(row) })}>
            {isLocked(row) && <MenuItem onSelect={() => unlock.mutate(row)}>{t("admin.unlock")}</MenuItem>}
            <MenuItem onSelect={() => reset.mutate(row)}>{t("admin.sendReset")}</MenuItem>
            <MenuItem onSelect={() => ask("revokeSessions")}>{t("admin.revokeSessions")}</MenuItem>
            <MenuItem denied={!row.second_factor && t("admin.noFactor")} onSelect={() => ask("resetFactor")}>
              {t("admin.resetFactor")}
            </MenuItem>
            <MenuSeparator />
            <MenuItem denied={own} onSelect={() => ask(row.is_admin ? "dropAdmin" : "makeAdmin")}>
              {t(row.is_admin ? "admin.dropAdmin" : "admin.makeAdmin")}
            </MenuItem>
            {row.status === "active" ? (
              <MenuItem danger denied={own} onSelect={() => ask("suspend")}>
                {t("admin.suspend")}
              </MenuItem>
            ) : (
              <MenuItem onSelect={() => reinstate.mutate(row)}>{t("members.reinstate")}</MenuItem>
            )}
          </RowMenu>
        );
      },
    },
  ];
  return (
    <SettingsPage
      title={t("admin.users")}
      description={t("admin.usersText")}
      wide
      actions={
        <Button variant="primary" onClick={() => setCreating(true)}>
          {t("admin.createUser")}
        </Button>
      }
    >
      <div className="flex flex-wrap items-center gap-2">
        <SearchInput label={t("admin.searchUsers")} value={search} onChange={setSearch} wait={300} />
        <Segmented<Status>
          label={t("organization.status")}
          value={status}
          onChange={setStatus}
          options={[
            { value: "any", label: t("filter.statusAny") },
            { value: "active", label: t("life.active") },
            { value: "suspended", label: t("members.statusSuspended") },
          ]}
        />
      </div>
      <DataTable
        label={t("admin.users")}
        columns={columns}
        rows={list.data?.pages.flatMap((page) => page.items)}
        rowKey={(row) => row.id}
        error={list.error}
        onRetry={() => void list.refetch()}
        outdated={list.isPlaceholderData}
        more={list}
        empty={<p className="p-4 text-muted">{t("admin.noUsers")}</p>}
      />
      {creating && <CreateUserDialog onClose={() => setCreating(false)} />}
      <ConfirmDialog
        open={asked !== null}
        onClose={() => setAsked(null)}
        title={asked === null ? "" : t(ASKED[asked.kind].title)}
        text={asked === null ? "" : t(ASKED[asked.kind].text, { name: personName(asked.user) })}
        confirm={asked === null ? "" : t(ASKED[asked.kind].title)}
        typeName={asked?.kind === "makeAdmin" ? asked.user.email : undefined}
        danger={asked?.kind !== "revokeSessions"}
        act={async () => {
          if (asked !== null) await act.mutateAsync(asked);
        }}
      />
    </SettingsPage>
  );
}
