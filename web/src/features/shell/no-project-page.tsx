import { t } from "@/i18n";

export function NoProjectPage() {
  return (
    <div className="mx-auto flex h-full max-w-md flex-col justify-center gap-1 p-6">
      <h1 className="text-lg font-semibold">{t("project.none.title")}</h1>
      <p className="text-muted">{t("project.none.text")}</p>
    </div>
  );
}
