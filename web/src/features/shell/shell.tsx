import { Outlet } from "@tanstack/react-router";
import { useCallback, useState } from "react";
import { t } from "@/i18n";
import { useHotkeys } from "@/lib/use-hotkeys";
import { Navigation } from "./navigation";
import { NavigationContext } from "./navigation-context";
import { ShortcutsDialog } from "./shortcuts-dialog";

/** The frame of every page after the log-in: navigation on the left, the page beside it. */
export function Shell() {
  const [drawer, setDrawer] = useState(false);
  const closeDrawer = useCallback(() => setDrawer(false), []);
  const [shortcuts, setShortcuts] = useState(false);
  useHotkeys({
    "?": () => {
      setShortcuts(true);
      return true;
    },
  });

  return (
    <NavigationContext value={{ openDrawer: () => setDrawer(true), openShortcuts: () => setShortcuts(true) }}>
      <a
        href="#content"
        className="absolute -top-12 left-2 z-[90] rounded-md bg-accent px-3 py-1 text-on-accent focus:top-2"
      >
        {t("app.skip")}
      </a>
      <div className="flex h-full">
        <Navigation drawer={drawer} onCloseDrawer={closeDrawer} />
        <main id="content" inert={drawer} tabIndex={-1} className="flex min-w-0 flex-1 flex-col bg-surface outline-none">
          <Outlet />
        </main>
      </div>
      <ShortcutsDialog open={shortcuts} onClose={() => setShortcuts(false)} />
    </NavigationContext>
  );
}
