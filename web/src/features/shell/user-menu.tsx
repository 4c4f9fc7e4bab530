import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Keyboard, LogOut, Monitor, Moon, Sun, UserCog } from "lucide-react";
import { use } from "react";
import { session } from "@/api/client";
import type { Me } from "@/api/contract";
import { cx } from "@/components/ui/cx";
import {
  Menu,
  MenuContent,
  MenuItem,
  MenuLabel,
  MenuRadioGroup,
  MenuRadioItem,
  MenuSeparator,
  MenuTrigger,
} from "@/components/ui/menu";
import { t } from "@/i18n";
import { preferences, usePreference, type Density, type Theme } from "@/lib/preferences";
import { announceLogout } from "@/lib/tabs";
import { NavigationContext } from "./navigation-context";

const THEMES = [
  { value: "light", label: "theme.light", icon: Sun },
  { value: "dark", label: "theme.dark", icon: Moon },
  { value: "system", label: "theme.system", icon: Monitor },
] as const satisfies { value: Theme; label: string; icon: unknown }[];

const DENSITIES = [
  { value: "compact", label: "density.compact" },
  { value: "normal", label: "density.normal" },
  { value: "roomy", label: "density.roomy" },
] as const satisfies { value: Density; label: string }[];

export function UserMenu({ me, folded }: { me: Me; folded: boolean }) {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const theme = usePreference(preferences.theme);
  const density = usePreference(preferences.density);
  const { openShortcuts } = use(NavigationContext);
  const fullName = `${me.first_name} ${me.last_name}`.trim() || me.email;

  const logout = async () => {
    const ended = await session.logout().then(
      () => true,
      () => false,
    );
    announceLogout();
    await navigate({ to: "/login", search: ended ? {} : { open: true } });
    queryClient.clear();
  };

  return (
    <Menu>
      <MenuTrigger asChild>
        <button
          type="button"
          aria-label={`${t("nav.account")}: ${fullName}`}
          data-tip={folded ? fullName : undefined}
          className={cx(
            "flex items-center gap-2 rounded-md text-left hover:bg-hover",
            folded ? "size-8 justify-center" : "w-full p-1.5",
          )}
        >
          <span
            aria-hidden
            className="flex size-6 shrink-0 items-center justify-center rounded-full bg-accent-soft text-xs font-semibold text-accent uppercase"
          >
            {fullName.slice(0, 1)}
          </span>
          {!folded && <span className="min-w-0 flex-1 truncate">{fullName}</span>}
        </button>
      </MenuTrigger>
      <MenuContent align="start" side="top" className="w-56">
        <MenuLabel>{me.email}</MenuLabel>
        <MenuItem onSelect={() => void navigate({ to: "/account" })}>
          <UserCog className="size-4 text-muted" aria-hidden />
          {t("nav.accountSettings")}
        </MenuItem>
        <MenuSeparator />
        <MenuLabel>{t("nav.theme")}</MenuLabel>
        <MenuRadioGroup value={theme} onValueChange={(value) => preferences.theme.set(value as Theme)}>
          {THEMES.map(({ value, label, icon: Icon }) => (
            <MenuRadioItem key={value} value={value} onSelect={(event) => event.preventDefault()}>
              <Icon className="size-4 text-muted" aria-hidden />
              {t(label)}
            </MenuRadioItem>
          ))}
        </MenuRadioGroup>
        <MenuLabel>{t("nav.density")}</MenuLabel>
        <MenuRadioGroup value={density} onValueChange={(value) => preferences.density.set(value as Density)}>
          {DENSITIES.map(({ value, label }) => (
            <MenuRadioItem key={value} value={value} onSelect={(event) => event.preventDefault()}>
              {t(label)}
            </MenuRadioItem>
          ))}
        </MenuRadioGroup>
        <MenuSeparator />
        <MenuItem onSelect={openShortcuts}>
          <Keyboard className="size-4 text-muted" aria-hidden />
          {t("nav.shortcuts")}
        </MenuItem>
        <MenuItem onSelect={() => void logout()}>
          <LogOut className="size-4 text-muted" aria-hidden />
          {t("nav.logout")}
        </MenuItem>
      </MenuContent>
    </Menu>
  );
}
