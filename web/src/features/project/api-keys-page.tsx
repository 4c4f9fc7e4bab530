import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createLazyRoute, getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { apiKeys, type ApiKeyView, type NewApiKey } from "@/api/identity";
import { apiKeysQuery } from "@/api/identity-queries";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { DataTable, TwoLines, type Column } from "@/components/ui/data-table";
import { MenuItem, MenuSeparator, RowMenu } from "@/components/ui/menu";
import { Empty, SettingsPage } from "@/components/ui/page";
import { Time } from "@/components/ui/time";
import { toast } from "@/components/ui/toast-store";
import { t } from "@/i18n";
import { formatDay, formatExact } from "@/lib/time";
import { useNow } from "@/lib/use-now";
import { useProjectPermissions } from "@/lib/use-permissions";
import { CreateKeyDialog } from "./create-key-dialog";
import { RenameKeyDialog, RotateKeyDialog } from "./key-dialogs";
import { NewKeyDialog } from "./new-key-dialog";

export const route = createLazyRoute("/app/projects/$projectId/settings/api-keys")({ component: ApiKeysPage });
const api = getRouteApi("/app/projects/$projectId/settings/api-keys");

/** A key that ends within this time is marked. */
const SOON_MS = 7 * 86_400_000;

function Expiry({ row }: { row: ApiKeyView }) {
  const now = useNow(60_000);
  if (row.expires_at === null) return <span className="text-muted">{t("keys.never")}</span>;
  const at = Date.parse(row.expires_at);
  return (
    <time dateTime={row.expires_at} data-tip={formatExact(row.expires_at)} className={at - now < SOON_MS ? "num text-warning" : "num"}>
      {formatDay(at)}
    </time>
  );
}

type Action = { kind: "rename" | "rotate" | "revoke"; row: ApiKeyView } | { kind: "create" } | null;

function ApiKeysPage() {
  const { projectId } = api.useParams();
  const client = useQueryClient();
  const keys = useQuery(apiKeysQuery(projectId));
  const permissions = useProjectPermissions(projectId);
  const [action, setAction] = useState<Action>(null);
  const [made, setMade] = useState<NewApiKey | null>(null);
  const close = () => setAction(null);
  const refresh = () => client.invalidateQueries({ queryKey: apiKeysQuery(projectId).queryKey });
  const show = (key: NewApiKey) => {
    close();
    setMade(key);
    void refresh();
  };
  const createDenied = permissions.denied("api-keys:create");
  const updateDenied = permissions.denied("api-keys:update");
  const revoking = action?.kind === "revoke" ? action.row : null;
  const columns: Column<ApiKeyView>[] = [
    {
      id: "name",
      header: t("keys.name"),
      grow: true,
      cell: (row) => (
        <TwoLines
          first={row.name}
          second={<span className="code">{row.key_preview}</span>}
          badge={row.status !== "active" && <Badge tone="warning">{row.status}</Badge>}
        />
      ),
    },
    {
      id: "scopes",
      header: t("keys.scopes"),
      from: "sm",
      cell: (row) => (
        <span className="flex gap-1">
          {row.scopes.map((scope) => (
            <Badge key={scope} tip={t(`keys.scope.${scope}.text`)}>
              {t(`keys.scope.${scope}`)}
            </Badge>
          ))}
        </span>
      ),
    },
    { id: "used", header: t("keys.lastUsed"), from: "md", cell: (row) => <Time value={row.last_used} none={t("members.never")} /> },
    { id: "expires", header: t("sessions.expires"), from: "md", cell: (row) => <Expiry row={row} /> },
    {
      id: "created",
      header: t("organizations.created"),
      from: "xl",
      cell: (row) => (
        <span data-tip={row.created_by_email ?? undefined}>
          <Time value={row.created_at} />
        </span>
      ),
    },
    {
      id: "actions",
      header: t("organizations.actions"),
      quiet: true,
      cell: (row) => (
        <RowMenu label={t("action.more", { name: row.name })}>
          <MenuItem denied={updateDenied} onSelect={() => setAction({ kind: "rotate", row })}>
            {t("keys.rotate")}
          </MenuItem>
          <MenuItem denied={updateDenied} onSelect={() => setAction({ kind: "rename", row })}>
            {t("action.rename")}
          </MenuItem>
          <MenuSeparator />
          <MenuItem danger denied={permissions.denied("api-keys:delete")} onSelect={() => setAction({ kind: "revoke", row })}>
            {t("keys.revoke")}
          </MenuItem>
        </RowMenu>
      ),
    },
  ];
  return (
    <SettingsPage
      title={t("keys.title")}
      description={t("keys.text")}
      wide
      actions={
        <Button variant="primary" denied={createDenied} onClick={() => setAction({ kind: "create" })}>
          {t("keys.create")}
        </Button>
      }
    >
      <DataTable
        label={t("keys.title")}
        columns={columns}
        rows={keys.data}
        rowKey={(row) => row.id}
        error={keys.error}
        onRetry={() => void keys.refetch()}
        empty={
          <Empty title={t("keys.none")} text={t("keys.noneText")}>
            <Button denied={createDenied} onClick={() => setAction({ kind: "create" })}>
              {t("keys.create")}
            </Button>
          </Empty>
        }
      />
      {action?.kind === "create" && <CreateKeyDialog projectId={projectId} onClose={close} onDone={show} />}
      {action?.kind === "rotate" && <RotateKeyDialog projectId={projectId} row={action.row} onClose={close} onDone={show} />}
      {action?.kind === "rename" && (
        <RenameKeyDialog
          projectId={projectId}
          row={action.row}
          onClose={close}
          onDone={() => {
            close();
            void refresh();
          }}
        />
      )}
      <ConfirmDialog
        open={revoking !== null}
        onClose={close}
        title={t("keys.revoke")}
        text={t("keys.revokeText", { name: revoking?.name ?? "" })}
        confirm={t("keys.revoke")}
        typeName={revoking?.name}
        act={async () => {
          if (revoking === null) return;
          await apiKeys.revoke(projectId, revoking.id);
          await refresh();
          toast({ text: t("keys.revoked", { name: revoking.name }) });
        }}
      />
      <NewKeyDialog made={made} onClose={() => setMade(null)} />
    </SettingsPage>
  );
}
