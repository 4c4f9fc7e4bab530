export interface Block {
  kind: "text" | "code";
  text: string;
}

/** Splits text at ``` fences. A fence that is never closed runs to the end, as in a reply that was cut. */
export function splitFences(text: string): Block[] {
  const blocks: Block[] = [];
  let lines: string[] = [];
  let fence: string | null = null;
  const flush = (kind: Block["kind"]) => {
    const body = lines.join("\n");
    lines = [];
    if (kind === "code" || body.trim() !== "") blocks.push({ kind, text: kind === "text" ? body.replace(/^\n+|\n+$/g, "") : body });
  };
  for (const line of text.split("\n")) {
    const mark = /^\s*(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence === null && mark !== undefined) {
      flush("text");
      fence = mark;
    } else if (fence !== null && mark !== undefined && mark.startsWith(fence) && line.trim() === mark) {
      flush("code");
      fence = null;
    } else lines.push(line);
  }
  flush(fence === null ? "text" : "code");
  return blocks;
}
