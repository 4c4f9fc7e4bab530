import { Search } from "lucide-react";
import { useMemo, useState } from "react";
import type { SpanDetail } from "@/api/contract";
import { JsonTree, Scalar } from "@/components/json-tree";
import { CopyButton } from "@/components/ui/copy-button";
import { t } from "@/i18n";
import { decodeJson, matchAttributes, typeName } from "@/lib/attributes";

export function AttributesTab({ span }: { span: SpanDetail }) {
  const [search, setSearch] = useState("");
  const groups = useMemo(
    () => [
      { title: t("attributes.span"), note: "", values: span.attributes },
      { title: t("attributes.resource"), note: span.resource_schema_url, values: span.resource_attributes },
      {
        title: t("attributes.scope"),
        note: [span.scope.name, span.scope.version].filter(Boolean).join(" "),
        values: span.scope.attributes,
      },
    ],
    [span],
  );
  const shown = groups.map((group) => ({ ...group, entries: matchAttributes(group.values, search) }));
  const total = groups.reduce((sum, group) => sum + Object.keys(group.values).length, 0);
  const matches = shown.reduce((sum, group) => sum + group.entries.length, 0);

  if (total === 0) return <p className="p-4 text-muted">{t("attributes.none")}</p>;
  return (
    <div className="flex flex-col gap-4 px-4 py-3">
      <div className="relative">
        <Search className="pointer-events-none absolute top-1.5 left-2 size-4 text-muted" aria-hidden />
        <input
          type="search"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
          aria-label={t("attributes.search")}
          placeholder={t("attributes.search")}
          spellCheck={false}
          className="h-7 w-full rounded-md border border-line-strong bg-surface pr-2 pl-8 text-sm placeholder:text-muted"
        />
      </div>
      {span.dropped.attributes > 0 && (
        <p className="rounded-md bg-warning-soft px-3 py-1.5 text-warning">
          {t("attributes.dropped", { count: span.dropped.attributes })}
        </p>
      )}
      {matches === 0 && <p className="text-muted">{t("attributes.noMatch")}</p>}
      {shown
        .filter((group) => group.entries.length > 0 || (search === "" && group.note !== ""))
        .map((group) => (
          <section key={group.title}>
            <h3 className="mb-1 flex items-baseline gap-2 font-semibold">
              {group.title}
              {group.note !== "" && <span className="code font-normal text-muted">{group.note}</span>}
            </h3>
            {group.entries.length > 0 && (
              <dl className="overflow-hidden rounded-lg border border-line">
                {group.entries.map(([key, value]) => (
                  <Attribute key={key} name={key} value={value} />
                ))}
              </dl>
            )}
          </section>
        ))}
    </div>
  );
}

function Attribute({ name, value }: { name: string; value: unknown }) {
  const decoded = decodeJson(value);
  const nested = typeof decoded === "object" && decoded !== null;
  return (
    <div className="group grid gap-x-4 border-b border-line px-3 py-1 last:border-b-0 odd:bg-sunken sm:grid-cols-[minmax(9rem,5fr)_6fr]">
      <dt className="code min-w-0 break-words text-muted">{name}</dt>
      <dd className="code flex min-w-0 gap-2">
        <div className="min-w-0 flex-1 break-words">
          {nested ? <JsonTree value={decoded} openDepth={0} className="-ml-3.5" /> : <Scalar value={value} />}
        </div>
        <span className="shrink-0 font-sans text-2xs text-muted">{typeName(value)}</span>
        <CopyButton
          text={() => (typeof value === "string" ? value : JSON.stringify(value))}
          className="-my-px opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 pointer-coarse:opacity-100"
        />
      </dd>
    </div>
  );
}
