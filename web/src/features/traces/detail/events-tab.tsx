import type { SpanDetail } from "@/api/contract";
import { JsonTree } from "@/components/json-tree";
import { cx } from "@/components/ui/cx";
import { t } from "@/i18n";
import { formatDuration } from "@/lib/format";
import { formatExact, parseTime } from "@/lib/time";

export function EventsTab({ span }: { span: SpanDetail }) {
  const start = parseTime(span.start_time);
  return (
    <div className="flex flex-col gap-2 px-4 py-3">
      {span.dropped.events > 0 && (
        <p className="rounded-md bg-warning-soft px-3 py-1.5 text-warning">
          {t("events.dropped", { count: span.dropped.events })}
        </p>
      )}
      {span.events.length === 0 && <p className="text-muted">{t("events.none")}</p>}
      <ol className="flex flex-col gap-2">
        {span.events.map((event, index) => {
          const { "exception.stacktrace": stack, ...attributes } = event.attributes;
          return (
            <li key={index} className="rounded-lg border border-line px-3 py-2">
              <header className="flex items-baseline gap-3">
                <h3 className={cx("min-w-0 break-words font-semibold", event.name === "exception" && "text-error")}>
                  {event.name}
                </h3>
                <time
                  dateTime={event.timestamp}
                  data-tip={formatExact(event.timestamp)}
                  className="num ml-auto shrink-0 text-xs text-muted"
                >
                  {t("events.after", { offset: formatDuration((parseTime(event.timestamp) - start) * 1e6) })}
                </time>
              </header>
              {Object.keys(attributes).length > 0 && <JsonTree value={attributes} openDepth={1} className="mt-1 -ml-1" />}
              {typeof stack === "string" && (
                // Long lines scroll sideways, also by keyboard.
                // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
                <pre tabIndex={0} className="code mt-2 max-h-80 overflow-auto rounded-md border border-line bg-sunken p-2">
                  {stack}
                </pre>
              )}
            </li>
          );
        })}
      </ol>
    </div>
  );
}
