/** Icon and colour of each type of span. Types that share a colour differ in their icon. */
import {
  ArrowDownWideNarrow,
  Binary,
  Bot,
  Box,
  ClipboardCheck,
  FileSearch,
  Link2,
  Shield,
  Sparkles,
  Workflow,
  Wrench,
  Zap,
  type LucideIcon,
} from "lucide-react";
import { t, type Key } from "@/i18n";

export interface SpanType {
  icon: LucideIcon;
  /** Class of the colour of text and icons. */
  text: string;
  /** Class of the colour of bars. */
  bar: string;
  label: Key;
}

const TYPES: Record<string, SpanType> = {
  generation: { icon: Sparkles, text: "text-cat-1", bar: "bg-cat-1", label: "type.generation" },
  tool: { icon: Wrench, text: "text-cat-2", bar: "bg-cat-2", label: "type.tool" },
  agent: { icon: Bot, text: "text-cat-3", bar: "bg-cat-3", label: "type.agent" },
  retrieval: { icon: FileSearch, text: "text-cat-4", bar: "bg-cat-4", label: "type.retrieval" },
  rerank: { icon: ArrowDownWideNarrow, text: "text-cat-4", bar: "bg-cat-4", label: "type.rerank" },
  embedding: { icon: Binary, text: "text-cat-5", bar: "bg-cat-5", label: "type.embedding" },
  chain: { icon: Link2, text: "text-cat-6", bar: "bg-cat-6", label: "type.chain" },
  workflow: { icon: Workflow, text: "text-cat-6", bar: "bg-cat-6", label: "type.workflow" },
  evaluator: { icon: ClipboardCheck, text: "text-cat-7", bar: "bg-cat-7", label: "type.evaluator" },
  guardrail: { icon: Shield, text: "text-cat-7", bar: "bg-cat-7", label: "type.guardrail" },
  event: { icon: Zap, text: "text-cat-8", bar: "bg-cat-8", label: "type.event" },
};
const SPAN: SpanType = { icon: Box, text: "text-cat-8", bar: "bg-cat-8", label: "type.span" };

export function spanType(type: string): SpanType {
  return TYPES[type] ?? SPAN;
}

export function spanTypeLabel(type: string): string {
  const known = TYPES[type];
  return known === undefined && type !== "span" ? type : t(spanType(type).label);
}
