import { Bot, Brain, ChevronRight, CornerDownRight, Settings2, User, Wrench, type LucideIcon } from "lucide-react";
import { useState, type ReactNode } from "react";
import { JsonTree } from "@/components/json-tree";
import { RichText } from "@/components/rich-text";
import { CopyButton } from "@/components/ui/copy-button";
import { cx } from "@/components/ui/cx";
import { t, type Key } from "@/i18n";
import { messageLength, type ChatMessage, type Part, type Role } from "@/lib/messages";

/** A conversation longer than this shows its ends; the middle follows on demand. */
const FOLD_ABOVE = 14;
const HEAD = 3;
const TAIL = 8;
/** A system prompt longer than this starts folded: it is the same in every call. */
const SYSTEM_FOLD = 400;

const ROLES: Record<Role, { icon: LucideIcon; label: Key; frame: string; ink: string }> = {
  system: { icon: Settings2, label: "chat.system", frame: "border-dashed border-line-strong bg-surface", ink: "text-cat-8" },
  user: { icon: User, label: "chat.user", frame: "border-line bg-sunken", ink: "text-cat-6" },
  assistant: { icon: Bot, label: "chat.assistant", frame: "border-line-strong bg-raised", ink: "text-cat-1" },
  tool: { icon: Wrench, label: "chat.tool", frame: "border-line bg-sunken", ink: "text-cat-2" },
  other: { icon: User, label: "chat.user", frame: "border-line bg-sunken", ink: "text-cat-8" },
};

export function ChatView({ messages }: { messages: readonly ChatMessage[] }) {
  const [whole, setWhole] = useState(false);
  const fold = !whole && messages.length > FOLD_ABOVE;
  const bubble = (message: ChatMessage, index: number) => <Bubble key={index} message={message} />;
  return (
    <ol className="flex flex-col gap-2" data-testid="chat">
      {fold ? (
        <>
          {messages.slice(0, HEAD).map(bubble)}
          <li>
            <button
              type="button"
              onClick={() => setWhole(true)}
              className="w-full rounded-md border border-dashed border-line-strong py-1 text-xs text-muted hover:bg-hover hover:text-text"
            >
              {t("chat.earlier", { count: messages.length - HEAD - TAIL })}
            </button>
          </li>
          {messages.slice(-TAIL).map((message, index) => bubble(message, messages.length - TAIL + index))}
        </>
      ) : (
        messages.map(bubble)
      )}
    </ol>
  );
}

function Bubble({ message }: { message: ChatMessage }) {
  const role = ROLES[message.role];
  const Icon = role.icon;
  const foldable = message.role === "system" && messageLength(message) > SYSTEM_FOLD;
  const [open, setOpen] = useState(!foldable);
  const title = message.role === "other" ? message.label : t(role.label);
  return (
    <li className={cx("group rounded-lg border px-3 pt-1.5 pb-2", role.frame)} data-role={message.role}>
      <header className="mb-0.5 flex h-5 items-center gap-1.5 text-xs">
        <Icon className={cx("size-3.5", role.ink)} aria-hidden />
        <span className={cx("font-semibold", role.ink)}>{title}</span>
        {message.name !== null && <span className="text-muted">{message.name}</span>}
        {message.finishReason !== null && message.finishReason !== "" && (
          <span className="text-muted">{t("chat.finish", { reason: message.finishReason })}</span>
        )}
        <span className="ml-auto flex items-center opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 pointer-coarse:opacity-100">
          <CopyButton text={() => textOf(message)} />
        </span>
      </header>
      {message.parts.length === 0 && <p className="text-muted italic">{t("chat.empty")}</p>}
      <div className={cx("flex flex-col gap-2", !open && "max-h-[4.2em] overflow-hidden [mask-image:linear-gradient(#000_40%,transparent)]")}>
        {message.parts.map((part, index) => (
          <PartView key={index} part={part} />
        ))}
      </div>
      {foldable && (
        <button type="button" className="mt-1 text-xs text-accent hover:underline" onClick={() => setOpen(!open)}>
          {t(open ? "action.showLess" : "action.showAll")}
        </button>
      )}
    </li>
  );
}

