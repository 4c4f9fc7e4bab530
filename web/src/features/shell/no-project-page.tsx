import { useQuery, useSuspenseQuery } from "@tanstack/react-query";
import type { Organization } from "@/api/contract";
import { myInvitationsQuery } from "@/api/identity-queries";
import { meQuery } from "@/api/queries";
import { Button } from "@/components/ui/button";
import { TextInput } from "@/components/ui/field";
import { FormError } from "@/components/ui/form-error";
import { PageHeader, useTitle } from "@/components/ui/page";
import { InvitationList } from "@/features/account/my-invitations";
import { t } from "@/i18n";
import { preferences, usePreference } from "@/lib/preferences";
import { currentPlace } from "@/lib/projects";
import { personName } from "@/lib/roles";
import { useOrganizationPermissions } from "@/lib/use-permissions";
import { useCreateOrganization, useCreateProject } from "./create-dialogs";

/** The first steps: an organisation, then a project. */
export function NoProjectPage() {
  const { data: me } = useSuspenseQuery(meQuery());
  const last = usePreference(preferences.organization);
  const { data: invitations } = useQuery(myInvitationsQuery());
  const { organization } = currentPlace(me, {}, { project: "", organization: last });
  useTitle(t("project.none.title"));
  return (
    <>
      <PageHeader title={t("onboarding.welcome", { name: me.first_name || personName(me) })} />
      <div className="overflow-y-auto">
        <div className="mx-auto flex w-full max-w-lg flex-col gap-6 px-4 py-12">
          {invitations !== undefined && invitations.length > 0 && (
            <section className="flex flex-col gap-2">
              <h1 className="text-lg font-semibold">{t("onboarding.invited")}</h1>
              <InvitationList invitations={invitations} />
            </section>
          )}
          {organization === null ? (
            <FirstOrganization invited={(invitations?.length ?? 0) > 0} />
          ) : (
            <FirstProject key={organization.id} organization={organization} />
          )}
        </div>
      </div>
    </>
  );
}

function FirstOrganization({ invited }: { invited: boolean }) {
  const form = useCreateOrganization(() => undefined);
  return (
    <form onSubmit={form.onSubmit} className="flex flex-col gap-4">
      <div>
        <h2 className="text-lg font-semibold">{t(invited ? "onboarding.orCreate" : "onboarding.noOrganization")}</h2>
        {!invited && <p className="text-muted">{t("onboarding.noOrganizationText")}</p>}
      </div>
      <TextInput label={t("organizations.name")} hint={t("organizations.createHint")} required large {...form.field("name")} />
      <FormError failure={form.failure} />
      <Button type="submit" variant={invited ? "outline" : "primary"} disabled={form.busy} className="self-start">
        {t("organizations.createSubmit")}
      </Button>
    </form>
  );
}

function FirstProject({ organization }: { organization: Organization }) {
  const { can } = useOrganizationPermissions(organization.id);
  const form = useCreateProject(organization.id, () => undefined);
  if (!can("projects:write")) {
    return (
      <div>
        <h2 className="text-lg font-semibold">{t("project.none.title")}</h2>
        <p className="text-muted">{t("onboarding.noProjectDenied", { name: organization.name })}</p>
      </div>
    );
  }
  return (
    <form onSubmit={form.onSubmit} className="flex flex-col gap-4">
      <div>
        <h2 className="text-lg font-semibold break-words">{t("onboarding.noProject", { name: organization.name })}</h2>
        <p className="text-muted">{t("onboarding.noProjectText")}</p>
      </div>
      <TextInput label={t("projects.name")} hint={t("projects.nameHint")} required large {...form.field("name")} />
      <FormError failure={form.failure} />
      <Button type="submit" variant="primary" disabled={form.busy} className="self-start">
        {t("projects.createSubmit")}
      </Button>
    </form>
  );
}
