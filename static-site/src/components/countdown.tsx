import { type ReadonlySignal, useComputed } from '@preact/signals';
import { currentMs } from '../time/clock.ts';
import { formatDuration, formatElapsed } from '../time/format-duration.ts';

interface CountdownProps {
  /** On the monotonic clock. */
  readonly until: number;
  readonly precision?: 'seconds' | 'tenths';
  /** The text once no time is left. */
  readonly over?: string;
}

/** The time left. Only its text node changes, no component renders again. */
export function Countdown({ until, precision = 'seconds', over }: CountdownProps) {
  const text = useComputed(() => {
    const left = until - currentMs();
    return left <= 0 && over !== undefined ? over : formatDuration(left, precision);
  });
  return <span class="tabular-nums">{text}</span>;
}

/** The time that has passed. Only its text node changes. */
export function Elapsed({ since }: { readonly since: number }) {
  const text = useComputed(() => formatElapsed(currentMs() - since));
  return <span class="tabular-nums">{text}</span>;
}

interface DrainBarProps {
  /** When it is empty, on the monotonic clock in milliseconds. */
  readonly until: number;
  /** How long a full one lasts, in milliseconds. */
  readonly fullMs: number;
  readonly tone: 'leased' | 'cooling' | 'life';
  readonly thick?: boolean;
}

const TONES = { leased: 'fill-leased', cooling: 'fill-cooling', life: 'fill-life' } as const;

/** Widths of a bar. A CSS animation per row of a table would keep the browser painting at 60 Hz. */
const STEPS = 200;

/** A bar that shrinks as time runs out. */
export function DrainBar({ until, fullMs, tone, thick = false }: DrainBarProps) {
  const style = useDrainStyle(until, fullMs);
  return (
    <div class={`overflow-hidden rounded-full bg-sunken ${thick ? 'h-2' : 'h-1'}`} aria-hidden="true">
      <div
        style={style}
        class={`h-full w-full origin-left rounded-full ${thick ? 'transition-transform duration-250 ease-linear' : ''} ${TONES[tone]}`}
      />
    </div>
  );
}

/** The width of such a bar, as a style that updates itself. */
export function useDrainStyle(until: number, fullMs: number): ReadonlySignal<string> {
  return useComputed(() => {
    const left = Math.min(1, Math.max(0, (until - currentMs()) / fullMs));
    return `transform: scaleX(${Math.round(left * STEPS) / STEPS})`;
  });
}