/** What copying a message puts on the clipboard. */
function textOf(message: ChatMessage): string {
  return message.parts
    .map((part) => {
      switch (part.kind) {
        case "text":
        case "thinking":
          return part.text;
        case "tool-call":
          return `${part.name}(${JSON.stringify(part.arguments ?? {})})`;
        case "tool-result":
          return typeof part.result === "string" ? part.result : JSON.stringify(part.result);
        case "media":
          return part.source;
        case "data":
          return JSON.stringify(part.value);
      }
    })
    .join("\n");
}

function PartView({ part }: { part: Part }) {
  switch (part.kind) {
    case "text":
      return <RichText text={part.text} />;
    case "thinking":
      return <Thinking text={part.text} />;
    case "tool-call":
      return (
        <Card icon={Wrench} title={part.name} kind={t("chat.toolCall")} id={part.id}>
          {isEmpty(part.arguments) ? (
            <p className="text-xs text-muted">{t("chat.noArguments")}</p>
          ) : (
            <Data value={part.arguments} />
          )}
        </Card>
      );
    case "tool-result":
      return (
        <Card icon={CornerDownRight} title={part.name ?? ""} kind={t("chat.toolResult")} id={part.id}>
          <Data value={part.result} />
        </Card>
      );
    case "media":
      return <Media mediaType={part.mediaType} source={part.source} />;
    case "data":
      return <JsonTree value={part.value} openDepth={1} />;
  }
}

function isEmpty(value: unknown): boolean {
  return (
    value === undefined ||
    value === null ||
    value === "" ||
    (typeof value === "object" && Object.keys(value).length === 0)
  );
}

function Data({ value }: { value: unknown }) {
  return typeof value === "string" ? <RichText text={value} /> : <JsonTree value={value} />;
}

interface CardProps {
  icon: LucideIcon;
  title: string;
  kind: string;
  id: string | null;
  children: ReactNode;
}

function Card({ icon: Icon, title, kind, id, children }: CardProps) {
  return (
    <div className="overflow-hidden rounded-md border border-line bg-surface">
      <div className="flex items-center gap-1.5 border-b border-line bg-sunken px-2 py-1 text-xs">
        <Icon className="size-3.5 shrink-0 text-cat-2" aria-hidden />
        {title !== "" && <span className="code truncate font-semibold">{title}</span>}
        <span className="shrink-0 text-muted">{kind}</span>
        {id !== null && (
          <span className="code ml-auto max-w-32 truncate text-2xs text-muted" data-tip={id}>
            {id}
          </span>
        )}
      </div>
      <div className="px-2 py-1.5">{children}</div>
    </div>
  );
}

function Thinking({ text }: { text: string }) {
  const [open, setOpen] = useState(false);
  return (
    <div>
      <button
        type="button"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        className="flex items-center gap-1 rounded-sm text-xs text-muted hover:text-text"
      >
        <ChevronRight className={cx("size-3.5 transition-transform duration-100", open && "rotate-90")} aria-hidden />
        <Brain className="size-3.5" aria-hidden />
        {t("chat.thinking")}
      </button>
      {open && (
        <div className="mt-1 border-l-2 border-line-strong pl-3 text-muted">
          <RichText text={text} />
        </div>
      )}
    </div>
  );
}

/** Pictures inside the payload are shown; addresses are not loaded, so that looking at a trace calls nobody. */
function Media({ mediaType, source }: { mediaType: string; source: string }) {
  if (/^data:image\/(?:png|jpeg|gif|webp|avif|\*);/.test(source)) {
    return <img src={source} alt={t("chat.image")} className="max-h-80 max-w-full self-start rounded-md border border-line" />;
  }
  return (
    <p className="rounded-md border border-line bg-surface px-2 py-1.5 text-xs">
      <span className="text-muted">
        {source.startsWith("data:") ? t("chat.media", { type: mediaType }) : t("chat.external")}
      </span>
      {!source.startsWith("data:") && <code className="code ml-1 break-all">{source}</code>}
    </p>
  );
}
