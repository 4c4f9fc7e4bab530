import { NONE } from "@/lib/format";
import { formatExact, formatRelative } from "@/lib/time";
import { useNow } from "@/lib/use-now";

/** A moment, relative, with the exact one on hover. */
export function Time({ value, none = NONE }: { value: string | null | undefined; none?: string }) {
  const now = useNow(30_000);
  if (value === null || value === undefined) return <span className="text-muted">{none}</span>;
  return (
    <time dateTime={value} data-tip={formatExact(value)} className="num whitespace-nowrap">
      {formatRelative(value, now)}
    </time>
  );
}
