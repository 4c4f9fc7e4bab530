import { createLink, useLocation } from "@tanstack/react-router";
import type { LucideIcon } from "lucide-react";
import { useEffect, useRef, type AnchorHTMLAttributes, type ReactNode } from "react";
import { OpenNavigationButton } from "@/features/shell/navigation-context";
import { t } from "@/i18n";
import { cx } from "./cx";

/** The title of the document while a page is open. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · ${t("app.name")}`;
  }, [title]);
}

/** The bar at the top of a page. */
export function PageHeader({ title, context, children }: { title: string; context?: ReactNode; children?: ReactNode }) {
  return (
    <header className="flex h-12 shrink-0 items-center gap-2 border-b border-line px-3 md:px-4">
      <OpenNavigationButton />
      <div className="flex min-w-0 flex-1 items-baseline gap-2">
        <p className="shrink-0 text-base font-semibold">{title}</p>
        {context !== undefined && <span className="truncate text-muted">{context}</span>}
      </div>
      {children}
    </header>
  );
}

interface SettingsLayoutProps {
  title: string;
  context?: ReactNode;
  /** SideLinks. */
  navigation: ReactNode;
  children: ReactNode;
}

/** Pages that belong together: their names at the side, or in a row above where there is no room. */
export function SettingsLayout({ title, context, navigation, children }: SettingsLayoutProps) {
  const { pathname } = useLocation();
  const row = useRef<HTMLElement>(null);
  useEffect(() => {
    row.current?.querySelector('[data-status="active"]')?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [pathname]);
  return (
    <>
      <PageHeader title={title} context={context} />
      <div className="flex min-h-0 flex-1 flex-col md:flex-row">
        <nav
          ref={row}
          aria-label={title}
          className="flex shrink-0 gap-px overflow-x-auto border-b border-line p-2 [scrollbar-width:none] md:w-48 md:flex-col md:overflow-y-auto md:border-r md:border-b-0 md:p-3"
        >
          {navigation}
        </nav>
        <div className="min-h-0 min-w-0 flex-1 overflow-y-auto">{children}</div>
      </div>
    </>
  );
}

interface SideAnchorProps extends AnchorHTMLAttributes<HTMLAnchorElement> {
  icon: LucideIcon;
  label: string;
}

function SideAnchor({ icon: Icon, label, className, ...rest }: SideAnchorProps) {
  return (
    <a
      {...rest}
      className={cx(
        "flex h-8 shrink-0 items-center gap-2 rounded-md px-2 text-muted transition-colors duration-100 hover:bg-hover hover:text-text data-[status=active]:bg-selected data-[status=active]:font-medium data-[status=active]:text-text",
        className,
      )}
    >
      <Icon className="size-4 shrink-0" aria-hidden />
      {label}
    </a>
  );
}

/** An entry of the side navigation. */
export const SideLink = createLink(SideAnchor);

interface SettingsPageProps {
  title: string;
  description?: ReactNode;
  actions?: ReactNode;
  /** Forms are easier to read when narrow; tables take what there is. */
  wide?: boolean;
  children: ReactNode;
}

/** One of the pages of a SettingsLayout. */
export function SettingsPage({ title, description, actions, wide = false, children }: SettingsPageProps) {
  useTitle(title);
  return (
    <div className={cx("flex flex-col gap-5 p-4 pb-16 md:p-6 md:pb-16", wide ? "max-w-6xl" : "max-w-3xl")}>
      <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
        <div className="min-w-0 max-w-2xl">
          <h1 className="text-lg font-semibold">{title}</h1>
          {description !== undefined && <p className="text-muted">{description}</p>}
        </div>
        {actions !== undefined && <div className="flex shrink-0 flex-wrap items-center gap-2">{actions}</div>}
      </div>
      {children}
    </div>
  );
}

interface SectionProps {
  title: string;
  description?: ReactNode;
  actions?: ReactNode;
  danger?: boolean;
  children?: ReactNode;
}

/** A part of a page within a hairline. */
export function Section({ title, description, actions, danger = false, children }: SectionProps) {
  return (
    <section className={cx("rounded-lg border", danger ? "border-error/40" : "border-line")}>
      <header className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-3">
        <div className="min-w-48 flex-1">
          <h2 className="font-semibold">{title}</h2>
          {description !== undefined && <p className="text-muted">{description}</p>}
        </div>
        {actions !== undefined && <div className="flex shrink-0 flex-wrap items-center gap-2">{actions}</div>}
      </header>
      {children !== undefined && <div className="border-t border-line p-4">{children}</div>}
    </section>
  );
}

/** Something that can be done to the whole, in a list of such. */
export function ActionRow({ title, description, children }: { title: string; description: ReactNode; children: ReactNode }) {
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-2 border-t border-line px-4 py-3 first:border-t-0">
      <div className="min-w-48 flex-1">
        <h3 className="font-medium">{title}</h3>
        <p className="text-muted">{description}</p>
      </div>
      <div className="shrink-0">{children}</div>
    </div>
  );
}

/** The one next step where there is nothing yet. */
export function Empty({ title, text, children }: { title: string; text?: ReactNode; children?: ReactNode }) {
  return (
    <div className="flex flex-col items-start gap-1 px-4 py-8">
      <h2 className="text-base font-semibold">{title}</h2>
      {text !== undefined && <p className="max-w-lg text-muted">{text}</p>}
      {children !== undefined && <div className="mt-2 flex flex-wrap gap-2">{children}</div>}
    </div>
  );
}

/** Stands for lines that are on their way. */
export function SkeletonLines({ count = 3 }: { count?: number }) {
  return (
    <div aria-hidden className="flex flex-col gap-3">
      {Array.from({ length: count }, (_, index) => (
        <div key={index} className={cx("skeleton h-4", index % 3 === 1 ? "w-2/3" : index % 3 === 2 ? "w-1/2" : "w-full")} />
      ))}
    </div>
  );
}
