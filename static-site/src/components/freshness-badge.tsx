import { useComputed } from '@preact/signals';
import type { Feed } from '../poll/feed.ts';
import { currentMs } from '../time/clock.ts';
import { formatElapsed } from '../time/format-duration.ts';

/** "Live", or how old the data is. */
export function FreshnessBadge({ feed }: { feed: Feed<unknown> }) {
  const age = useComputed(() => formatElapsed(currentMs() - feed.sentAt.value));
  switch (feed.freshness.value) {
    case 'live':
      return (
        <span class="inline-flex items-center gap-2 text-xs font-medium text-free">
          {/* A new one for each answer, which pulses once. */}
          <span key={feed.sentAt.value} class="pulse size-2 rounded-full fill-free" aria-hidden="true" />
          Live
        </span>
      );
    case 'stale':
      return (
        <span class="inline-flex items-center gap-2 text-xs font-medium text-cooling tabular-nums">
          <span class="size-2 rounded-full fill-cooling" aria-hidden="true" />
          <span>{age} old</span>
        </span>
      );
    default:
      return null;
  }
}
