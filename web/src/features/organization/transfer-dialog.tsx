import { useQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { organizations, type OrganizationView } from "@/api/identity";
import { membersQuery } from "@/api/identity-queries";
import { meQuery } from "@/api/queries";
import { Select, TextInput } from "@/components/ui/field";
import { FormDialog } from "@/components/ui/form-dialog";
import { toast } from "@/components/ui/toast-store";
import { t } from "@/i18n";
import { personName } from "@/lib/roles";
import { useForm } from "@/lib/use-form";

interface TransferDialogProps {
  open: boolean;
  onClose: () => void;
  organization: OrganizationView;
}

export function TransferDialog(props: TransferDialogProps) {
  return props.open ? <OpenTransferDialog {...props} /> : null;
}

function OpenTransferDialog({ onClose, organization }: TransferDialogProps) {
  const client = useQueryClient();
  const { data: me } = useSuspenseQuery(meQuery());
  const { data: members } = useQuery(membersQuery(organization.id));
  const candidates = (members ?? []).filter((member) => member.user_id !== me.id && member.status === "active");
  const form = useForm({ user_id: "", name: "" }, async ({ user_id: userId }) => {
    await organizations.transfer(organization.id, userId);
    await Promise.all(["me", "organization", "organizations"].map((key) => client.invalidateQueries({ queryKey: [key] })));
    const heir = candidates.find((member) => member.user_id === userId);
    toast({ text: t("organization.transferred", { name: heir === undefined ? "" : personName(heir) }) });
    onClose();
  });
  return (
    <FormDialog
      open
      onClose={onClose}
      title={t("organization.transfer")}
      form={form}
      submit={t("organization.transferButton")}
      danger
      disabled={form.values.user_id === "" || form.values.name.trim() !== organization.name}
      className="w-[min(440px,calc(100vw-24px))]"
    >
      <p>{t("organization.transferConfirm")}</p>
      <Select
        label={t("organization.newOwner")}
        options={[
          { value: "", label: t(members === undefined ? "table.loadingMore" : "organization.chooseMember"), disabled: true },
          ...candidates.map((member) => ({ value: member.user_id, label: `${personName(member)} (${member.email})` })),
        ]}
        {...form.field("user_id")}
      />
      <TextInput label={t("confirm.typeName", { name: organization.name })} autoComplete="off" {...form.field("name")} />
    </FormDialog>
  );
}
