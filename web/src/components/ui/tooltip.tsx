import { useEffect, useRef, useState } from "react";

interface Tip {
  text: string;
  anchor: DOMRect;
}

/** How long the pointer rests before a tip appears. */
const DELAY_MS = 350;
/** After a tip was shown, the next one comes at once for this long. */
const WARM_MS = 400;
const MARGIN = 6;

/** The element with a tip at a point, also below something that covers it, such as the link of a row. */
function tipAt(event: PointerEvent): HTMLElement | null {
  if (!(event.target instanceof Element)) return null;
  const direct = event.target.closest<HTMLElement>("[data-tip]");
  if (direct !== null) return direct;
  if (event.target.closest("[data-tips-below]") === null) return null;
  for (const element of document.elementsFromPoint(event.clientX, event.clientY)) {
    if (element instanceof HTMLElement && element.dataset.tip !== undefined) return element;
  }
  return null;
}

/**
 * Shows the text of `data-tip` for whatever is hovered or focused. One listener for the page: a table of
 * thousands of cells costs nothing until one of them is pointed at.
 */
export function TooltipLayer() {
  const [tip, setTip] = useState<Tip | null>(null);
  const box = useRef<HTMLDivElement>(null);

  useEffect(() => {
    let current: HTMLElement | null = null;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let shown = false;
    let hiddenAt = 0;
    let frame = 0;

    const hide = () => {
      clearTimeout(timer);
      if (shown) hiddenAt = performance.now();
      shown = false;
      current = null;
      setTip(null);
    };
    const show = (element: HTMLElement | null, immediately: boolean) => {
      if (element === current) return;
      hide();
      current = element;
      const text = element?.dataset.tip;
      if (element === null || text === undefined || text === "") return;
      const wait = immediately || performance.now() - hiddenAt < WARM_MS ? 0 : DELAY_MS;
      timer = setTimeout(() => {
        if (!element.isConnected) return;
        shown = true;
        setTip({ text, anchor: element.getBoundingClientRect() });
      }, wait);
    };
    const onMove = (event: PointerEvent) => {
      if (event.pointerType === "touch") return;
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => show(tipAt(event), false));
    };
    const onFocus = (event: FocusEvent) => {
      const target = event.target;
      if (target instanceof HTMLElement && target.dataset.tip !== undefined && target.matches(":focus-visible")) {
        show(target, true);
      }
    };
    const onKey = (event: KeyboardEvent) => {
      if (event.key === "Escape") hide();
    };

    document.addEventListener("pointermove", onMove, { passive: true });
    document.addEventListener("pointerdown", hide);
    document.addEventListener("scroll", hide, { capture: true, passive: true });
    document.addEventListener("focusin", onFocus);
    document.addEventListener("focusout", hide);
    document.addEventListener("keydown", onKey);
    document.documentElement.addEventListener("pointerleave", hide);
    return () => {
      hide();
      cancelAnimationFrame(frame);
      document.removeEventListener("pointermove", onMove);
      document.removeEventListener("pointerdown", hide);
      document.removeEventListener("scroll", hide, { capture: true });
      document.removeEventListener("focusin", onFocus);
      document.removeEventListener("focusout", hide);
      document.removeEventListener("keydown", onKey);
      document.documentElement.removeEventListener("pointerleave", hide);
    };
  }, []);

  useEffect(() => {
    const element = box.current;
    if (element === null || tip === null) return;
    const { width, height } = element.getBoundingClientRect();
    const below = tip.anchor.bottom + MARGIN + height <= window.innerHeight;
    const top = below ? tip.anchor.bottom + MARGIN : tip.anchor.top - MARGIN - height;
    const middle = tip.anchor.left + Math.min(tip.anchor.width, 480) / 2 - width / 2;
    const left = Math.max(MARGIN, Math.min(middle, window.innerWidth - width - MARGIN));
    element.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
    element.style.visibility = "visible";
  }, [tip]);

  if (tip === null) return null;
  return (
    <div
      ref={box}
      role="tooltip"
      className="invisible pointer-events-none fixed top-0 left-0 z-[80] max-w-[min(420px,calc(100vw-16px))] rounded-md bg-text px-2 py-1 text-xs break-words whitespace-pre-line text-page shadow-float"
    >
      {tip.text}
    </div>
  );
}
