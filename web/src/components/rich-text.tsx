import { Fragment, useMemo, useState, type ReactNode } from "react";
import { t } from "@/i18n";
import { splitFences } from "@/lib/fences";

/** Text longer than this is cut until somebody asks for all of it. */
const LIMIT = 6000;

/** Text as models write it: line breaks kept, code blocks and `code` set apart. Nothing in it is ever run or loaded. */
export function RichText({ text }: { text: string }) {
  const [whole, setWhole] = useState(false);
  const cut = !whole && text.length > LIMIT;
  const shown = cut ? text.slice(0, LIMIT) : text;
  const blocks = useMemo(() => splitFences(shown), [shown]);
  return (
    <div className="text-base break-words">
      {blocks.map((block, index) =>
        block.kind === "code" ? (
          // Long lines scroll sideways, also by keyboard.
          // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
          <pre key={index} tabIndex={0} className="code my-1.5 overflow-x-auto rounded-md border border-line bg-page p-2">
            {block.text}
          </pre>
        ) : (
          <p key={index} className="whitespace-pre-wrap">
            {inline(block.text)}
          </p>
        ),
      )}
      {(cut || (whole && text.length > LIMIT)) && (
        <button type="button" className="mt-1 text-xs text-accent hover:underline" onClick={() => setWhole(!whole)}>
          {cut ? t("json.moreText", { count: text.length - LIMIT }) : t("action.showLess")}
        </button>
      )}
    </div>
  );
}

/** `code` and **bold** within a line. */
function inline(text: string): ReactNode {
  return text.split(/(`[^`\n]+`|\*\*[^*\n]+\*\*)/).map((piece, index) => {
    if (piece.startsWith("`") && piece.length > 2) {
      return (
        <code key={index} className="code rounded-sm bg-hover px-1">
          {piece.slice(1, -1)}
        </code>
      );
    }
    if (piece.startsWith("**") && piece.length > 4) return <strong key={index}>{piece.slice(2, -2)}</strong>;
    return <Fragment key={index}>{piece}</Fragment>;
  });
}
