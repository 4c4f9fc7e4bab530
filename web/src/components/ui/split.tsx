import { useRef, type KeyboardEvent, type PointerEvent, type ReactNode } from "react";
import { cx } from "./cx";

interface SplitProps {
  /** Share of the left pane, in per cent. */
  value: number;
  onChange: (value: number) => void;
  label: string;
  left: ReactNode;
  right: ReactNode;
}

const MIN = 20;
const MAX = 80;

function clamp(value: number): number {
  return Math.round(Math.min(MAX, Math.max(MIN, value)) * 10) / 10;
}

/** Two panes with a bar between them that pointer and arrow keys move. */
export function Split({ value, onChange, label, left, right }: SplitProps) {
  const container = useRef<HTMLDivElement>(null);
  const share = clamp(value);

  const onPointerMove = (event: PointerEvent<HTMLDivElement>) => {
    const box = container.current?.getBoundingClientRect();
    if (box === undefined || !event.currentTarget.hasPointerCapture(event.pointerId)) return;
    onChange(clamp(((event.clientX - box.left) / box.width) * 100));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === "ArrowLeft" ? -2 : event.key === "ArrowRight" ? 2 : 0;
    const target = event.key === "Home" ? MIN : event.key === "End" ? MAX : share + step;
    if (target === share) return;
    event.preventDefault();
    event.stopPropagation();
    onChange(clamp(target));
  };

  return (
    <div ref={container} className="flex min-h-0 flex-1">
      <div className="flex min-w-0 flex-col" style={{ width: `${share}%` }}>
        {left}
      </div>
      {/* A separator that can be focused is a widget by the ARIA specification. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
      <div
        role="separator"
        aria-orientation="vertical"
        aria-label={label}
        aria-valuenow={Math.round(share)}
        aria-valuemin={MIN}
        aria-valuemax={MAX}
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
        onPointerMove={onPointerMove}
        onDoubleClick={() => onChange(50)}
        onKeyDown={onKeyDown}
        className={cx(
          "relative z-10 w-px shrink-0 cursor-col-resize touch-none bg-line",
          "before:absolute before:inset-y-0 before:-left-1.5 before:w-3 before:content-['']",
          "hover:bg-accent focus-visible:bg-accent",
        )}
      />
      <div className="flex min-w-0 flex-1 flex-col">{right}</div>
    </div>
  );
}
