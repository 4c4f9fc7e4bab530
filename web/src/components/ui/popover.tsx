import * as Radix from "@radix-ui/react-popover";
import type { ComponentProps } from "react";
import { cx } from "./cx";

export const Popover = Radix.Root;
export const PopoverTrigger = Radix.Trigger;
export const PopoverClose = Radix.Close;

export function PopoverContent({ className, ...rest }: ComponentProps<typeof Radix.Content>) {
  return (
    <Radix.Portal>
      <Radix.Content
        sideOffset={4}
        collisionPadding={8}
        className={cx(
          "appear z-50 rounded-lg border border-line bg-raised p-2 text-sm shadow-float outline-none",
          className,
        )}
        {...rest}
      />
    </Radix.Portal>
  );
}
