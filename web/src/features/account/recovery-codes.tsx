import { Download } from "lucide-react";
import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { Dialog } from "@/components/ui/dialog";
import { t } from "@/i18n";
import { download } from "@/lib/download";
import { recoveryFile } from "@/lib/otp";

/** Shown once, so that it closes by its own button only. */
export function RecoveryCodesDialog({ codes, onClose }: { codes: readonly string[] | null; onClose: () => void }) {
  if (codes === null) return null;
  const file = () => new Blob([recoveryFile(t("factor.fileTitle", { host: location.host }), codes)], { type: "text/plain" });
  return (
    <Dialog open onClose={onClose} stays title={t("factor.codesTitle")} className="w-[min(440px,calc(100vw-24px))]">
      <p>{t("factor.codesText")}</p>
      <ol className="my-4 grid grid-cols-2 gap-x-6 gap-y-1 rounded-md border border-line bg-sunken px-4 py-3">
        {codes.map((code) => (
          <li key={code} className="font-mono text-base">
            {code}
          </li>
        ))}
      </ol>
      <div className="flex flex-wrap items-center gap-2">
        <CopyButton text={codes.join("\n")} label={t("factor.copyCodes")} size="md" />
        <Button onClick={() => download("brokle-recovery-codes.txt", file())}>
          <Download className="size-4" aria-hidden />
          {t("action.download")}
        </Button>
        <Button variant="primary" className="ml-auto" data-autofocus onClick={onClose}>
          {t("factor.codesKept")}
        </Button>
      </div>
    </Dialog>
  );
}
