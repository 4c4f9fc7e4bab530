import { useQuery } from "@tanstack/react-query";
import type { SignUpResult } from "@/api/identity";
import { auth } from "@/api/identity";
import { authOptionsQuery } from "@/api/identity-queries";
import { Button } from "@/components/ui/button";
import { PasswordInput, TextInput } from "@/components/ui/field";
import { FormError } from "@/components/ui/form-error";
import { t } from "@/i18n";
import { useForm } from "@/lib/use-form";

interface SignUpFormProps {
  /** Comes with the address that it is for. */
  invitation?: { token: string; email: string };
  onDone: (answer: SignUpResult, email: string) => void;
}

/** What is asked of somebody new. */
export function SignUpForm({ invitation, onDone }: SignUpFormProps) {
  const { data: options } = useQuery(authOptionsQuery());
  const form = useForm(
    { first_name: "", last_name: "", email: invitation?.email ?? "", password: "", organization_name: "" },
    async (values) => {
      const { organization_name: organization, ...person } = values;
      const answer = await auth.signUp({
        ...person,
        email: person.email.trim(),
        ...(invitation === undefined
          ? organization.trim() !== "" && { organization_name: organization.trim() }
          : { invitation_token: invitation.token }),
      });
      onDone(answer, person.email.trim());
    },
  );
  return (
    <form onSubmit={form.onSubmit} className="flex flex-col gap-4">
      <FormError failure={form.failure} />
      <div className="grid grid-cols-2 gap-3">
        <TextInput label={t("person.firstName")} autoComplete="given-name" required large {...form.field("first_name")} />
        <TextInput label={t("person.lastName")} autoComplete="family-name" required large {...form.field("last_name")} />
      </div>
      <TextInput
        label={t("login.email")}
        type="email"
        autoComplete="username"
        required
        large
        readOnly={invitation !== undefined}
        hint={invitation === undefined ? undefined : t("signup.fixedEmail")}
        {...form.field("email")}
      />
      <PasswordInput
        label={t("login.password")}
        autoComplete="new-password"
        required
        large
        minLength={options?.password.min_length}
        maxLength={options?.password.max_length}
        hint={t("password.hint", { count: options?.password.min_length ?? 12 })}
        {...form.field("password")}
      />
      {invitation === undefined && (
        <TextInput
          label={t("signup.organization")}
          hint={t("signup.organizationHint")}
          autoComplete="organization"
          large
          {...form.field("organization_name")}
        />
      )}
      <Button type="submit" variant="primary" disabled={form.busy} className="h-9 text-base">
        {t(form.busy ? "signup.submitting" : "signup.submit")}
      </Button>
    </form>
  );
}
