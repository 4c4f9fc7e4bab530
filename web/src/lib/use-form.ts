import { useEffect, useState, type SubmitEvent } from "react";
import { toApiError, type ApiError } from "@/api/error";

/** What a field needs of its form. */
export interface FieldState<Value> {
  value: Value;
  onChange: (value: Value) => void;
  error: string | undefined;
}

/** Values, sending, and what the server said about which field. The first wrong field gets the focus. */
export function useForm<Values extends object>(
  initial: Values,
  send: (values: Values, reset: () => void) => Promise<void>,
  /** Whether what is wrong with a field is shown at it. */
  shows: (field: string) => boolean = (field) => field in initial,
) {
  const [values, setValues] = useState(initial);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<ApiError | null>(null);
  const [errors, setErrors] = useState<Readonly<Record<string, string>>>({});
  /** The form that was sent last. */
  const [element, setElement] = useState<EventTarget | null>(null);

  useEffect(() => {
    if (Object.keys(errors).length > 0) (element as HTMLFormElement | null)?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [element, errors]);

  /** `path`: the field within, where one of `Values` holds several; what was wrong with it is not said any more. */
  const set = (patch: Partial<Values>, path?: string) => {
    setValues((previous) => ({ ...previous, ...patch }));
    setErrors((previous) => Object.fromEntries(Object.entries(previous).filter(([name]) => !(name in patch) && !(path !== undefined && name.startsWith(path)))));
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
      setFailure(named.length > 0 && named.every(shows) ? null : failed);
    } finally {
      setBusy(false);
    }
  };
  return {
    values,
    set,
    busy,
    failure,
    errors,
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
