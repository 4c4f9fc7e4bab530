import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createLazyRoute, getRouteApi, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { organizations, type OrganizationView } from "@/api/identity";
import { organizationQuery } from "@/api/identity-queries";
import { ErrorNotice } from "@/components/error-notice";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { CopyButton } from "@/components/ui/copy-button";
import { TextInput } from "@/components/ui/field";
import { FormError } from "@/components/ui/form-error";
import { ActionRow, Section, SettingsPage, SkeletonLines } from "@/components/ui/page";
import { Time } from "@/components/ui/time";
import { toast } from "@/components/ui/toast-store";
import { t } from "@/i18n";
import { preferences } from "@/lib/preferences";
import { useAction } from "@/lib/use-action";
import { useForm } from "@/lib/use-form";
import { useOrganizationPermissions, type Permissions } from "@/lib/use-permissions";
import { TransferDialog } from "./transfer-dialog";

export const route = createLazyRoute("/app/organizations/$organizationId/")({ component: GeneralPage });
const api = getRouteApi("/app/organizations/$organizationId/");

function GeneralPage() {
  const { organizationId } = api.useParams();
  const organization = useQuery(organizationQuery(organizationId));
  const permissions = useOrganizationPermissions(organizationId);
  return (
    <SettingsPage title={t("organization.general")}>
      {organization.isPending ? (
        <SkeletonLines count={6} />
      ) : organization.isError ? (
        <ErrorNotice error={organization.error} onRetry={() => void organization.refetch()} />
      ) : (
        <>
          <NameSection organization={organization.data} permissions={permissions} />
          <FactsSection organization={organization.data} />
          <DangerSection organization={organization.data} permissions={permissions} />
        </>
      )}
    </SettingsPage>
  );
}

interface PartProps {
  organization: OrganizationView;
  permissions: Permissions;
}

function NameSection({ organization, permissions }: PartProps) {
  const client = useQueryClient();
  const form = useForm({ name: organization.name }, async ({ name }) => {
    await organizations.rename(organization.id, name.trim());
    await Promise.all([["me"], ["organization", organization.id], ["organizations"]].map((queryKey) => client.invalidateQueries({ queryKey })));
    toast({ text: t("toast.saved") });
  });
  const denied = permissions.denied("organizations:write");
  return (
    <Section title={t("organization.name")} description={t("organization.nameText")}>
      <form onSubmit={form.onSubmit} className="flex flex-col gap-4">
        <TextInput label={t("organization.name")} bare readOnly={denied !== false} className="max-w-md" {...form.field("name")} />
        <FormError failure={form.failure} />
        <Button
          type="submit"
          variant="primary"
          denied={denied}
          disabled={form.busy || form.values.name.trim() === organization.name || form.values.name.trim() === ""}
          className="self-start"
        >
          {t("action.save")}
        </Button>
      </form>
    </Section>
  );
}

function FactsSection({ organization }: { organization: OrganizationView }) {
  return (
    <Section title={t("organization.facts")}>
      <dl className="grid grid-cols-[auto_1fr] items-center gap-x-6 gap-y-2">
        <dt className="text-muted">{t("organization.status")}</dt>
        <dd>
          <Badge tone={organization.status === "active" ? "plain" : "warning"}>{t(`life.${organization.status}`)}</Badge>
        </dd>
        <dt className="text-muted">{t("organization.size")}</dt>
        <dd>{t("organizations.size", { members: organization.member_count, projects: organization.project_count })}</dd>
        <dt className="text-muted">{t("organization.id")}</dt>
        <dd className="flex min-w-0 items-center gap-1">
          <code className="code truncate">{organization.id}</code>
          <CopyButton text={organization.id} />
        </dd>
        <dt className="text-muted">{t("organizations.created")}</dt>
        <dd>
          <Time value={organization.created_at} />
        </dd>
      </dl>
    </Section>
  );
}

type Open = "leave" | "transfer" | "delete" | null;

function DangerSection({ organization, permissions }: PartProps) {
  const { id, name } = organization;
  const client = useQueryClient();
  const navigate = useNavigate();
  const [open, setOpen] = useState<Open>(null);
  const archived = organization.status === "archived";
  const stale = [["me"], ["organization", id], ["organizations"]];
  const archive = useAction(() => organizations.archive(id), {
    stale,
    done: () => t("organization.archived", { name }),
    undo: () => organizations.unarchive(id),
  });
  const unarchive = useAction(() => organizations.unarchive(id), { stale, done: () => t("organization.unarchived", { name }) });
  const restore = useAction(() => organizations.restore(id), { stale, done: () => t("organizations.restored", { name }) });
  const close = () => setOpen(null);
  const goAway = async () => {
    preferences.organization.set("");
    preferences.project.set("");
    await navigate({ to: "/account/organizations" });
    await Promise.all(stale.map((queryKey) => client.invalidateQueries({ queryKey })));
  };
  const admin = permissions.denied("organizations:admin");
  return (
    <section aria-label={t("organization.danger")} className="rounded-lg border border-error/40">
      <ActionRow title={t(archived ? "organization.unarchive" : "organization.archive")} description={t("organization.archiveText")}>
        <Button
          denied={admin}
          disabled={archive.isPending || unarchive.isPending}
          onClick={() => (archived ? unarchive.mutate() : archive.mutate())}
        >
          {t(archived ? "action.unarchive" : "action.archive")}
        </Button>
      </ActionRow>
      <ActionRow title={t("organization.transfer")} description={t("organization.transferText")}>
        <Button denied={admin} onClick={() => setOpen("transfer")}>
          {t("organization.transferButton")}
        </Button>
      </ActionRow>
      <ActionRow title={t("organizations.leave")} description={t("organization.leaveText")}>
        <Button onClick={() => setOpen("leave")}>{t("organization.leaveButton")}</Button>
      </ActionRow>
      <ActionRow title={t("organization.delete")} description={t("organization.deleteText")}>
        <Button variant="danger" denied={permissions.denied("organizations:delete")} onClick={() => setOpen("delete")}>
          {t("action.delete")}
        </Button>
      </ActionRow>
      <TransferDialog open={open === "transfer"} onClose={close} organization={organization} />
      <ConfirmDialog
        open={open === "leave"}
        onClose={close}
        title={t("organizations.leave")}
        text={t("organizations.leaveText", { name })}
        confirm={t("organizations.leave")}
        act={async () => {
          await organizations.leave(id);
          await goAway();
        }}
      />
      <ConfirmDialog
        open={open === "delete"}
        onClose={close}
        title={t("organization.delete")}
        text={t("organization.deleteConfirm", { name, projects: organization.project_count })}
        confirm={t("organization.delete")}
        typeName={name}
        act={async () => {
          await organizations.delete(id);
          await goAway();
          toast({
            text: t("organization.deletedToast", { name }),
            action: { label: t("action.undo"), run: () => restore.mutate() },
          });
        }}
      />
    </section>
  );
}
