import type { ReactNode } from "react";
import type { AuditView } from "@/api/identity";
import { CopyButton } from "@/components/ui/copy-button";
import { t } from "@/i18n";
import { changes } from "@/lib/changes";
import { formatExact } from "@/lib/time";

/** All that is known about one entry: what changed, and from where it was done. */
export function AuditDetail({ entry }: { entry: AuditView }) {
  const list = changes(entry.before, entry.after);
  const facts: [string, string | null][] = [
    [t("audit.time"), formatExact(entry.created_at)],
    [t("audit.actor"), entry.actor_email ?? entry.actor_type],
    [t("audit.actorId"), entry.actor_id],
    [t("audit.targetId"), entry.target_id],
    [t("audit.projectId"), entry.project_id],
    [t("audit.ip"), entry.ip_address],
    [t("audit.userAgent"), entry.user_agent],
    [t("error.requestId"), entry.request_id],
  ];
  return (
    <div className="grid gap-6 lg:grid-cols-2">
      <section className="min-w-0">
        <h3 className="mb-1 text-xs font-medium text-muted">{t("audit.changes")}</h3>
        {list.length === 0 ? (
          <p className="text-muted">{t("audit.noChanges")}</p>
        ) : (
          <dl className="flex flex-col gap-2">
            {list.map((change) => (
              <div key={change.path} className="min-w-0">
                <dt className="code text-muted">{change.path === "" ? t("audit.value") : change.path}</dt>
                <dd className="flex flex-col gap-px">
                  {change.before !== undefined && <Side sign="−">{change.before}</Side>}
                  {change.after !== undefined && <Side sign="+">{change.after}</Side>}
                </dd>
              </div>
            ))}
          </dl>
        )}
      </section>
      <dl className="grid min-w-0 grid-cols-[auto_1fr] content-start gap-x-4 gap-y-1">
        {facts.map(
          ([name, value]) =>
            value !== null && (
              <div key={name} className="contents">
                <dt className="text-muted">{name}</dt>
                <dd className="group flex min-w-0 items-start gap-1">
                  <span className="code min-w-0 break-words">{value}</span>
                  <CopyButton text={value} className="opacity-0 group-hover:opacity-100 focus-visible:opacity-100" />
                </dd>
              </div>
            ),
        )}
      </dl>
    </div>
  );
}

function Side({ sign, children }: { sign: "−" | "+"; children: unknown }): ReactNode {
  const removed = sign === "−";
  return (
    <span className={`code flex gap-2 rounded-sm px-2 break-all ${removed ? "bg-error-soft text-error" : "bg-accent-soft text-accent"}`}>
      <span aria-hidden className="select-none">
        {sign}
      </span>
      <span className="sr-only">{t(removed ? "audit.before" : "audit.after")}</span>
      <span className="whitespace-pre-wrap">{typeof children === "string" ? children : JSON.stringify(children)}</span>
    </span>
  );
}
