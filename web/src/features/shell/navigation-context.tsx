import { Menu as MenuIcon } from "lucide-react";
import { createContext, use } from "react";
import { IconButton } from "@/components/ui/button";
import { t } from "@/i18n";

interface NavigationActions {
  openDrawer: () => void;
  openShortcuts: () => void;
}

export const NavigationContext = createContext<NavigationActions>({
  openDrawer: () => undefined,
  openShortcuts: () => undefined,
});

/** Opens the navigation where there is no room for it; stands first in the header of every page. */
export function OpenNavigationButton() {
  const { openDrawer } = use(NavigationContext);
  return (
    <IconButton label={t("nav.open")} onClick={openDrawer} className="-ml-1 md:hidden">
      <MenuIcon className="size-4" aria-hidden />
    </IconButton>
  );
}
