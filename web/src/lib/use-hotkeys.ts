import { useEffect, useEffectEvent } from "react";

/** What to do per key (KeyboardEvent.key). Return false to leave the key to the browser. */
export type Hotkeys = Readonly<Record<string, (event: KeyboardEvent) => boolean | undefined>>;

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"));
}

/** Keys for the whole page; they rest while somebody types or a menu or dialog is open. */
export function useHotkeys(keys: Hotkeys): void {
  const onKeyDown = useEffectEvent((event: KeyboardEvent) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const action = keys[event.key];
    if (action === undefined) return;
    if (document.querySelector('dialog[open], [role="menu"], [data-radix-popper-content-wrapper]') !== null) return;
    if (action(event) !== false) event.preventDefault();
  });
  useEffect(() => {
    const listener = (event: KeyboardEvent) => onKeyDown(event);
    document.addEventListener("keydown", listener);
    return () => document.removeEventListener("keydown", listener);
  }, []);
}
