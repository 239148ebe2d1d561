const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Times between two marks, in milliseconds. */
const STEPS = [
  MINUTE / 4,
  MINUTE / 2,
  MINUTE,
  2 * MINUTE,
  5 * MINUTE,
  10 * MINUTE,
  15 * MINUTE,
  30 * MINUTE,
  HOUR,
  3 * HOUR,
  6 * HOUR,
  12 * HOUR,
  DAY,
  2 * DAY,
  7 * DAY,
  30 * DAY,
  61 * DAY,
];
const MOST = 6;

const second = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const minute = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });

/** The marks of an axis of time: few, at round times of the viewer's zone. */
export function tickTimes(
  from: number,
  to: number,
): readonly { readonly at: number; readonly text: string }[] {
  const step = STEPS.find((length) => (to - from) / length <= MOST) ?? to - from;
  const format = step < MINUTE ? second : step < DAY ? minute : day;
  const zone = new Date(from).getTimezoneOffset() * MINUTE;
  const first = Math.ceil((from - zone) / step) * step + zone;
  const count = Math.floor((to - first) / step) + 1;
  return (
    Array.from({ length: count }, (_, index) => first + index * step)
      // A text at an end would stick out.
      .filter((at) => at - from > (to - from) / 40 && to - at > (to - from) / 40)
      .map((at) => ({ at, text: format.format(at) }))
  );
}
