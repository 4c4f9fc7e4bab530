import { FilterX } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "@/components/ui/button";
import { Select } from "@/components/ui/field";
import { SearchInput } from "@/components/ui/search-input";
import { t } from "@/i18n";
import { AUDIT_RANGES, AUDIT_TARGETS, type AuditSearch } from "@/lib/audit-search";

interface AuditFiltersProps {
  search: AuditSearch;
  onChange: (patch: Partial<AuditSearch>) => void;
  filtered: boolean;
  children?: ReactNode;
}

export function AuditFilters({ search, onChange, filtered, children }: AuditFiltersProps) {
  return (
    <div className="flex flex-wrap items-center gap-2">
      <SearchInput
        key={search.action === undefined ? "empty" : "set"}
        label={t("audit.actionFilter")}
        value={search.action ?? ""}
        onChange={(action) => onChange({ action: action.trim() === "" ? undefined : action.trim() })}
        wait={400}
      />
      <Select
        bare
        label={t("filter.range")}
        className="w-32"
        value={search.range ?? ""}
        onChange={(range) => onChange({ range: AUDIT_RANGES.find((known) => known === range) })}
        options={[
          { value: "", label: t("audit.anyTime") },
          ...AUDIT_RANGES.map((range) => ({ value: range, label: t(`range.${range}.long`) })),
        ]}
      />
      <Select
        bare
        label={t("audit.targetType")}
        className="w-32"
        value={search.target ?? ""}
        onChange={(target) => onChange({ target: target === "" ? undefined : target })}
        options={[
          { value: "", label: t("audit.anyTarget") },
          ...AUDIT_TARGETS.map((target) => ({ value: target, label: target.replaceAll("_", " ") })),
        ]}
      />
      {children}
      <Select
        bare
        label={t("audit.outcome")}
        className="w-32"
        value={search.outcome ?? ""}
        onChange={(outcome) => onChange({ outcome: outcome === "" ? undefined : outcome })}
        options={[
          { value: "", label: t("audit.anyOutcome") },
          { value: "success", label: t("audit.success") },
          { value: "failure", label: t("audit.failure") },
          { value: "denied", label: t("audit.deniedOutcome") },
        ]}
      />
      {filtered && (
        <Button
          variant="ghost"
          onClick={() => onChange({ action: undefined, actor: undefined, target: undefined, project: undefined, outcome: undefined, range: undefined })}
        >
          <FilterX className="size-4" aria-hidden />
          {t("filter.clear")}
        </Button>
      )}
    </div>
  );
}
