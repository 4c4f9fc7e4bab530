import { getRouteApi, Link } from "@tanstack/react-router";
import { ArrowUpRight } from "lucide-react";
import type { SpanDetail } from "@/api/contract";
import { JsonTree } from "@/components/json-tree";
import { CopyButton } from "@/components/ui/copy-button";
import { t } from "@/i18n";

const api = getRouteApi("/app/projects/$projectId/traces/$traceId");

export function LinksTab({ span }: { span: SpanDetail }) {
  const { projectId } = api.useParams();
  return (
    <div className="flex flex-col gap-2 px-4 py-3">
      {span.dropped.links > 0 && (
        <p className="rounded-md bg-warning-soft px-3 py-1.5 text-warning">
          {t("links.dropped", { count: span.dropped.links })}
        </p>
      )}
      {span.links.length === 0 && <p className="text-muted">{t("links.none")}</p>}
      <ul className="flex flex-col gap-2">
        {span.links.map((link, index) => (
          <li key={index} className="rounded-lg border border-line px-3 py-2">
            <dl className="grid grid-cols-[auto_1fr_auto] items-center gap-x-3">
              <dt className="text-xs text-muted">{t("metadata.traceId")}</dt>
              <dd className="code min-w-0 truncate">{link.trace_id}</dd>
              <CopyButton text={link.trace_id} label={t("trace.copyId")} />
              <dt className="text-xs text-muted">{t("metadata.spanId")}</dt>
              <dd className="code min-w-0 truncate">{link.span_id}</dd>
              <CopyButton text={link.span_id} label={t("trace.copySpanId")} />
              {link.trace_state !== "" && (
                <>
                  <dt className="text-xs text-muted">{t("metadata.traceState")}</dt>
                  <dd className="code col-span-2 min-w-0 break-all">{link.trace_state}</dd>
                </>
              )}
            </dl>
            {Object.keys(link.attributes).length > 0 && <JsonTree value={link.attributes} openDepth={1} className="mt-1 -ml-1" />}
            <Link
              to="/projects/$projectId/traces/$traceId"
              params={{ projectId, traceId: link.trace_id }}
              search={{ span: link.span_id }}
              className="mt-1 inline-flex items-center gap-1 text-accent hover:underline"
            >
              {t("links.open")}
              <ArrowUpRight className="size-3.5" aria-hidden />
            </Link>
          </li>
        ))}
      </ul>
    </div>
  );
}
