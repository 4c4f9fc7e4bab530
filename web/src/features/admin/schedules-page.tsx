import { useQuery } from "@tanstack/react-query";
import { createLazyRoute, Link } from "@tanstack/react-router";
import { admin, type ScheduleView } from "@/api/identity";
import { schedulesQuery } from "@/api/identity-queries";
import { Button } from "@/components/ui/button";
import { DataTable, TwoLines, type Column } from "@/components/ui/data-table";
import { Empty, SettingsPage } from "@/components/ui/page";
import { Time } from "@/components/ui/time";
import { t } from "@/i18n";
import { formatExact, formatMinute } from "@/lib/time";
import { useAction } from "@/lib/use-action";

export const route = createLazyRoute("/app/admin/schedules")({ component: SchedulesPage });

function SchedulesPage() {
  const list = useQuery({ ...schedulesQuery(), refetchInterval: 15_000 });
  const run = useAction((row: ScheduleView) => admin.runSchedule(row.name), {
    stale: [["admin", "schedules"], ["admin", "jobs"]],
    done: (row) => t("schedules.started", { name: row.name }),
  });
  const columns: Column<ScheduleView>[] = [
    {
      id: "name",
      header: t("organizations.name"),
      grow: true,
      cell: (row) => (
        <TwoLines
          first={row.name}
          second={
            <Link to="/admin/jobs" search={{ kind: row.kind }} className="hover:underline">
              {row.kind}
            </Link>
          }
        />
      ),
    },
    { id: "cron", header: t("schedules.cron"), from: "sm", cell: (row) => <code className="code">{row.cron}</code> },
    { id: "last", header: t("schedules.last"), from: "md", cell: (row) => <Time value={row.last_at} none={t("members.never")} /> },
    {
      id: "next",
      header: t("schedules.next"),
      from: "md",
      cell: (row) => (
        <time className="num" dateTime={row.next_at} data-tip={formatExact(row.next_at)}>
          {formatMinute(Date.parse(row.next_at))}
        </time>
      ),
    },
    {
      id: "run",
      header: t("schedules.run"),
      quiet: true,
      cell: (row) => (
        <Button disabled={run.isPending} onClick={() => run.mutate(row)} aria-label={`${t("schedules.run")}: ${row.name}`}>
          {t("schedules.run")}
        </Button>
      ),
    },
  ];
  return (
    <SettingsPage title={t("admin.schedules")} description={t("schedules.text")} wide>
      <DataTable
        label={t("admin.schedules")}
        columns={columns}
        rows={list.data}
        rowKey={(row) => row.name}
        error={list.error}
        onRetry={() => void list.refetch()}
        empty={<Empty title={t("schedules.none")} />}
      />
    </SettingsPage>
  );
}
