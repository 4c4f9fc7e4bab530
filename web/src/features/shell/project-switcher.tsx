import { useNavigate } from "@tanstack/react-router";
import { ChevronsUpDown } from "lucide-react";
import { Fragment } from "react";
import type { Me } from "@/api/contract";
import { cx } from "@/components/ui/cx";
import { Menu, MenuContent, MenuLabel, MenuRadioGroup, MenuRadioItem, MenuSeparator, MenuTrigger } from "@/components/ui/menu";
import { t } from "@/i18n";
import { findProject } from "@/lib/projects";

interface ProjectSwitcherProps {
  me: Me;
  projectId: string | undefined;
  folded: boolean;
}

export function ProjectSwitcher({ me, projectId, folded }: ProjectSwitcherProps) {
  const navigate = useNavigate();
  const current = projectId === undefined ? null : findProject(me, projectId);
  const name = current?.project.name ?? t("project.none.title");
  const organizations = me.organizations.filter((organization) => organization.projects.length > 0);

  return (
    <Menu>
      <MenuTrigger asChild>
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
                <span className="block truncate text-2xs text-muted">{current?.organization.name}</span>
              </span>
              <ChevronsUpDown className="size-3.5 shrink-0 text-muted" aria-hidden />
            </>
          )}
        </button>
      </MenuTrigger>
      <MenuContent align="start" className="w-60">
        <MenuRadioGroup
          value={projectId}
          onValueChange={(id) => void navigate({ to: "/projects/$projectId/traces", params: { projectId: id } })}
        >
          {organizations.map((organization, index) => (
            <Fragment key={organization.id}>
              {index > 0 && <MenuSeparator />}
              <MenuLabel>{organization.name}</MenuLabel>
              {organization.projects.map((project) => (
                <MenuRadioItem key={project.id} value={project.id}>
                  <span className="truncate">{project.name}</span>
                </MenuRadioItem>
              ))}
            </Fragment>
          ))}
        </MenuRadioGroup>
        {organizations.length === 0 && <MenuLabel>{t("project.none.title")}</MenuLabel>}
      </MenuContent>
    </Menu>
  );
}
