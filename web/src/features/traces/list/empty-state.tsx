import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { Segmented } from "@/components/ui/segmented";
import { t } from "@/i18n";
import { hasFilters, type TraceSearch } from "@/lib/trace-search";
import { curlSnippet, pythonSnippet } from "./snippets";

const api = getRouteApi("/app/projects/$projectId/traces");

interface EmptyStateProps {
  search: TraceSearch;
  onChange: (patch: Partial<TraceSearch>) => void;
}

/** Says why there is nothing, and what to do next. */
export function EmptyState({ search, onChange }: EmptyStateProps) {
  if (hasFilters(search)) {
    return (
      <div className="mx-auto flex max-w-md flex-col items-start gap-2 px-6 py-16" data-testid="empty-filtered">
        <h2 className="text-base font-semibold">{t("empty.filtered.title")}</h2>
        <p className="text-muted">{t("empty.filtered.text")}</p>
        <div className="mt-1 flex flex-wrap gap-2">
          <Button
            variant="primary"
            onClick={() => onChange({ name: undefined, status: undefined, environment: undefined })}
          >
            {t("filter.clear")}
          </Button>
          <WiderButton search={search} onChange={onChange} />
        </div>
      </div>
    );
  }
  return (
    <div className="mx-auto flex w-full max-w-2xl flex-col gap-2 px-6 py-10" data-testid="empty-teach">
      <h2 className="text-base font-semibold">{t("empty.window.title")}</h2>
      <p className="text-muted">{t("empty.window.text")}</p>
      <div>
        <WiderButton search={search} onChange={onChange} />
      </div>
      <SendTrace />
    </div>
  );
}

function WiderButton({ search, onChange }: EmptyStateProps) {
  if (search.range === "30d" && search.from === undefined) return null;
  return (
    <Button onClick={() => onChange({ range: "30d", from: undefined, to: undefined })}>{t("empty.wider")}</Button>
  );
}

function SendTrace() {
  const { projectId } = api.useParams();
  const [language, setLanguage] = useState<"curl" | "python">("curl");
  const snippet = language === "curl" ? curlSnippet(location.origin) : pythonSnippet(location.origin);
  return (
    <section className="mt-4 overflow-hidden rounded-lg border border-line">
      <header className="flex items-center gap-2 border-b border-line bg-sunken py-1.5 pr-2 pl-3">
        <h3 className="flex-1 font-medium">{t("empty.send.title")}</h3>
        <Segmented
          label={t("empty.send.title")}
          value={language}
          onChange={setLanguage}
          options={[
            { value: "curl", label: t("empty.send.curl") },
            { value: "python", label: t("empty.send.python") },
          ]}
        />
        <CopyButton text={snippet} size="md" />
      </header>
      {/* Long lines scroll sideways, also by keyboard. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre tabIndex={0} className="code overflow-x-auto p-3">
        {snippet}
      </pre>
      <footer className="flex flex-wrap items-center gap-x-4 border-t border-line px-3 py-1.5 text-xs text-muted">
        <span className="flex-1">
          {t("empty.send.key")}{" "}
          <Link to="/projects/$projectId/settings/api-keys" params={{ projectId }} className="text-accent hover:underline">
            {t("empty.send.makeKey")}
          </Link>
        </span>
        <span className="flex items-center gap-1.5">
          <span className="running size-1.5 rounded-full bg-accent" aria-hidden />
          {t("empty.send.waiting")}
        </span>
      </footer>
    </section>
  );
}
