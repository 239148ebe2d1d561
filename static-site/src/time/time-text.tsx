const today = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const otherDay = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** A time in the viewer's zone; in UTC on hover. */
export function TimeText({ iso }: { iso: string }) {
  const date = new Date(iso);
  const isToday = date.toDateString() === new Date().toDateString();
  return (
    <time dateTime={iso} title={iso}>
      {(isToday ? today : otherDay).format(date)}
    </time>
  );
}

export function formatClock(epochMs: number): string {
  return today.format(epochMs);
}
