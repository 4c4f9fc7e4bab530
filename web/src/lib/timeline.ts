/** Where things lie on the time line of a trace. */
import { formatDuration } from "./format";

/** Steps that read well, in milliseconds, per power of ten. */
const NICE = [1, 2, 5];
/** From half a minute on, steps are what a clock shows; in milliseconds. */
const CLOCK = [30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800, 43_200, 86_400].map((seconds) => seconds * 1000);

/** The times of the marks of an axis, in milliseconds from its start, at most about `wanted` of them. */
export function ticks(length: number, wanted: number): number[] {
  if (!(length > 0) || wanted < 1) return [];
  const rough = length / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const decimal = (NICE.find((nice) => nice * power >= rough) ?? 10) * power;
  const step = rough <= 20_000 ? decimal : (CLOCK.find((clock) => clock >= rough) ?? decimal);
  const marks: number[] = [];
  for (let index = 0; index * step <= length * 1.0001; index += 1) marks.push(index * step);
  return marks;
}

/** The text of a mark: "5 s" rather than "5.00 s". */
export function tickLabel(milliseconds: number): string {
  if (milliseconds === 0) return "0";
  if (milliseconds >= 1000 && milliseconds < 60_000) return `${Number((milliseconds / 1000).toFixed(2))} s`;
  return formatDuration(milliseconds * 1e6).replace(/ 00 (?:s|min)$/, "");
}

/** Left edge and width of a bar in per cent of the axis. Nothing is too short to be seen by its minimum width in CSS. */
export function barPosition(
  start: number,
  end: number | null,
  axis: { start: number; end: number },
): { left: number; width: number } {
  const length = axis.end - axis.start;
  if (length <= 0) return { left: 0, width: 100 };
  const left = ((start - axis.start) / length) * 100;
  const width = (((end ?? axis.end) - start) / length) * 100;
  return { left: Math.min(100, Math.max(0, left)), width: Math.min(100, Math.max(0, width)) };
}
