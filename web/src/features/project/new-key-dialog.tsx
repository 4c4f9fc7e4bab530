import { useState } from "react";
import type { NewApiKey } from "@/api/identity";
import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { Dialog } from "@/components/ui/dialog";
import { Segmented } from "@/components/ui/segmented";
import { curlSnippet, pythonSnippet } from "@/features/traces/list/snippets";
import { t } from "@/i18n";

/** Shows a key the one time that it can be seen, so that it closes by its own button only. */
export function NewKeyDialog({ made, onClose }: { made: NewApiKey | null; onClose: () => void }) {
  const [language, setLanguage] = useState<"curl" | "python">("curl");
  if (made === null) return null;
  const snippet = language === "curl" ? curlSnippet(location.origin, made.key) : pythonSnippet(location.origin, made.key);
  const sends = made.scopes.includes("full") || made.scopes.includes("ingest");
  return (
    <Dialog open onClose={onClose} stays title={t("keys.madeTitle", { name: made.name })} className="w-[min(640px,calc(100vw-24px))]">
      <div className="flex flex-col gap-4">
        <p className="rounded-md bg-warning-soft px-3 py-2 text-warning">{t("keys.madeText")}</p>
        <div className="flex items-center gap-2 rounded-md border border-line-strong bg-sunken py-1 pr-1 pl-3">
          <code data-testid="new-api-key" className="code min-w-0 flex-1 break-all select-all">
            {made.key}
          </code>
          <CopyButton text={made.key} label={t("keys.copy")} size="md" />
        </div>
        {sends && (
          <section className="overflow-hidden rounded-lg border border-line">
            <header className="flex items-center gap-2 border-b border-line bg-sunken py-1.5 pr-2 pl-3">
              <h3 className="flex-1 font-medium">{t("empty.send.title")}</h3>
              <Segmented
                label={t("empty.send.title")}
                value={language}
                onChange={setLanguage}
                options={[
                  { value: "curl", label: t("empty.send.curl") },
                  { value: "python", label: t("empty.send.python") },
                ]}
              />
              <CopyButton text={snippet} label={t("keys.copySnippet")} size="md" />
            </header>
            {/* Long lines scroll sideways, also by keyboard. */}
            {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
            <pre tabIndex={0} className="code max-h-52 overflow-auto p-3">
              {snippet}
            </pre>
          </section>
        )}
        <Button variant="primary" className="self-end" data-autofocus onClick={onClose}>
          {t("keys.kept")}
        </Button>
      </div>
    </Dialog>
  );
}
