import { useQuery } from "@tanstack/react-query";
import { createLazyRoute, getRouteApi, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { invitations, type InvitationView } from "@/api/identity";
import { authOptionsQuery, invitationsQuery } from "@/api/identity-queries";
import { Badge, type Tone } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { DataTable, TwoLines, type Column } from "@/components/ui/data-table";
import { Empty, SettingsPage } from "@/components/ui/page";
import { Segmented } from "@/components/ui/segmented";
import { Time } from "@/components/ui/time";
import { t } from "@/i18n";
import { secondsLeft } from "@/lib/countdown";
import { NONE } from "@/lib/format";
import { roleName } from "@/lib/roles";
import { formatExact, formatMinute } from "@/lib/time";
import { useAction } from "@/lib/use-action";
import { useNow } from "@/lib/use-now";
import { useOrganizationPermissions } from "@/lib/use-permissions";
import { InviteDialog } from "./invite-dialog";

export const route = createLazyRoute("/app/organizations/$organizationId/invitations")({ component: InvitationsPage });
const api = getRouteApi("/app/organizations/$organizationId/invitations");

/** The server sends a mail again after this long at the earliest. */
const COOL_DOWN_MS = 60_000;

const TONES: Record<InvitationView["status"], Tone> = {
  pending: "accent",
  accepted: "plain",
  declined: "warning",
  revoked: "plain",
  expired: "warning",
};

function ResendButton({ row, denied, busy, onClick }: { row: InvitationView; denied: string | false; busy: boolean; onClick: () => void }) {
  const now = useNow(1000);
  const left = secondsLeft(Date.parse(row.sent_at) + COOL_DOWN_MS, now);
  return (
    <Button denied={denied !== false ? denied : left > 0 && t("invitations.coolDown")} disabled={busy} onClick={onClick} className="num min-w-20" aria-label={`${t("invitations.resend")}: ${row.email}`}>
      {left > 0 ? t("invitations.resendIn", { seconds: left }) : t("invitations.resend")}
    </Button>
  );
}

function InvitationsPage() {
  const { organizationId } = api.useParams();
  const { invite } = api.useSearch();
  const navigate = useNavigate();
  const { data: options } = useQuery(authOptionsQuery());
  const list = useQuery(invitationsQuery(organizationId));
  const permissions = useOrganizationPermissions(organizationId);
  const denied = permissions.denied("members:invite");
  const [shown, setShown] = useState<"pending" | "all">("pending");
  const [revoking, setRevoking] = useState<InvitationView | null>(null);
  const stale = [invitationsQuery(organizationId).queryKey];
  const resend = useAction((row: InvitationView) => invitations.resend(organizationId, row.id), {
    stale,
    done: (row) => t(options?.mail === false ? "invitations.kept" : "invitations.sent", { email: row.email }),
  });
  const revoke = useAction((row: InvitationView) => invitations.revoke(organizationId, row.id), {
    stale,
    done: (row) => t("invitations.revoked", { email: row.email }),
  });
  const setInvite = (open: boolean) =>
    void navigate({
      to: "/organizations/$organizationId/invitations",
      params: { organizationId },
      search: open ? { invite: true } : {},
      replace: true,
    });
  const columns: Column<InvitationView>[] = [
    {
      id: "email",
      header: t("login.email"),
      grow: true,
      cell: (row) => (
        <TwoLines first={row.email} second={row.invited_by_email === null ? undefined : t("invitations.by", { email: row.invited_by_email })} />
      ),
    },
    {
      id: "role",
      header: t("invitation.role"),
      from: "sm",
      cell: (row) => (
        <>
          {roleName(row.role)}
          {row.project_roles.length > 0 && <span className="text-muted"> {t("members.exceptions", { count: row.project_roles.length })}</span>}
        </>
      ),
    },
    { id: "status", header: t("organization.status"), cell: (row) => <Badge tone={TONES[row.status]}>{t(`invitations.status.${row.status}`)}</Badge> },
    {
      id: "sent",
      header: t("invitations.sentAt"),
      from: "md",
      cell: (row) => (
        <>
          <Time value={row.sent_at} />
          {row.sent_count > 1 && <span className="text-muted"> ×{row.sent_count}</span>}
        </>
      ),
    },
    {
      id: "expires",
      header: t("sessions.expires"),
      from: "lg",
      cell: (row) =>
        row.status === "pending" ? (
          <time className="num" dateTime={row.expires_at} data-tip={formatExact(row.expires_at)}>
            {formatMinute(Date.parse(row.expires_at))}
          </time>
        ) : (
          <span className="text-muted">{NONE}</span>
        ),
    },
    {
      id: "actions",
      header: t("organizations.actions"),
      quiet: true,
      cell: (row) =>
        (row.status === "pending" || row.status === "expired") && (
          <div className="flex flex-col items-stretch justify-end gap-1 sm:flex-row sm:items-center sm:gap-2">
            <ResendButton row={row} denied={denied} busy={resend.isPending} onClick={() => resend.mutate(row)} />
            {row.status === "pending" && (
              <Button variant="ghost" denied={denied} onClick={() => setRevoking(row)} aria-label={`${t("invitations.revoke")}: ${row.email}`}>
                {t("invitations.revoke")}
              </Button>
            )}
          </div>
        ),
    },
  ];
  const rows = list.data?.filter((row) => shown === "all" || row.status === "pending" || row.status === "expired");
  return (
    <SettingsPage
      title={t("invitations.title")}
      description={t(options?.mail === false ? "invitations.textKept" : "invitations.text")}
      wide
      actions={
        <Button variant="primary" denied={denied} onClick={() => setInvite(true)}>
          {t("invitations.invite")}
        </Button>
      }
    >
      <Segmented
        label={t("invitations.show")}
        value={shown}
        onChange={setShown}
        className="self-start"
        options={[
          { value: "pending", label: t("invitations.open") },
          { value: "all", label: t("invitations.all") },
        ]}
      />
      <DataTable
        label={t("invitations.title")}
        columns={columns}
        rows={rows}
        rowKey={(row) => row.id}
        error={list.error}
        onRetry={() => void list.refetch()}
        empty={
          <Empty title={t("invitations.none")} text={t("invitations.noneText")}>
            <Button denied={denied} onClick={() => setInvite(true)}>
              {t("invitations.invite")}
            </Button>
          </Empty>
        }
      />
      {invite === true && denied === false && (
        <InviteDialog organizationId={organizationId} ownRole={permissions.role} mail={options?.mail ?? true} onClose={() => setInvite(false)} />
      )}
      <ConfirmDialog
        open={revoking !== null}
        onClose={() => setRevoking(null)}
        title={t("invitations.revokeTitle")}
        text={t("invitations.revokeText", { email: revoking?.email ?? "" })}
        confirm={t("invitations.revokeTitle")}
        act={async () => {
          if (revoking !== null) await revoke.mutateAsync(revoking);
        }}
      />
    </SettingsPage>
  );
}
