import { useMutation, useQueryClient, type QueryKey } from "@tanstack/react-query";
import { toApiError } from "@/api/error";
import { toast, toastError } from "@/components/ui/toast-store";
import { t } from "@/i18n";

interface ActionOptions<Input, Output> {
  /** What is stale afterwards. */
  stale: readonly QueryKey[];
  /** What is said when it is done. */
  done?: (input: Input, output: Output) => string;
  /** Takes it back, where that is possible. */
  undo?: (input: Input) => Promise<unknown>;
  onDone?: (output: Output, input: Input) => void | Promise<void>;
}

/**
 * Something that a button does: says that it is done, offers to undo it, or says why it failed. It is busy until what it made
 * stale has come anew, so that nothing on the page contradicts it.
 */
export function useAction<Input = void, Output = unknown>(
  act: (input: Input) => Promise<Output>,
  { stale, done, undo, onDone }: ActionOptions<Input, Output>,
) {
  const client = useQueryClient();
  const refresh = () => Promise.all(stale.map((queryKey) => client.invalidateQueries({ queryKey })));
  return useMutation({
    mutationFn: act,
    onSuccess: async (output, input) => {
      await onDone?.(output, input);
      await refresh();
      if (done === undefined) return;
      toast({
        text: done(input, output),
        ...(undo !== undefined && {
          action: {
            label: t("action.undo"),
            run: () => {
              undo(input).then(
                () => void refresh(),
                (error: unknown) => toastError(toApiError(error)),
              );
            },
          },
        }),
      });
    },
    onError: (error) => toastError(toApiError(error)),
  });
}
