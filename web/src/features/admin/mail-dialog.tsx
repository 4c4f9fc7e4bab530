import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { MailView } from "@/api/identity";
import { mailQuery } from "@/api/identity-queries";
import { ErrorNotice } from "@/components/error-notice";
import { CopyButton } from "@/components/ui/copy-button";
import { Dialog } from "@/components/ui/dialog";
import { SkeletonLines } from "@/components/ui/page";
import { Segmented } from "@/components/ui/segmented";
import { Time } from "@/components/ui/time";
import { t } from "@/i18n";
import { withoutStyles } from "@/lib/mail-html";

type View = "text" | "html";

/** A mail as it was written. */
export function MailDialog({ mail, onClose }: { mail: MailView; onClose: () => void }) {
  const detail = useQuery(mailQuery(mail.id));
  const [view, setView] = useState<View>("text");
  return (
    <Dialog open onClose={onClose} title={mail.subject} className="w-[min(720px,calc(100vw-24px))]">
      <div className="flex flex-col gap-3">
        <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
          <p className="min-w-0 flex-1 truncate">
            <span className="text-muted">{t("outbox.to")}</span> {mail.recipient} <span className="text-muted">·</span> <Time value={mail.created_at} />
          </p>
          <Segmented<View>
            label={t("outbox.view")}
            value={view}
            onChange={setView}
            options={[
              { value: "text", label: t("outbox.plain") },
              { value: "html", label: t("outbox.html") },
            ]}
          />
          {detail.data !== undefined && <CopyButton text={detail.data.text} size="md" />}
        </div>
        {mail.last_error !== null && <p className="rounded-md bg-error-soft px-3 py-2 break-words text-error">{mail.last_error}</p>}
        <div className="min-h-72">
          {detail.isPending ? (
            <SkeletonLines count={6} />
          ) : detail.isError ? (
            <ErrorNotice error={detail.error} onRetry={() => void detail.refetch()} />
          ) : view === "text" ? (
            <pre className="font-mono text-xs break-words whitespace-pre-wrap">{detail.data.text}</pre>
          ) : (
            <MailFrame html={detail.data.html} title={mail.subject} />
          )}
        </div>
      </div>
    </Dialog>
  );
}

/**
 * The HTML of a mail, where nothing of it can run or reach out. Our own policy refuses styles that are written into markup, so they
 * are set by script from here once the frame has loaded; that is what the frame shares its origin for.
 */
function MailFrame({ html, title }: { html: string; title: string }) {
  return (
    <iframe
      title={title}
      sandbox="allow-same-origin"
      srcDoc={withoutStyles(html)}
      onLoad={(event) => {
        const page = event.currentTarget.contentDocument;
        if (page === null) return;
        for (const element of page.querySelectorAll<HTMLElement>("[data-mail-style]")) {
          element.style.cssText = element.dataset.mailStyle ?? "";
        }
      }}
      className="h-96 w-full rounded-md border border-line bg-white"
    />
  );
}
