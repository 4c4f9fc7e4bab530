import { useQuery } from "@tanstack/react-query";
import { CircleAlert } from "lucide-react";
import { useState } from "react";
import type { SpanDetail } from "@/api/contract";
import { spanQuery } from "@/api/queries";
import { Chip } from "@/components/chip";
import { ErrorNotice } from "@/components/error-notice";
import { CopyButton } from "@/components/ui/copy-button";
import { cx } from "@/components/ui/cx";
import { Tabs, type Tab } from "@/components/ui/tabs";
import { t } from "@/i18n";
import { costTip, formatCost, formatDuration, formatDurationExact, formatTokens } from "@/lib/format";
import { spanType, spanTypeLabel } from "@/lib/span-type";
import { parseTime } from "@/lib/time";
import type { TreeNode } from "@/lib/tree";
import { AttributesTab } from "./attributes-tab";
import { EventsTab } from "./events-tab";
import { LinksTab } from "./links-tab";
import { MetadataTab } from "./metadata-tab";
import { OtlpTab } from "./otlp-tab";
import { PreviewTab } from "./preview-tab";
import { usageTip } from "./trace-header";
import { UsageTab } from "./usage-tab";

type TabId = "preview" | "usage" | "attributes" | "events" | "links" | "metadata" | "otlp";

interface SpanPanelProps {
  projectId: string;
  node: TreeNode;
}

/** Everything about the selected span. Its input and output are fetched when it is selected. */
export function SpanPanel({ projectId, node }: SpanPanelProps) {
  const { span } = node;
  const [chosen, setTab] = useState<TabId>("preview");
  // A span without tokens has nothing to say there; the next one that has them opens where one was.
  const priceable = span.total_tokens > 0 || span.total_cost !== null || Object.keys(span.usage_details).length > 0;
  const tab = chosen === "usage" && !priceable ? "preview" : chosen;
  const running = node.end === null;
  const detail = useQuery({
    ...spanQuery(projectId, span.trace_id, span.span_id),
    refetchInterval: running ? 5000 : false,
  });
  const data = detail.data;
  const attributes = data === undefined ? undefined : Object.keys(data.attributes).length;
  const tabs: Tab<TabId>[] = [
    { id: "preview", label: t("span.tab.preview") },
    ...(priceable ? [{ id: "usage" as const, label: t("span.tab.usage") }] : []),
    { id: "attributes", label: t("span.tab.attributes"), count: attributes },
    { id: "events", label: t("span.tab.events"), count: data?.events.length },
    { id: "links", label: t("span.tab.links"), count: data?.links.length },
    { id: "metadata", label: t("span.tab.metadata") },
    { id: "otlp", label: t("span.tab.otlp") },
  ];

  return (
    <section aria-label={span.name} className="flex min-h-0 flex-1 flex-col" data-testid="span-panel">
      <SpanHeader node={node} />
      <Tabs label={span.name} tabs={tabs} value={tab} onChange={setTab}>
        <div
          key={span.span_id}
          className="min-h-0 flex-1 overflow-y-auto"
          data-testid={`span-tab-${tab}`}
          // Scrolls by keyboard.
          // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
          tabIndex={0}
        >
          {data !== undefined ? (
            <TabContent tab={tab} projectId={projectId} span={data} running={running} />
          ) : detail.isError ? (
            <ErrorNotice error={detail.error} onRetry={() => void detail.refetch()} />
          ) : (
            <ContentSkeleton />
          )}
        </div>
      </Tabs>
    </section>
  );
}

interface TabContentProps {
  tab: TabId;
  projectId: string;
  span: SpanDetail;
  running: boolean;
}

function TabContent({ tab, projectId, span, running }: TabContentProps) {
  switch (tab) {
    case "preview":
      return <PreviewTab span={span} running={running} />;
    case "usage":
      return <UsageTab projectId={projectId} span={span} />;
    case "attributes":
      return <AttributesTab span={span} />;
    case "events":
      return <EventsTab span={span} />;
    case "links":
      return <LinksTab span={span} />;
    case "metadata":
      return <MetadataTab span={span} />;
    case "otlp":
      return <OtlpTab projectId={projectId} span={span} />;
  }
}

function SpanHeader({ node }: { node: TreeNode }) {
  const { span } = node;
  const type = spanType(span.type);
  const Icon = type.icon;
  const tokens = span.input_tokens + span.output_tokens;
  const firstToken =
    span.completion_start_time === null ? null : (parseTime(span.completion_start_time) - node.start) * 1e6;
  const writing = firstToken !== null && span.duration !== null ? (span.duration - firstToken) / 1e9 : 0;
  return (
    <header className="shrink-0 px-4 pt-2.5 pb-1.5">
      <div className="flex items-center gap-2">
        <Icon className={cx("size-4 shrink-0", type.text)} aria-hidden />
        <h2 className="min-w-0 truncate text-base font-semibold">{span.name}</h2>
        <span className="shrink-0 text-xs text-muted">{spanTypeLabel(span.type)}</span>
        <CopyButton text={span.span_id} label={t("trace.copySpanId")} className="ml-auto" />
      </div>
      <div className="mt-1.5 flex flex-wrap gap-1.5">
        <Chip label={t("trace.chip.duration")} tip={formatDurationExact(span.duration)}>
          {node.end === null ? t("status.running") : formatDuration(span.duration)}
        </Chip>
        {firstToken !== null && (
          <Chip label={t("span.timeToFirst")} tip={t("span.timeToFirstTip")}>
            {formatDuration(firstToken)}
          </Chip>
        )}
        {tokens > 0 && (
          <Chip label={t("trace.chip.tokens")} tip={usageTip(span.usage_details)}>
            {formatTokens(span.input_tokens, span.output_tokens)}
            {writing > 0.01 && span.output_tokens > 0 && (
              <span className="font-normal text-muted">
                {t("span.perSecond", { value: Math.round(span.output_tokens / writing) })}
              </span>
            )}
          </Chip>
        )}
        {tokens > 0 && (
          <Chip label={t("trace.chip.cost")} tip={costTip(span)}>
            {formatCost(span.total_cost)}
          </Chip>
        )}
        {span.model !== null && span.model !== "" && (
          <Chip label={t("metadata.modelName")} tip={span.provider ?? undefined}>
            {span.model}
          </Chip>
        )}
      </div>
      {span.status === "error" && (
        <p className="mt-2 flex gap-2 rounded-md bg-error-soft px-3 py-1.5 text-error">
          <CircleAlert className="mt-0.5 size-4 shrink-0" aria-hidden />
          <span className="min-w-0 break-words whitespace-pre-wrap">{span.status_message === "" ? t("status.error") : span.status_message}</span>
        </p>
      )}
    </header>
  );
}

function ContentSkeleton() {
  return (
    <div className="flex flex-col gap-5 p-4" aria-hidden>
      {[0, 1].map((block) => (
        <div key={block} className="flex flex-col gap-2">
          <span className="skeleton h-3 w-16" />
          <span className="skeleton h-2.5 w-11/12" />
          <span className="skeleton h-2.5 w-4/5" />
          <span className="skeleton h-2.5 w-3/5" />
        </div>
      ))}
    </div>
  );
}

export function SpanPanelSkeleton() {
  return (
    <div className="flex flex-col gap-2 p-4" aria-hidden>
      <span className="skeleton h-4 w-40" />
      <span className="skeleton h-6 w-3/4" />
      <ContentSkeleton />
    </div>
  );
}
