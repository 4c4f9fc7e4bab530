import { Columns3 } from "lucide-react";
import { IconButton } from "@/components/ui/button";
import { Menu, MenuCheckboxItem, MenuContent, MenuItem, MenuSeparator, MenuTrigger } from "@/components/ui/menu";
import { t } from "@/i18n";
import { preferences, usePreference } from "@/lib/preferences";
import { COLUMNS } from "./columns";

export function ColumnMenu() {
  const chosen = usePreference(preferences.columns);
  const shown = chosen ?? COLUMNS.map((column) => column.id);
  return (
    <Menu>
      <MenuTrigger asChild>
        <IconButton label={t("columns.choose")}>
          <Columns3 className="size-4" aria-hidden />
        </IconButton>
      </MenuTrigger>
      <MenuContent align="end" className="w-52">
        {COLUMNS.map((column) => (
          <MenuCheckboxItem
            key={column.id}
            checked={shown.includes(column.id)}
            onCheckedChange={(checked) =>
              preferences.columns.set(
                COLUMNS.map(({ id }) => id).filter((id) => (id === column.id ? checked : shown.includes(id))),
              )
            }
          >
            {t(column.label)}
          </MenuCheckboxItem>
        ))}
        <MenuSeparator />
        <MenuItem disabled={chosen === null} onSelect={() => preferences.columns.set(null)}>
          {t("columns.auto")}
        </MenuItem>
      </MenuContent>
    </Menu>
  );
}
