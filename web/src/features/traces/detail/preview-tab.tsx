import { useMemo, useState } from "react";
import type { SpanDetail } from "@/api/contract";
import { JsonTree } from "@/components/json-tree";
import { RichText } from "@/components/rich-text";
import { CopyButton } from "@/components/ui/copy-button";
import { Segmented } from "@/components/ui/segmented";
import { t } from "@/i18n";
import { formatBytes } from "@/lib/format";
import { parsePayload, type Payload } from "@/lib/messages";
import { ChatView } from "./chat-view";

interface PreviewTabProps {
  span: SpanDetail;
  running: boolean;
}

/** What went in and what came out. */
export function PreviewTab({ span, running }: PreviewTabProps) {
  return (
    <div className="flex flex-col gap-6 px-4 py-3">
      <PayloadSection
        title={t("span.input")}
        text={span.input}
        bytes={span.input_length}
        missing={t("span.noInput")}
        copyLabel={t("span.copyInput")}
        truncated={span.flags.includes("input_truncated")}
      />
      <PayloadSection
        title={t("span.output")}
        text={span.output}
        bytes={span.output_length}
        missing={t(running ? "span.noOutputRunning" : "span.noOutput")}
        copyLabel={t("span.copyOutput")}
        truncated={span.flags.includes("output_truncated")}
      />
    </div>
  );
}

interface PayloadSectionProps {
  title: string;
  /** Empty when nothing was recorded. */
  text: string;
  bytes: number;
  missing: string;
  copyLabel: string;
  truncated: boolean;
}

function PayloadSection({ title, text, bytes, missing, copyLabel, truncated }: PayloadSectionProps) {
  const [mode, setMode] = useState<"formatted" | "raw">("formatted");
  const payload = useMemo(() => parsePayload(text), [text]);
  const present = payload.kind !== "empty";
  return (
    <section aria-label={title}>
      <header className="mb-2 flex h-7 items-center gap-2">
        <h3 className="font-semibold">{title}</h3>
        {present && bytes > 0 && <span className="num text-xs text-muted">{formatBytes(bytes)}</span>}
        {truncated && <span className="rounded-sm bg-warning-soft px-1.5 text-xs text-warning">{t("span.truncated")}</span>}
        {present && (
          <span className="ml-auto flex items-center gap-1">
            {payload.kind !== "text" && (
              <Segmented
                label={t("span.viewAs", { what: title })}
                value={mode}
                onChange={setMode}
                options={[
                  { value: "formatted", label: t("span.formatted") },
                  { value: "raw", label: t("span.raw") },
                ]}
              />
            )}
            <CopyButton text={text} label={copyLabel} size="md" />
          </span>
        )}
      </header>
      {!present ? (
        <p className="text-muted">{missing}</p>
      ) : mode === "raw" ? (
        <RawText text={text} payload={payload} />
      ) : (
        <Formatted payload={payload} />
      )}
    </section>
  );
}

function Formatted({ payload }: { payload: Payload }) {
  switch (payload.kind) {
    case "empty":
      return null;
    case "text":
      return (
        <div className="rounded-lg border border-line bg-sunken px-3 py-2">
          <RichText text={payload.text} />
        </div>
      );
    case "json":
      return (
        <div className="rounded-lg border border-line bg-sunken px-2 py-2">
          <JsonTree value={payload.value} />
        </div>
      );
    case "chat":
      return (
        <div className="flex flex-col gap-2">
          <ChatView messages={payload.messages} />
          {payload.rest !== null && (
            <div className="rounded-lg border border-line px-2 py-2">
              <p className="px-1 pb-1 text-xs text-muted">{t("chat.rest")}</p>
              <JsonTree value={payload.rest} openDepth={1} />
            </div>
          )}
        </div>
      );
  }
}

/** Longest raw text that is shown at once: beyond it the browser would stall. */
const RAW_LIMIT = 200_000;

function RawText({ text, payload }: { text: string; payload: Payload }) {
  const [whole, setWhole] = useState(false);
  const pretty = useMemo(
    () => (payload.kind === "json" || payload.kind === "chat" ? JSON.stringify(payload.value, null, 2) : text),
    [payload, text],
  );
  const cut = !whole && pretty.length > RAW_LIMIT;
  return (
    <div className="rounded-lg border border-line bg-sunken px-3 py-2">
      <pre className="code break-words whitespace-pre-wrap">{cut ? pretty.slice(0, RAW_LIMIT) : pretty}</pre>
      {cut && (
        <button type="button" className="mt-2 text-xs text-accent hover:underline" onClick={() => setWhole(true)}>
          {t("json.moreText", { count: pretty.length - RAW_LIMIT })}
        </button>
      )}
    </div>
  );
}
