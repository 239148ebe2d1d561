import { useComputed } from '@preact/signals';
import { nowMs } from './clock.ts';
import { formatElapsed } from './format-duration.ts';

const today = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const date = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const otherDay = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

interface TimeTextProps {
  readonly iso: string;
  /** Of another day, the date alone. */
  readonly brief?: boolean;
}

/** A time in the viewer's zone; in UTC on hover. */
export function TimeText({ iso, brief = false }: TimeTextProps) {
  const time = new Date(iso);
  const isToday = time.toDateString() === new Date().toDateString();
  return (
    <time dateTime={iso} title={iso}>
      {(isToday ? today : brief ? date : otherDay).format(time)}
    </time>
  );
}

/** How long ago, in the largest unit; the time itself on hover. Only its text node changes. */
export function AgoText({ iso }: { iso: string }) {
  return <SinceText iso={iso} after=" ago" />;
}

/** How long since, in the same way. */
export function SinceText({ iso, after = '' }: { iso: string; after?: string }) {
  const text = useComputed(() => {
    nowMs.value;
    const [amount, unit] = formatElapsed(Date.now() - Date.parse(iso)).split(' ');
    return `${amount} ${unit}${after}`;
  });
  return (
    <time dateTime={iso} title={iso}>
      {text}
    </time>
  );
}

export function formatClock(epochMs: number): string {
  return today.format(epochMs);
}
