import type { ReactNode } from "react";
import { t } from "@/i18n";
import { useForm } from "@/lib/use-form";
import { TextInput } from "./field";
import { FormDialog } from "./form-dialog";

interface ConfirmDialogProps {
  open: boolean;
  onClose: () => void;
  title: string;
  text: ReactNode;
  confirm: string;
  /** Asks for this to be typed, for what cannot be taken back. */
  typeName?: string;
  danger?: boolean;
  act: () => Promise<unknown>;
}

/** Asks before something happens, and stays open with the reason when it does not. */
export function ConfirmDialog(props: ConfirmDialogProps) {
  // Made anew for each time that it opens.
  return props.open ? <OpenConfirmDialog {...props} /> : null;
}

function OpenConfirmDialog({ open, onClose, title, text, confirm, typeName, danger = true, act }: ConfirmDialogProps) {
  const form = useForm({ name: "" }, async () => {
    await act();
    onClose();
  });
  return (
    <FormDialog
      open={open}
      onClose={onClose}
      title={title}
      form={form}
      submit={confirm}
      danger={danger}
      disabled={typeName !== undefined && form.values.name.trim() !== typeName}
      className="w-[min(440px,calc(100vw-24px))]"
    >
      <div className="break-words">{text}</div>
      {typeName !== undefined && (
        <TextInput
          label={t("confirm.typeName", { name: typeName })}
          autoComplete="off"
          spellCheck={false}
          {...form.field("name")}
        />
      )}
    </FormDialog>
  );
}
