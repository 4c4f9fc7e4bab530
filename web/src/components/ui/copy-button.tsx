import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { t } from "@/i18n";
import { IconButton } from "./button";

/** Copies without the clipboard API where it is missing, as on plain http. */
async function copyText(text: string): Promise<void> {
  const clipboard = navigator.clipboard as Clipboard | undefined;
  if (clipboard !== undefined) {
    await clipboard.writeText(text);
    return;
  }
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "fixed top-0 opacity-0";
  document.body.append(area);
  area.select();
  // Deprecated, and still the only way without a secure context.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  document.execCommand("copy");
  area.remove();
}

interface CopyButtonProps {
  text: string | (() => string);
  label?: string;
  className?: string;
  size?: "sm" | "md";
}

export function CopyButton({ text, label = t("action.copy"), className, size = "sm" }: CopyButtonProps) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 1500);
    return () => clearTimeout(timer);
  }, [copied]);
  const Icon = copied ? Check : Copy;
  return (
    <IconButton
      label={copied ? t("action.copied") : label}
      size={size}
      className={className}
      onClick={() => {
        copyText(typeof text === "string" ? text : text()).then(
          () => setCopied(true),
          () => setCopied(false),
        );
      }}
    >
      <Icon className={size === "sm" ? "size-3.5" : "size-4"} aria-hidden />
    </IconButton>
  );
}
