import { Dialog } from "@/components/ui/dialog";
import { Kbd } from "@/components/ui/kbd";
import { t, type Key } from "@/i18n";

const GROUPS: { title: Key; keys: [string[], Key][] }[] = [
  {
    title: "shortcuts.list",
    keys: [
      [["j"], "shortcuts.next"],
      [["k"], "shortcuts.previous"],
      [["Enter"], "shortcuts.open"],
      [["/"], "shortcuts.search"],
    ],
  },
  {
    title: "shortcuts.detail",
    keys: [
      [["j", "↓"], "shortcuts.nextSpan"],
      [["k", "↑"], "shortcuts.previousSpan"],
      [["→"], "shortcuts.expand"],
      [["←"], "shortcuts.collapse"],
      [["Home"], "shortcuts.first"],
      [["End"], "shortcuts.last"],
      [["Esc"], "shortcuts.back"],
    ],
  },
  { title: "shortcuts.general", keys: [[["?"], "shortcuts.help"]] },
];

export function ShortcutsDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog open={open} onClose={onClose} title={t("shortcuts.title")}>
      <div className="grid gap-x-10 gap-y-5 sm:grid-cols-2">
        {GROUPS.map((group) => (
          <section key={group.title}>
            <h3 className="mb-1 text-xs text-muted">{t(group.title)}</h3>
            <dl>
              {group.keys.map(([keys, action]) => (
                <div key={action} className="flex items-center justify-between gap-4 py-1">
                  <dt>{t(action)}</dt>
                  <dd className="flex gap-1">
                    {keys.map((key) => (
                      <Kbd key={key}>{key}</Kbd>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
