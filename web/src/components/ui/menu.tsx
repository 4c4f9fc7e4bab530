import * as Radix from "@radix-ui/react-dropdown-menu";
import { Check, EllipsisVertical } from "lucide-react";
import type { ComponentProps, ReactNode } from "react";
import { IconButton } from "./button";
import { cx } from "./cx";

export const MenuTrigger = Radix.Trigger;
export const MenuRadioGroup = Radix.RadioGroup;

/** Not modal: the modal form injects a style element, which the content security policy refuses. */
export function Menu(props: ComponentProps<typeof Radix.Root>) {
  return <Radix.Root modal={false} {...props} />;
}

export function MenuContent({ className, children, ...rest }: ComponentProps<typeof Radix.Content>) {
  return (
    <Radix.Portal>
      <Radix.Content
        sideOffset={4}
        collisionPadding={8}
        className={cx(
          "appear z-50 max-h-[min(70vh,var(--radix-dropdown-menu-content-available-height))] min-w-44 overflow-y-auto rounded-lg border border-line bg-raised p-1 text-sm shadow-float outline-none",
          className,
        )}
        {...rest}
      >
        {children}
      </Radix.Content>
    </Radix.Portal>
  );
}

const ITEM =
  "flex h-7 items-center gap-2 rounded-md px-2 outline-none select-none data-[highlighted]:bg-hover data-[disabled]:opacity-50";

interface MenuItemProps extends ComponentProps<typeof Radix.Item> {
  /** Why it cannot be chosen. */
  denied?: string | false;
  danger?: boolean;
}

export function MenuItem({ className, denied = false, danger = false, ...rest }: MenuItemProps) {
  return (
    <Radix.Item
      className={cx(ITEM, danger && "text-error", className)}
      {...(denied !== false && { disabled: true, "data-tip": denied, "aria-description": denied })}
      {...rest}
    />
  );
}

/** What can be done with a row: three dots that open a menu. */
export function RowMenu({ label, children }: { label: string; children: ReactNode }) {
  return (
    <Menu>
      <MenuTrigger asChild>
        {/* No tip: it would lie over the menu. */}
        <IconButton label={label} data-tip={undefined}>
          <EllipsisVertical className="size-4" aria-hidden />
        </IconButton>
      </MenuTrigger>
      <MenuContent align="end">{children}</MenuContent>
    </Menu>
  );
}

function Marked({ children }: { children: ReactNode }) {
  return (
    <>
      <span className="flex min-w-0 flex-1 items-center gap-2 truncate">{children}</span>
      <span className="size-4 shrink-0">
        <Radix.ItemIndicator>
          <Check className="size-4 text-accent" aria-hidden />
        </Radix.ItemIndicator>
      </span>
    </>
  );
}

export function MenuRadioItem({ className, children, ...rest }: ComponentProps<typeof Radix.RadioItem>) {
  return (
    <Radix.RadioItem className={cx(ITEM, className)} {...rest}>
      <Marked>{children}</Marked>
    </Radix.RadioItem>
  );
}

export function MenuCheckboxItem({ className, children, ...rest }: ComponentProps<typeof Radix.CheckboxItem>) {
  return (
    <Radix.CheckboxItem
      className={cx(ITEM, className)}
      // Stays open, so that several can be chosen.
      onSelect={(event) => event.preventDefault()}
      {...rest}
    >
      <Marked>{children}</Marked>
    </Radix.CheckboxItem>
  );
}

export function MenuLabel({ children }: { children: ReactNode }) {
  return <Radix.Label className="truncate px-2 pt-1.5 pb-0.5 text-xs text-muted">{children}</Radix.Label>;
}

export function MenuSeparator() {
  return <Radix.Separator className="-mx-1 my-1 h-px bg-line" />;
}
