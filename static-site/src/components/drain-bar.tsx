import { type ReadonlySignal, useComputed } from '@preact/signals';
import { currentMs } from '../time/clock.ts';

interface DrainBarProps {
  /** When it is empty, on the monotonic clock. */
  readonly until: number;
  /** How long a full one lasts, in milliseconds. */
  readonly fullMs: number;
  readonly tone: 'leased' | 'cooling' | 'life';
  readonly thick?: boolean;
}

const TONES = { leased: 'fill-leased', cooling: 'fill-cooling', life: 'fill-life' } as const;

/** Steps of a bar. An animation for each of a table's bars would keep the browser painting sixty times a second. */
const STEPS = 200;

/** A bar that runs down. */
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

/** How far a bar has run down, as a style that changes by itself. */
export function useDrainStyle(until: number, fullMs: number): ReadonlySignal<string> {
  return useComputed(() => {
    const left = Math.min(1, Math.max(0, (until - currentMs()) / fullMs));
    return `transform: scaleX(${Math.round(left * STEPS) / STEPS})`;
  });
}
