import { CircleAlert, CircleCheck, CircleDashed, LoaderCircle } from "lucide-react";
import type { Status } from "@/api/contract";
import { cx } from "@/components/ui/cx";
import { t, type Key } from "@/i18n";

interface StatusIconProps {
  status: Status;
  running?: boolean;
  className?: string;
}

const LABELS: Record<Status, Key> = { ok: "status.ok", error: "status.error", unset: "status.unset" };

export function statusLabel(status: Status, running = false): string {
  return t(running ? "status.running" : LABELS[status]);
}

/** Shape and colour say it twice. Only trouble has colour: a good end is neutral. */
export function StatusIcon({ status, running = false, className }: StatusIconProps) {
  const label = statusLabel(status, running);
  const shared = { role: "img", "aria-label": label };
  if (status === "error") return <CircleAlert {...shared} className={cx("size-4 text-error", className)} />;
  if (running) return <LoaderCircle {...shared} className={cx("running size-4 text-accent", className)} />;
  if (status === "ok") return <CircleCheck {...shared} className={cx("size-4 text-muted", className)} />;
  return <CircleDashed {...shared} className={cx("size-4 text-muted", className)} />;
}
