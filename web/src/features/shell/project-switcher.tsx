import { useNavigate } from "@tanstack/react-router";
import { Building2, Check, ChevronsUpDown, Plus, Search } from "lucide-react";
import { useId, useRef, useState, type KeyboardEvent } from "react";
import type { Me } from "@/api/contract";
import { cx } from "@/components/ui/cx";
import { Popover, PopoverContent, PopoverTrigger } from "@/components/ui/popover";
import { t } from "@/i18n";
import { preferences } from "@/lib/preferences";
import { searchPlaces, type Place } from "@/lib/projects";
import { CreateOrganizationDialog, CreateProjectDialog } from "./create-dialogs";

interface ProjectSwitcherProps {
  me: Me;
  place: Place;
  folded: boolean;
}

/** Says where one is, and leads to any other project or organisation. */
export function ProjectSwitcher({ me, place, folded }: ProjectSwitcherProps) {
  const [open, setOpen] = useState(false);
  const [creatingIn, setCreatingIn] = useState<{ id: string; name: string } | null>(null);
  const [creating, setCreating] = useState(false);
  const { organization, project } = place;
  const name = project?.name ?? t("project.none.title");

  return (
    <>
      <Popover open={open} onOpenChange={setOpen}>
        <PopoverTrigger asChild>
          <button
            type="button"
            aria-label={`${t("nav.switch")}: ${name}`}
            data-tip={folded ? name : undefined}
            className={cx(
              "flex items-center rounded-md border border-line-strong bg-surface text-left hover:bg-hover",
              folded ? "size-8 justify-center" : "w-full gap-2 px-2 py-1",
            )}
          >
            {folded ? (
              <span aria-hidden className="font-semibold uppercase">
                {name.slice(0, 1)}
              </span>
            ) : (
              <>
                <span className="min-w-0 flex-1">
                  <span className="block truncate leading-4 font-medium">{name}</span>
                  <span className="block truncate text-2xs text-muted">
                    {organization?.name ?? t("switcher.noOrganization")}
                  </span>
                </span>
                <ChevronsUpDown className="size-3.5 shrink-0 text-muted" aria-hidden />
              </>
            )}
          </button>
        </PopoverTrigger>
        <PopoverContent align="start" className="w-72 max-w-[calc(100vw-16px)] p-0" aria-label={t("nav.switch")}>
          <Places
            me={me}
            place={place}
            onClose={() => setOpen(false)}
            onCreateProject={setCreatingIn}
            onCreateOrganization={() => setCreating(true)}
          />
        </PopoverContent>
      </Popover>
      <CreateProjectDialog organization={creatingIn} onClose={() => setCreatingIn(null)} />
      <CreateOrganizationDialog open={creating} onClose={() => setCreating(false)} />
    </>
  );
}

interface PlacesProps {
  me: Me;
  place: Place;
  onClose: () => void;
  onCreateProject: (organization: { id: string; name: string }) => void;
  onCreateOrganization: () => void;
}

interface Option {
  id: string;
  kind: "project" | "organization";
}

