import type { ReactNode, SubmitEvent } from "react";
import type { ApiError } from "@/api/error";
import { t } from "@/i18n";
import { Button } from "./button";
import { Dialog } from "./dialog";
import { FormError } from "./form-error";

interface FormLike {
  busy: boolean;
  failure: ApiError | null;
  onSubmit: (event: SubmitEvent) => void;
}

interface FormDialogProps {
  open: boolean;
  onClose: () => void;
  title: string;
  form: FormLike;
  submit: string;
  danger?: boolean;
  disabled?: boolean;
  className?: string;
  children: ReactNode;
}

/** A form in a dialog, with its buttons and what went wrong. */
export function FormDialog({ open, onClose, title, form, submit, danger = false, disabled = false, className, children }: FormDialogProps) {
  return (
    <Dialog open={open} onClose={onClose} title={title} className={className}>
      <form onSubmit={form.onSubmit} noValidate className="flex flex-col gap-4">
        {children}
        <FormError failure={form.failure} />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button type="submit" variant={danger ? "danger" : "primary"} disabled={form.busy || disabled}>
            {submit}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
