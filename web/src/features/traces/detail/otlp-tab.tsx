import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import type { SpanDetail } from "@/api/contract";
import { spanOtlpQuery, type ExplainedField } from "@/api/prices";
import { ErrorNotice } from "@/components/error-notice";
import { JsonTree } from "@/components/json-tree";
import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { SearchInput } from "@/components/ui/search-input";
import { Segmented } from "@/components/ui/segmented";
import { SkeletonLines } from "@/components/ui/page";
import { t } from "@/i18n";
import { download } from "@/lib/download";
import { formatBytes } from "@/lib/format";

/** The span as it was sent, and what was made of it. */
export function OtlpTab({ projectId, span }: { projectId: string; span: SpanDetail }) {
  return (
    <div className="@container px-4 py-3">
      <div className="flex flex-col gap-6 @4xl:flex-row @4xl:items-start">
        <Mapping span={span} />
        <Json projectId={projectId} span={span} />
      </div>
    </div>
  );
}

function matches(field: ExplainedField, search: string): boolean {
  return [field.field, field.rule, field.attribute ?? ""].some((text) => text.toLowerCase().includes(search));
}

function Mapping({ span }: { span: SpanDetail }) {
  const [search, setSearch] = useState("");
  const wanted = search.trim().toLowerCase();
  const explain = span.explain;
  const fields = explain.fields.filter((field) => matches(field, wanted));
  const unused = explain.unused_attributes.filter((name) => name.toLowerCase().includes(wanted));
  return (
    <section aria-label={t("otlp.mapping")} className="min-w-0 flex-1">
      <div className="mb-2 flex flex-wrap items-end justify-between gap-2">
        <div>
          <h3 className="font-semibold">{t("otlp.mapping")}</h3>
          <p className="text-xs text-muted">{t("otlp.mappingText")}</p>
        </div>
        <SearchInput label={t("otlp.search")} value={search} onChange={setSearch} />
      </div>
      {fields.length > 0 && (
        <dl className="overflow-hidden rounded-lg border border-line">
          {fields.map((field) => (
            <div
              key={field.field}
              className="grid gap-x-4 border-b border-line px-3 py-1 last:border-b-0 odd:bg-sunken @md:grid-cols-[minmax(7rem,2fr)_5fr]"
            >
              <dt className="code min-w-0 break-words">{field.field}</dt>
              <dd className="min-w-0">
                {field.attribute === null ? (
                  <span className="text-xs text-muted">{t(field.rule.includes(":resource ") ? "otlp.ofResource" : "otlp.noAttribute")}</span>
                ) : (
                  <code className="code break-words text-accent">{field.attribute}</code>
                )}
                <span className="block text-2xs break-words text-muted">
                  {t("otlp.rule")} <code className="font-mono">{field.rule}</code>
                </span>
              </dd>
            </div>
          ))}
        </dl>
      )}
      {fields.length === 0 && unused.length === 0 && <p className="text-muted">{t("attributes.noMatch")}</p>}
      {(wanted === "" || unused.length > 0) && (
        <>
          <h4 className="mt-4 font-semibold">{t("otlp.unused")}</h4>
          <p className="mb-1.5 text-xs text-muted">{t(explain.unused_attributes.length === 0 ? "otlp.allUsed" : "otlp.unusedText")}</p>
          {unused.length > 0 && (
            <ul className="flex flex-wrap gap-1">
              {unused.map((name) => (
                <li key={name} className="code max-w-full rounded-sm border border-line bg-sunken px-1.5 break-all">
                  {name}
                </li>
              ))}
            </ul>
          )}
        </>
      )}
    </section>
  );
}

/** Longest text that is shown at once: beyond it the browser would stall. */
const TEXT_LIMIT = 100_000;

function Json({ projectId, span }: { projectId: string; span: SpanDetail }) {
  const [mode, setMode] = useState<"tree" | "text">("tree");
  const otlp = useQuery(spanOtlpQuery(projectId, span.trace_id, span.span_id));
  return (
    <section aria-label={t("otlp.json")} className="min-w-0 flex-1">
      <header className="mb-2 flex min-h-7 flex-wrap items-center gap-2">
        <h3 className="font-semibold">{t("otlp.json")}</h3>
        {otlp.data !== undefined && (
          <>
            <span className="num text-xs text-muted">{formatBytes(otlp.data.length)}</span>
            <span className="ml-auto flex items-center gap-1">
              <Segmented
                label={t("otlp.view")}
                value={mode}
                onChange={setMode}
                options={[
                  { value: "tree", label: t("otlp.tree") },
                  { value: "text", label: t("otlp.text") },
                ]}
              />
              <CopyButton text={otlp.data} label={t("otlp.copy")} size="md" />
              <Button
                aria-label={t("otlp.download")}
                onClick={() => download(`${span.span_id}.otlp.json`, new Blob([otlp.data], { type: "application/json" }))}
              >
                {t("action.download")}
              </Button>
            </span>
          </>
        )}
      </header>
      {otlp.data !== undefined ? (
        <div className="rounded-lg border border-line bg-sunken px-2 py-2">
          {mode === "tree" ? <Tree text={otlp.data} /> : <Text text={otlp.data} />}
        </div>
      ) : otlp.isError ? (
        <div className="rounded-lg border border-line">
          <ErrorNotice error={otlp.error} onRetry={() => void otlp.refetch()} />
        </div>
      ) : (
        <SkeletonLines count={6} />
      )}
    </section>
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function Tree({ text }: { text: string }) {
  const value = useMemo(() => parse(text), [text]);
  // Down to the span: everything above it is a list of one.
  return <JsonTree value={value} openDepth={8} />;
}

function Text({ text }: { text: string }) {
  const [limit, setLimit] = useState(TEXT_LIMIT);
  const pretty = useMemo(() => {
    const value = parse(text);
    return typeof value === "string" ? value : JSON.stringify(value, null, 2);
  }, [text]);
  return (
    <>
      <pre className="code px-1 break-words whitespace-pre-wrap">{pretty.slice(0, limit)}</pre>
      {pretty.length > limit && (
        <button type="button" className="mt-2 px-1 text-xs text-accent hover:underline" onClick={() => setLimit(limit + TEXT_LIMIT * 5)}>
          {t("json.moreText", { count: Math.min(TEXT_LIMIT * 5, pretty.length - limit) })}
        </button>
      )}
    </>
  );
}
