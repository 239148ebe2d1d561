import { useComputed } from '@preact/signals';
import { currentMs } from '../time/clock.ts';
import { formatDuration } from '../time/format-duration.ts';

interface CountdownProps {
  /** On the monotonic clock. */
  readonly until: number;
  readonly precision?: 'seconds' | 'tenths';
  /** Shown once it has run out. */
  readonly over?: string;
}

/** Counts down by itself; only the text changes, nothing is rendered again. */
export function Countdown({ until, precision = 'seconds', over }: CountdownProps) {
  const text = useComputed(() => {
    const left = until - currentMs();
    return left <= 0 && over !== undefined ? over : formatDuration(left, precision);
  });
  return <span class="tabular-nums">{text}</span>;
}
