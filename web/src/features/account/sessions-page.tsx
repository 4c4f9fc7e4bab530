import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createLazyRoute, useNavigate } from "@tanstack/react-router";
import { Monitor, Smartphone, Terminal } from "lucide-react";
import { useState } from "react";
import { session } from "@/api/client";
import { auth, type SessionView } from "@/api/identity";
import { sessionsQuery } from "@/api/identity-queries";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { DataTable, TwoLines, type Column } from "@/components/ui/data-table";
import { SettingsPage } from "@/components/ui/page";
import { Time } from "@/components/ui/time";
import { t } from "@/i18n";
import { NONE } from "@/lib/format";
import { announceLogout } from "@/lib/tabs";
import { useAction } from "@/lib/use-action";
import { readUserAgent } from "@/lib/user-agent";

export const route = createLazyRoute("/app/account/sessions")({ component: SessionsPage });

function deviceName(userAgent: string | null): string {
  const { program, system } = readUserAgent(userAgent);
  if (program !== null && system !== null) return t("sessions.device", { program, system });
  return program ?? system ?? t("sessions.unknown");
}

function Device({ row }: { row: SessionView }) {
  const { mobile, system } = readUserAgent(row.user_agent);
  const Icon = mobile ? Smartphone : system === null ? Terminal : Monitor;
  return (
    <div className="flex items-center gap-3" data-tip={row.user_agent ?? undefined}>
      <Icon className="size-4 shrink-0 text-muted" aria-hidden />
      <TwoLines
        first={deviceName(row.user_agent)}
        badge={row.current && <Badge tone="accent">{t("sessions.current")}</Badge>}
        second={row.ip_address ?? NONE}
      />
    </div>
  );
}

function SessionsPage() {
  const sessions = useQuery(sessionsQuery());
  const client = useQueryClient();
  const navigate = useNavigate();
  const [everywhere, setEverywhere] = useState(false);
  const revoke = useAction((row: SessionView) => auth.revokeSession(row.id), {
    stale: [["sessions"]],
    done: (row) => t("sessions.revoked", { device: deviceName(row.user_agent) }),
  });
  const others = useAction(() => auth.revokeOtherSessions(), {
    stale: [["sessions"]],
    done: (_input, { ended }) => t("sessions.othersRevoked", { count: ended }),
  });
  const columns: Column<SessionView>[] = [
    { id: "device", header: t("sessions.deviceColumn"), grow: true, cell: (row) => <Device row={row} /> },
    { id: "created", header: t("sessions.since"), from: "lg", cell: (row) => <Time value={row.created_at} /> },
    { id: "seen", header: t("sessions.seen"), from: "sm", cell: (row) => <Time value={row.last_seen_at} /> },
    { id: "expires", header: t("sessions.expires"), from: "lg", cell: (row) => <Time value={row.expires_at} /> },
    {
      id: "actions",
      header: t("sessions.revoke"),
      quiet: true,
      align: "right",
      cell: (row) =>
        !row.current && (
          <Button
            aria-label={`${t("sessions.revoke")}: ${deviceName(row.user_agent)}`}
            disabled={revoke.isPending}
            onClick={() => revoke.mutate(row)}
          >
            {t("sessions.revoke")}
          </Button>
        ),
    },
  ];
  const more = (sessions.data?.length ?? 0) > 1;
  return (
    <SettingsPage
      title={t("account.sessions")}
      description={t("sessions.text")}
      wide
      actions={
        <>
          <Button denied={!more && t("sessions.noOthers")} disabled={others.isPending} onClick={() => others.mutate()}>
            {t("sessions.revokeOthers")}
          </Button>
          <Button onClick={() => setEverywhere(true)}>{t("sessions.everywhere")}</Button>
        </>
      }
    >
      <DataTable
        label={t("account.sessions")}
        columns={columns}
        rows={sessions.data}
        rowKey={(row) => row.id}
        empty={null}
        error={sessions.error}
        onRetry={() => void sessions.refetch()}
      />
      <ConfirmDialog
        open={everywhere}
        onClose={() => setEverywhere(false)}
        title={t("sessions.everywhere")}
        text={t("sessions.everywhereText")}
        confirm={t("sessions.everywhere")}
        act={async () => {
          await auth.logoutAll();
          session.forget();
          announceLogout();
          await navigate({ to: "/login", search: {} });
          client.clear();
        }}
      />
    </SettingsPage>
  );
}
