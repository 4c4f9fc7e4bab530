import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createLazyRoute, getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { session } from "@/api/client";
import { toApiError } from "@/api/error";
import { invitations, type InvitationPreview } from "@/api/identity";
import { invitationPreviewQuery } from "@/api/identity-queries";
import { meQuery } from "@/api/queries";
import { ErrorNotice } from "@/components/error-notice";
import { Button } from "@/components/ui/button";
import { SkeletonLines } from "@/components/ui/page";
import { t } from "@/i18n";
import { preferences } from "@/lib/preferences";
import { roleName } from "@/lib/roles";
import { formatMinute } from "@/lib/time";
import { useAction } from "@/lib/use-action";
import { AuthPage } from "./auth-page";
import { SignUpForm } from "./sign-up-form";

export const route = createLazyRoute("/invitation")({ component: InvitationPage });
const api = getRouteApi("/invitation");

function InvitationPage() {
  const { token } = api.useSearch();
  const [declined, setDeclined] = useState(false);
  const invitation = useQuery({ ...invitationPreviewQuery(token ?? ""), enabled: token !== undefined });
  const signedIn = useQuery({ queryKey: ["signed-in"], queryFn: () => session.ensure(), gcTime: 0 });

  if (declined) return <AuthPage title={t("invitation.declinedTitle")} lead={t("invitation.declinedText")} />;
  if (token === undefined || (invitation.isError && toApiError(invitation.error).status === 404)) {
    return (
      <AuthPage title={t("invitation.badTitle")} lead={t("invitation.badText")}>
        <Link to="/" className="self-start text-accent hover:underline">
          {t("invitation.toApp")}
        </Link>
      </AuthPage>
    );
  }
  if (invitation.isError) {
    return (
      <AuthPage title={t("invitation.title")}>
        <ErrorNotice error={invitation.error} onRetry={() => void invitation.refetch()} />
      </AuthPage>
    );
  }
  if (invitation.isPending || signedIn.isPending) {
    return (
      <AuthPage title={t("invitation.title")}>
        <SkeletonLines />
      </AuthPage>
    );
  }
  const shown = invitation.data;
  return (
    <AuthPage title={t("invitation.join", { name: shown.organization_name })}>
      <Facts invitation={shown} />
      {signedIn.data === true ? (
        <Answer token={token} invitation={shown} onDeclined={() => setDeclined(true)} />
      ) : (
        <Newcomer token={token} invitation={shown} onDeclined={() => setDeclined(true)} />
      )}
    </AuthPage>
  );
}

function Facts({ invitation }: { invitation: InvitationPreview }) {
  const rows = [
    [t("invitation.for"), invitation.email],
    [t("invitation.role"), roleName(invitation.role)],
    [t("invitation.by"), invitation.invited_by],
    [t("invitation.until"), formatMinute(Date.parse(invitation.expires_at))],
  ] as const;
  return (
    <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1 rounded-md border border-line px-3 py-2">
      {rows.map(
        ([name, value]) =>
          value !== null && (
            <div key={name} className="contents">
              <dt className="text-muted">{name}</dt>
              <dd className="truncate font-medium">{value}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

interface StepProps {
  token: string;
  invitation: InvitationPreview;
  onDeclined: () => void;
}

function DeclineButton({ token, onDeclined }: { token: string; onDeclined: () => void }) {
  const decline = useAction(() => invitations.decline(token), { stale: [["my-invitations"]], onDone: onDeclined });
  return (
    <Button variant="ghost" className="h-9" disabled={decline.isPending} onClick={() => decline.mutate()}>
      {t("invitation.decline")}
    </Button>
  );
}

/** For somebody who is logged in. */
function Answer({ token, invitation, onDeclined }: StepProps) {
  const { data: me } = useQuery(meQuery());
  const client = useQueryClient();
  const navigate = useNavigate();
  const accept = useAction(() => invitations.accept({ token }), {
    stale: [],
    done: () => t("invitation.accepted", { name: invitation.organization_name }),
    onDone: async ({ organization_id: id }) => {
      preferences.organization.set(id);
      preferences.project.set("");
      await client.invalidateQueries();
      await navigate({ to: "/" });
    },
  });
  if (me === undefined) return <SkeletonLines count={2} />;
  if (me.email.toLowerCase() !== invitation.email.toLowerCase()) {
    return (
      <>
        <p className="rounded-md bg-warning-soft px-3 py-2 break-words text-warning">
          {t("invitation.other", { email: invitation.email, mine: me.email })}
        </p>
        <Button
          className="h-9"
          onClick={() => {
            void session.logout().finally(() => void client.resetQueries());
          }}
        >
          {t("nav.logout")}
        </Button>
      </>
    );
  }
  return (
    <div className="flex gap-2">
      <Button variant="primary" className="h-9 flex-1 text-base" disabled={accept.isPending} onClick={() => accept.mutate()}>
        {t("invitation.accept")}
      </Button>
      <DeclineButton token={token} onDeclined={onDeclined} />
    </div>
  );
}

/** For somebody who is not: logs in and comes back, or makes an account. */
function Newcomer({ token, invitation, onDeclined }: StepProps) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const next = `/invitation?token=${encodeURIComponent(token)}`;
  if (invitation.account_exists) {
    return (
      <>
        <p className="text-muted">{t("invitation.loginText")}</p>
        <div className="flex gap-2">
          <Link
            to="/login"
            search={{ next }}
            className="flex h-9 flex-1 items-center justify-center rounded-md bg-accent text-base font-medium text-on-accent hover:bg-accent-hover"
          >
            {t("invitation.login")}
          </Link>
          <DeclineButton token={token} onDeclined={onDeclined} />
        </div>
      </>
    );
  }
  return (
    <>
      <SignUpForm
        invitation={{ token, email: invitation.email }}
        onDone={(answer) => {
          if (answer.session !== null) session.adopt(answer.session);
          client.clear();
          void navigate({ to: "/" });
        }}
      />
      <DeclineButton token={token} onDeclined={onDeclined} />
    </>
  );
}
