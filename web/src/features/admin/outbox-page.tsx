import { useInfiniteQuery } from "@tanstack/react-query";
import { createLazyRoute } from "@tanstack/react-router";
import { useState } from "react";
import { admin, type MailView } from "@/api/identity";
import { outboxQuery } from "@/api/identity-queries";
import { Badge, type Tone } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { DataTable, TwoLines, type Column } from "@/components/ui/data-table";
import { Empty, SettingsPage } from "@/components/ui/page";
import { Segmented } from "@/components/ui/segmented";
import { Time } from "@/components/ui/time";
import { t } from "@/i18n";
import { useAction } from "@/lib/use-action";
import { MailDialog } from "./mail-dialog";

export const route = createLazyRoute("/app/admin/outbox")({ component: OutboxPage });

const STATUSES = ["queued", "sent", "kept", "failed"] as const;
type MailStatus = (typeof STATUSES)[number];
const TONES: Record<MailStatus, Tone> = { queued: "accent", sent: "plain", kept: "warning", failed: "error" };

function MailStatusBadge({ status }: { status: string }) {
  const known = STATUSES.find((name) => name === status);
  if (known === undefined) return <Badge tone="plain">{status}</Badge>;
  return (
    <Badge tone={TONES[known]} tip={known === "kept" ? t("outbox.keptTip") : undefined}>
      {t(`outbox.status.${known}`)}
    </Badge>
  );
}

function OutboxPage() {
  const [status, setStatus] = useState<MailStatus | "any">("any");
  const [open, setOpen] = useState<MailView | null>(null);
  const list = useInfiniteQuery({ ...outboxQuery({ status: status === "any" ? undefined : status }), refetchInterval: 10_000 });
  const retry = useAction((row: MailView) => admin.retryMail(row.id), {
    stale: [["admin", "outbox"]],
    done: (row) => t("outbox.retried", { email: row.recipient }),
  });
  const columns: Column<MailView>[] = [
    {
      id: "subject",
      header: t("outbox.subject"),
      grow: true,
      cell: (row) => (
        <TwoLines
          first={
            <button type="button" className="hover:underline" onClick={() => setOpen(row)}>
              {row.subject}
            </button>
          }
          second={row.status === "failed" && row.last_error !== null ? <span className="text-error">{row.last_error}</span> : <span className="lg:hidden">{row.recipient}</span>}
        />
      ),
    },
    { id: "to", header: t("outbox.to"), from: "lg", cell: (row) => <span className="block max-w-60 truncate">{row.recipient}</span> },
    { id: "template", header: t("outbox.template"), from: "xl", cell: (row) => <code className="code text-muted">{row.template}</code> },
    {
      id: "status",
      header: t("organization.status"),
      cell: (row) => <MailStatusBadge status={row.status} />,
    },
    { id: "created", header: t("outbox.written"), from: "sm", cell: (row) => <Time value={row.created_at} /> },
    {
      id: "actions",
      header: t("organizations.actions"),
      quiet: true,
      align: "right",
      cell: (row) =>
        (row.status === "failed" || row.status === "kept") && (
          <Button disabled={retry.isPending} onClick={() => retry.mutate(row)} aria-label={`${t("outbox.retry")}: ${row.subject}`}>
            {t("outbox.retry")}
          </Button>
        ),
    },
  ];
  return (
    <SettingsPage title={t("admin.outbox")} description={t("outbox.text")} wide>
      <Segmented<MailStatus | "any">
        label={t("organization.status")}
        value={status}
        onChange={setStatus}
        className="self-start"
        options={[{ value: "any", label: t("filter.statusAny") }, ...STATUSES.map((name) => ({ value: name, label: t(`outbox.status.${name}`) }))]}
      />
      <DataTable
        label={t("admin.outbox")}
        columns={columns}
        rows={list.data?.pages.flatMap((page) => page.items)}
        rowKey={(row) => row.id}
        error={list.error}
        onRetry={() => void list.refetch()}
        outdated={list.isPlaceholderData}
        more={list}
        onOpen={setOpen}
        empty={<Empty title={t("outbox.none")} text={t("outbox.noneText")} />}
      />
      {open !== null && <MailDialog mail={open} onClose={() => setOpen(null)} />}
    </SettingsPage>
  );
}
