import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { invitations, type MyInvitation } from "@/api/identity";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { t } from "@/i18n";
import { preferences } from "@/lib/preferences";
import { roleName } from "@/lib/roles";
import { formatMinute } from "@/lib/time";
import { useAction } from "@/lib/use-action";

/** Invitations that wait for an answer. */
export function InvitationList({ invitations: list }: { invitations: readonly MyInvitation[] }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [declining, setDeclining] = useState<MyInvitation | null>(null);
  const accept = useAction((invitation: MyInvitation) => invitations.accept({ invitation_id: invitation.id }), {
    stale: [["my-invitations"], ["organizations"]],
    done: (invitation) => t("invitation.accepted", { name: invitation.organization_name }),
    onDone: async ({ organization_id: id }) => {
      preferences.organization.set(id);
      preferences.project.set("");
      await client.invalidateQueries({ queryKey: ["me"] });
      await navigate({ to: "/" });
    },
  });
  const decline = useAction((invitation: MyInvitation) => invitations.declineMine(invitation.id), {
    stale: [["my-invitations"]],
    done: (invitation) => t("invitation.declined", { name: invitation.organization_name }),
  });
  return (
    <>
      <ul className="rounded-lg border border-line">
        {list.map((invitation) => (
          <li key={invitation.id} className="flex flex-wrap items-center gap-3 border-t border-line px-4 py-3 first:border-t-0">
            <div className="min-w-48 flex-1">
              <p className="truncate font-medium">{invitation.organization_name}</p>
              <p className="text-muted">
                {t("invitation.line", {
                  role: roleName(invitation.role),
                  by: invitation.invited_by ?? t("invitation.somebody"),
                  until: formatMinute(Date.parse(invitation.expires_at)),
                })}
              </p>
            </div>
            <div className="flex gap-2">
              <Button
                variant="ghost"
                aria-label={`${t("invitation.decline")}: ${invitation.organization_name}`}
                disabled={accept.isPending}
                onClick={() => setDeclining(invitation)}
              >
                {t("invitation.decline")}
              </Button>
              <Button
                variant="primary"
                aria-label={`${t("invitation.accept")}: ${invitation.organization_name}`}
                disabled={accept.isPending}
                onClick={() => accept.mutate(invitation)}
              >
                {t("invitation.accept")}
              </Button>
            </div>
          </li>
        ))}
      </ul>
      <ConfirmDialog
        open={declining !== null}
        onClose={() => setDeclining(null)}
        title={t("invitation.declineConfirm")}
        text={t("invitation.declineText", { name: declining?.organization_name ?? "" })}
        confirm={t("invitation.declineConfirm")}
        act={async () => {
          if (declining !== null) await decline.mutateAsync(declining);
        }}
      />
    </>
  );
}