function Places({ me, place, onClose, onCreateProject, onCreateOrganization }: PlacesProps) {
  const navigate = useNavigate();
  const base = useId();
  const list = useRef<HTMLDivElement>(null);
  const [query, setQuery] = useState("");
  const [active, setActive] = useState<string | null>(place.project?.id ?? null);
  const groups = searchPlaces(me.organizations, query);
  const options: Option[] = groups.flatMap(({ organization, projects }) => [
    { id: organization.id, kind: "organization" as const },
    ...projects.map((project) => ({ id: project.id, kind: "project" as const })),
  ]);

  const choose = ({ id, kind }: Option) => {
    onClose();
    if (kind === "project") {
      void navigate({ to: "/projects/$projectId/traces", params: { projectId: id } });
    } else {
      preferences.organization.set(id);
      void navigate({ to: "/organizations/$organizationId", params: { organizationId: id } });
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    const index = options.findIndex((option) => option.id === active);
    if (step !== 0 && options.length > 0) {
      event.preventDefault();
      const next = options[(index + step + options.length) % options.length];
      setActive(next?.id ?? null);
      document.getElementById(`${base}-${next?.id ?? ""}`)?.scrollIntoView({ block: "nearest" });
    }
    const chosen = options[index];
    if (event.key === "Enter" && chosen !== undefined) {
      event.preventDefault();
      choose(chosen);
    }
  };
  const type = (text: string) => {
    setQuery(text);
    // What one looks for is a project, as a rule.
    const found = searchPlaces(me.organizations, text);
    setActive(found.find((group) => group.projects.length > 0)?.projects[0]?.id ?? found[0]?.organization.id ?? null);
  };
  const option = (id: string) => ({
    id: `${base}-${id}`,
    role: "option",
    tabIndex: -1,
    "aria-selected": active === id,
    onPointerMove: () => setActive(id),
  });
  const ROW = "flex w-full items-center gap-2 rounded-md px-2 text-left aria-selected:bg-hover";

  return (
    <div className="flex max-h-[min(70vh,480px)] flex-col">
      <div className="flex items-center gap-2 border-b border-line px-3">
        <Search className="size-4 shrink-0 text-muted" aria-hidden />
        <input
          role="combobox"
          aria-label={t("switcher.search")}
          aria-expanded
          aria-controls={`${base}-list`}
          aria-activedescendant={active === null ? undefined : `${base}-${active}`}
          placeholder={t("switcher.search")}
          value={query}
          onChange={(event) => type(event.target.value)}
          onKeyDown={onKeyDown}
          className="h-9 w-full bg-transparent outline-none placeholder:text-muted"
        />
      </div>
      <div ref={list} id={`${base}-list`} role="listbox" aria-label={t("nav.switch")} className="min-h-0 overflow-y-auto p-1">
        {groups.map(({ organization, projects }) => (
          <div key={organization.id} role="group" aria-label={organization.name} className="border-t border-line py-1 first:border-t-0 first:pt-0">
            <button type="button" {...option(organization.id)} onClick={() => choose({ id: organization.id, kind: "organization" })} className={`${ROW} h-7 text-xs text-muted`}>
              <Building2 className="size-3.5 shrink-0" aria-hidden />
              <span className="min-w-0 flex-1 truncate">{organization.name}</span>
            </button>
            {projects.map((project) => (
              <button key={project.id} type="button" {...option(project.id)} onClick={() => choose({ id: project.id, kind: "project" })} className={`${ROW} h-7 pl-7`}>
                <span className={cx("min-w-0 flex-1 truncate", project.status === "archived" && "text-muted")}>
                  {project.name}
                  {project.status === "archived" && ` (${t("life.archived")})`}
                </span>
                {project.id === place.project?.id && <Check className="size-4 shrink-0 text-accent" aria-hidden />}
              </button>
            ))}
          </div>
        ))}
        {groups.length === 0 && (
          <p className="px-2 py-3 text-muted">{t(query === "" ? "switcher.noOrganization" : "switcher.nothing")}</p>
        )}
      </div>
      <div className="flex flex-col border-t border-line p-1">
        {place.organization !== null && (
          <CreateButton
            label={t("projects.createIn", { name: place.organization.name })}
            onClick={() => {
              onClose();
              if (place.organization !== null) onCreateProject(place.organization);
            }}
          />
        )}
        <CreateButton
          label={t("organizations.create")}
          onClick={() => {
            onClose();
            onCreateOrganization();
          }}
        />
      </div>
    </div>
  );
}

function CreateButton({ label, onClick }: { label: string; onClick: () => void }) {
  return (
    <button type="button" onClick={onClick} className="flex h-7 items-center gap-2 rounded-md px-2 text-left hover:bg-hover">
      <Plus className="size-4 shrink-0 text-muted" aria-hidden />
      <span className="truncate">{label}</span>
    </button>
  );
}
