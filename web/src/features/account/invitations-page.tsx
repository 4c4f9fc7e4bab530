import { useQuery } from "@tanstack/react-query";
import { createLazyRoute } from "@tanstack/react-router";
import { myInvitationsQuery } from "@/api/identity-queries";
import { ErrorNotice } from "@/components/error-notice";
import { Empty, SettingsPage, SkeletonLines } from "@/components/ui/page";
import { t } from "@/i18n";
import { InvitationList } from "./my-invitations";

export const route = createLazyRoute("/app/account/invitations")({ component: MyInvitationsPage });

function MyInvitationsPage() {
  const invitations = useQuery(myInvitationsQuery());
  return (
    <SettingsPage title={t("account.invitations")} description={t("account.invitationsText")}>
      {invitations.isPending ? (
        <SkeletonLines />
      ) : invitations.isError ? (
        <ErrorNotice error={invitations.error} onRetry={() => void invitations.refetch()} />
      ) : invitations.data.length === 0 ? (
        <div className="rounded-lg border border-line">
          <Empty title={t("account.noInvitations")} text={t("account.noInvitationsText")} />
        </div>
      ) : (
        <InvitationList invitations={invitations.data} />
      )}
    </SettingsPage>
  );
}
