import { useEffect, useState, type SubmitEvent } from "react";
import { toApiError, type ApiError } from "@/api/error";

/** What a field needs of its form. */
export interface FieldState<Value> {
  value: Value;
  onChange: (value: Value) => void;
  error: string | undefined;
}

/** Values, sending, and what the server said about which field. The first wrong field gets the focus. */
export function useForm<Values extends object>(initial: Values, send: (values: Values, reset: () => void) => Promise<void>) {
  const [values, setValues] = useState(initial);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<ApiError | null>(null);
  const [errors, setErrors] = useState<Readonly<Record<string, string>>>({});
  /** The form that was sent last. */
  const [element, setElement] = useState<EventTarget | null>(null);

  useEffect(() => {
    if (Object.keys(errors).length > 0) (element as HTMLFormElement | null)?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [element, errors]);

  const set = (patch: Partial<Values>) => {
    setValues((previous) => ({ ...previous, ...patch }));
    setErrors((previous) => Object.fromEntries(Object.entries(previous).filter(([name]) => !(name in patch))));
  };
  const submit = async () => {
    setBusy(true);
    setFailure(null);
    setErrors({});
    try {
      await send(values, () => setValues(initial));
    } catch (error) {
      const failed = toApiError(error);
      setErrors(failed.fieldErrors);
      // What stands at a field of this form is not said twice.
      const named = Object.keys(failed.fieldErrors);
      setFailure(named.length > 0 && named.every((name) => name in values) ? null : failed);
    } finally {
      setBusy(false);
    }
  };
  return {
    values,
    set,
    busy,
    failure,
    field: <Name extends keyof Values & string>(name: Name): FieldState<Values[Name]> => ({
      value: values[name],
      onChange: (value) => set({ [name]: value } as unknown as Partial<Values>),
      error: errors[name],
    }),
    onSubmit: (event: SubmitEvent) => {
      event.preventDefault();
      setElement(event.currentTarget);
      if (!busy) void submit();
    },
  };
}
