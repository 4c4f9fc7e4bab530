import type { ReactNode } from "react";
import type { SpanDetail } from "@/api/contract";
import { JsonTree } from "@/components/json-tree";
import { CopyButton } from "@/components/ui/copy-button";
import { t, type Key } from "@/i18n";
import { costTip, formatBytes, formatCost, formatCostExact, formatCount, formatDurationExact, NONE } from "@/lib/format";
import { spanTypeLabel } from "@/lib/span-type";
import { formatExact } from "@/lib/time";
import { statusLabel } from "@/components/status-icon";

/** Every column of the span, in groups. */
export function MetadataTab({ span }: { span: SpanDetail }) {
  const prompt = span.prompt;
  return (
    <div className="grid gap-4 px-4 py-3 @container">
      <Group title="metadata.identity">
        <Field label="metadata.name">{span.name}</Field>
        <Field label="metadata.type">{spanTypeLabel(span.type)}</Field>
        <Field label="metadata.kind">{span.kind}</Field>
        <Field label="metadata.level">{span.level}</Field>
        <Field label="metadata.status">{statusLabel(span.status, span.end_time === null)}</Field>
        <Field label="metadata.statusMessage">{span.status_message}</Field>
        <Id label="metadata.traceId" value={span.trace_id} />
        <Id label="metadata.spanId" value={span.span_id} />
        <Id label="metadata.parentId" value={span.parent_span_id} />
        <Field label="metadata.traceState" code>
          {span.trace_state}
        </Field>
        <Field label="metadata.traceFlags" code>
          {span.trace_flags}
        </Field>
      </Group>
      <Group title="metadata.time">
        <Field label="metadata.start">{formatExact(span.start_time)}</Field>
        <Field label="metadata.end">{span.end_time === null ? null : formatExact(span.end_time)}</Field>
        <Field label="metadata.duration">{span.duration === null ? null : formatDurationExact(span.duration)}</Field>
        <Field label="metadata.firstToken">
          {span.completion_start_time === null ? null : formatExact(span.completion_start_time)}
        </Field>
        <Field label="metadata.ingested">{formatExact(span.ingested_at)}</Field>
      </Group>
      <Group title="metadata.model">
        <Field label="metadata.modelName">{span.model}</Field>
        <Field label="metadata.provider">{span.provider}</Field>
        <Field label="metadata.prompt">
          {prompt === null ? null : [prompt.name ?? prompt.id, prompt.version === null ? null : `v${prompt.version}`].filter(Boolean).join(" ")}
        </Field>
        <Field label="metadata.parameters">
          {span.model_parameters === null ? null : <JsonTree value={span.model_parameters} openDepth={1} className="-ml-3" />}
        </Field>
      </Group>
      <Group title="metadata.usage">
        <Field label="metadata.inputTokens">{formatCount(span.input_tokens)}</Field>
        <Field label="metadata.outputTokens">{formatCount(span.output_tokens)}</Field>
        <Field label="metadata.totalTokens">{formatCount(span.total_tokens)}</Field>
        {span.client_total_tokens !== null && span.client_total_tokens !== span.total_tokens && (
          <Field label="metadata.clientTokens">{formatCount(span.client_total_tokens)}</Field>
        )}
        {Object.entries(span.usage_details).map(([kind, count]) => (
          <Row key={kind} label={<code className="code">{kind}</code>}>
            {formatCount(count)}
          </Row>
        ))}
        <Field label="metadata.inputSize">{formatBytes(span.input_length)}</Field>
        <Field label="metadata.outputSize">{formatBytes(span.output_length)}</Field>
      </Group>
      <Group title="metadata.cost">
        <Row label={t("metadata.totalCost")}>
          {span.total_cost === null ? `${NONE} ${costTip(span)}` : formatCostExact(span.total_cost)}
        </Row>
        {Object.entries(span.cost_details).map(([kind, cost]) => (
          <Row key={kind} label={<code className="code">{kind}</code>}>
            <span data-tip={formatCost(cost)}>{formatCostExact(cost)}</span>
          </Row>
        ))}
        <Field label="metadata.costSource">{span.cost_source}</Field>
        <Id label="metadata.priceId" value={span.price_id} />
      </Group>
      <Group title="metadata.context">
        <Field label="metadata.service">{span.service_name}</Field>
        <Field label="metadata.environment">{span.environment}</Field>
        <Id label="metadata.user" value={span.user_id} />
        <Id label="metadata.session" value={span.session_id} />
        <Field label="metadata.tags">{span.tags.length === 0 ? null : span.tags.join(", ")}</Field>
        <Field label="metadata.release">{span.release}</Field>
        <Field label="metadata.version">{span.version}</Field>
        <Field label="metadata.scopeName" code>
          {[span.scope.name, span.scope.version].filter(Boolean).join(" ")}
        </Field>
        <Field label="metadata.schemaUrl" code>
          {span.resource_schema_url}
        </Field>
        <Row label={t("metadata.flags")}>{span.flags.length === 0 ? t("metadata.flagsNone") : span.flags.join(", ")}</Row>
      </Group>
      {Object.keys(span.mapping).length > 0 && (
        <Group title="metadata.mapping">
          {Object.entries(span.mapping).map(([field, rule]) => (
            <Row key={field} label={<code className="code">{field}</code>}>
              <code className="code">{rule}</code>
            </Row>
          ))}
        </Group>
      )}
    </div>
  );
}

function Group({ title, children }: { title: Key; children: ReactNode }) {
  return (
    <section>
      <h3 className="mb-1 font-semibold">{t(title)}</h3>
      <dl className="overflow-hidden rounded-lg border border-line">{children}</dl>
    </section>
  );
}

function Row({ label, children }: { label: ReactNode; children: ReactNode }) {
  return (
    <div className="grid grid-cols-[minmax(7rem,2fr)_3fr] gap-x-4 border-b border-line px-3 py-1 last:border-b-0 odd:bg-sunken">
      <dt className="min-w-0 break-words text-muted">{label}</dt>
      <dd className="num min-w-0 break-words">{children}</dd>
    </div>
  );
}

/** A row for a value that may be missing; a missing one shows a dash. */
function Field({ label, children, code = false }: { label: Key; children: ReactNode; code?: boolean }) {
  const missing = children === null || children === undefined || children === "";
  return (
    <Row label={t(label)}>
      {missing ? <span className="text-muted">{NONE}</span> : code ? <code className="code break-all">{children}</code> : children}
    </Row>
  );
}

function Id({ label, value }: { label: Key; value: string | null }) {
  return (
    <Field label={label}>
      {value === null || value === "" ? null : (
        <span className="flex min-w-0 items-center gap-1">
          <code className="code min-w-0 break-all">{value}</code>
          <CopyButton text={value} />
        </span>
      )}
    </Field>
  );
}
