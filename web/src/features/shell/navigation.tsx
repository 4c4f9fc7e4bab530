import { useSuspenseQuery } from "@tanstack/react-query";
import { createLink, Link, useParams } from "@tanstack/react-router";
import { Building2, ListTree, PanelLeftClose, PanelLeftOpen, Settings2, ShieldCheck, type LucideIcon } from "lucide-react";
import { useEffect, useRef, type AnchorHTMLAttributes } from "react";
import { meQuery } from "@/api/queries";
import { Logo } from "@/components/logo";
import { IconButton } from "@/components/ui/button";
import { cx } from "@/components/ui/cx";
import { t } from "@/i18n";
import { preferences, usePreference } from "@/lib/preferences";
import { currentPlace } from "@/lib/projects";
import { ProjectSwitcher } from "./project-switcher";
import { UserMenu } from "./user-menu";

interface EntryProps extends AnchorHTMLAttributes<HTMLAnchorElement> {
  icon: LucideIcon;
  label: string;
  folded: boolean;
}

function EntryAnchor({ icon: Icon, label, folded, ...rest }: EntryProps) {
  return (
    <a
      {...rest}
      data-tip={folded ? label : undefined}
      aria-label={folded ? label : undefined}
      className={cx(
        "flex h-8 items-center gap-2 rounded-md text-muted transition-colors duration-100 hover:bg-hover hover:text-text data-[status=active]:bg-selected data-[status=active]:font-medium data-[status=active]:text-text",
        folded ? "w-8 justify-center" : "px-2",
      )}
    >
      <Icon className="size-4 shrink-0" aria-hidden />
      {!folded && label}
    </a>
  );
}

const Entry = createLink(EntryAnchor);

interface NavigationProps {
  /** Whether the navigation lies over the page, on narrow screens. */
  drawer: boolean;
  onCloseDrawer: () => void;
}

export function Navigation({ drawer, onCloseDrawer }: NavigationProps) {
  const folded = usePreference(preferences.navigation) === "folded";
  return (
    <>
      <nav
        aria-label={t("nav.label")}
        className={cx(
          "hidden shrink-0 flex-col border-r border-line bg-page p-2 md:flex",
          folded ? "w-12 items-center" : "w-52",
        )}
      >
        <Content folded={folded} onFold={() => preferences.navigation.set(folded ? "open" : "folded")} />
      </nav>
      <Drawer open={drawer} onClose={onCloseDrawer} />
    </>
  );
}

/** Lies over the page. Not a modal dialog of the browser: its menus would open underneath that. */
function Drawer({ open, onClose }: { open: boolean; onClose: () => void }) {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const drawer = element.current;
    if (!open || drawer === null) return;
    const before = document.activeElement;
    drawer.querySelector<HTMLElement>("a, button")?.focus();
    const onClick = (event: MouseEvent) => {
      // Any way to somewhere else ends here.
      if (event.target instanceof Element && event.target.closest("a") !== null) onClose();
    };
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key === "Escape" && !event.defaultPrevented) onClose();
    };
    drawer.addEventListener("click", onClick);
    document.addEventListener("keydown", onKeyDown);
    return () => {
      drawer.removeEventListener("click", onClick);
      document.removeEventListener("keydown", onKeyDown);
      if (before instanceof HTMLElement) before.focus();
    };
  }, [open, onClose]);
  if (!open) return null;
  return (
    <div className="md:hidden">
      <button
        type="button"
        aria-label={t("action.close")}
        tabIndex={-1}
        onClick={onClose}
        className="appear fixed inset-0 z-30 bg-black/45"
      />
      <div
        ref={element}
        role="dialog"
        aria-modal
        aria-label={t("nav.label")}
        className="appear fixed inset-y-0 left-0 z-40 flex w-64 flex-col border-r border-line bg-page p-2"
      >
        <Content folded={false} onFold={onClose} />
      </div>
    </div>
  );
}

function Content({ folded, onFold }: { folded: boolean; onFold: () => void }) {
  const { data: me } = useSuspenseQuery(meQuery());
  const params = useParams({ strict: false });
  const last = { project: usePreference(preferences.project), organization: usePreference(preferences.organization) };
  const place = currentPlace(me, params, last);
  const projectId = place.project?.id;
  const organizationId = place.organization?.id;
  const FoldIcon = folded ? PanelLeftOpen : PanelLeftClose;
  return (
    <>
      <div className={cx("mb-2 flex items-center gap-2", folded ? "flex-col" : "h-8 pl-1.5")}>
        <Link to="/" aria-label={t("app.name")} className="flex items-center gap-2 rounded-md">
          <Logo className="size-5" />
          {!folded && <span className="text-base font-semibold">{t("app.name")}</span>}
        </Link>
        <IconButton label={t(folded ? "nav.unfold" : "nav.fold")} onClick={onFold} className={cx(!folded && "ml-auto")}>
          <FoldIcon className="size-4" aria-hidden />
        </IconButton>
      </div>
      <ProjectSwitcher me={me} place={place} folded={folded} />
      {projectId !== undefined && (
        <ul className="mt-3 flex flex-col gap-px">
          <li>
            <Entry to="/projects/$projectId/traces" params={{ projectId }} icon={ListTree} label={t("nav.traces")} folded={folded} />
          </li>
        </ul>
      )}
      <ul className="mt-auto flex flex-col gap-px pb-2">
        {projectId !== undefined && (
          <li>
            <Entry
              to="/projects/$projectId/settings"
              params={{ projectId }}
              icon={Settings2}
              label={t("nav.projectSettings")}
              folded={folded}
            />
          </li>
        )}
        {organizationId !== undefined && (
          <li>
            <Entry
              to="/organizations/$organizationId"
              params={{ organizationId }}
              icon={Building2}
              label={t("nav.organization")}
              folded={folded}
            />
          </li>
        )}
        {me.is_admin && (
          <li>
            <Entry to="/admin" icon={ShieldCheck} label={t("nav.admin")} folded={folded} />
          </li>
        )}
      </ul>
      <div className="border-t border-line pt-2">
        <UserMenu me={me} folded={folded} />
      </div>
    </>
  );
}
