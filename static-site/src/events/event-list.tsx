import { useEffect, useMemo, useReducer, useRef, useState } from 'preact/hooks';
import type { Event } from '../../../shared/contract/events.ts';
import type { Api } from '../api/api.ts';
import { EmptyState } from '../components/empty-state.tsx';
import { FreshnessBadge } from '../components/freshness-badge.tsx';
import { Icon } from '../components/icon.tsx';
import { Loading } from '../components/loading.tsx';
import { TONES } from '../components/state-badge.tsx';
import type { EventFilter } from '../router.ts';
import { AgoText, TimeText } from '../time/time-text.tsx';
import { EventSentence, kindOf, PoolLink } from './event-sentence.tsx';
import { createEventsFeed, TAIL } from './events-feed.ts';

/** How many are shown at first, and how many more on demand. */
const SHOWN = 50;

interface EventListProps {
  readonly api: Api;
  /** Give the list a `key` that changes with it. */
  readonly filter: EventFilter;
  /** Shows all events instead of those that match. */
  readonly onClear?: (() => void) | undefined;
}

/**
 * Events, newest first, as they happen. While somebody has scrolled down, in the page or in the dialog around the list, new
 * ones are only counted, so that nothing moves.
 */
export function EventList({ api, filter, onClear }: EventListProps) {
  const feed = useMemo(() => createEventsFeed(api, filter), [api]);
  useEffect(() => () => feed.stop(), [feed]);
  const [shown, setShown] = useState(SHOWN);
  const frame = useRef<HTMLElement>(null);
  const scroller = (): Element => frame.current?.closest('dialog') ?? document.documentElement;

  // The newest event that is shown. At the top it is the newest of all.
  const newest = useRef<string | undefined>(undefined);
  const [, render] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    // The page's own scrolling is no event of the list: it is caught on its way down.
    const onScroll = (): void => {
      if (scroller().scrollTop <= 0) render(undefined);
    };
    document.addEventListener('scroll', onScroll, { capture: true, passive: true });
    return () => document.removeEventListener('scroll', onScroll, { capture: true });
  }, []);

  const events = feed.value.value;
  if (events === undefined) {
    return <Loading error={feed.error.value} shapes={Array.from({ length: 8 }, () => 'h-10')} inset />;
  }
  const waiting = events.findIndex(({ eventId }) => eventId === newest.current);
  const held = waiting > 0 && scroller().scrollTop > 0 ? waiting : 0;
  newest.current = events[held]?.eventId;
  const visible = events.slice(held, held + shown);

  return (
    <section
      ref={frame}
      tabIndex={-1}
      aria-label="Events"
      class={`outline-none ${feed.freshness.value === 'stale' ? 'stale' : ''}`}
    >
      <div class="flex min-h-11 items-center justify-between border-b border-line px-4 text-xs text-muted sm:px-5">
        <h2>Newest first</h2> <FreshnessBadge feed={feed} />
      </div>
      {/* Takes no room: what is below stays where it is. */}
      <div role="status" class="sticky top-28 z-10 flex h-0 justify-center sm:top-16">
        {held > 0 && (
          <button
            type="button"
            class="button button-primary appear mt-2 rounded-full shadow-float"
            onClick={() => {
              scroller().scrollTop = 0;
              frame.current?.focus({ preventScroll: true });
            }}
          >
            {held === 1 ? '1 new event' : `${held} new events`}
          </button>
        )}
      </div>
      {visible.length === 0 ? (
        <Nothing onClear={onClear} />
      ) : (
        <ol>
          {visible.map((event) => (
            <EventRow key={event.eventId} event={event} />
          ))}
        </ol>
      )}
      {visible.length > 0 && (
        <div class="flex min-h-14 items-center justify-center px-4 text-center text-xs text-muted">
          {events.length - held > shown ? (
            <button type="button" class="button button-plain" onClick={() => setShown(shown + SHOWN)}>
              Show older
            </button>
          ) : events.length < TAIL ? (
            'No older event was found'
          ) : (
            <span>
              The command line lists older ones: <code>token-orchestrator events --limit 1000</code>
            </span>
          )}
        </div>
      )}
    </section>
  );
}

function Nothing({ onClear }: Pick<EventListProps, 'onClear'>) {
  if (onClear === undefined) {
    return (
      <EmptyState icon="clock" title="Nothing has happened">
        A lease that lapses, an unblock, an exhausted pool, a change of keys, pools or clients will show here.
      </EmptyState>
    );
  }
  return (
    <EmptyState
      icon="search"
      title="No event matches"
      action={
        <button type="button" class="button button-plain" onClick={onClear}>
          Clear the filter
        </button>
      }
    >
      Events are kept for a day, unless the service is told otherwise. Several filters at once look through
      the newest 2,000.
    </EmptyState>
  );
}

function EventRow({ event }: { event: Event }) {
  const { type, at, pool, fencingToken } = event;
  const { label, icon, tone } = kindOf(type);
  return (
    <li class="relative flex gap-3 border-b border-line px-4 py-2.5 sm:px-5" data-event={type}>
      <span class={`mt-0.5 grid size-7 flex-none place-items-center rounded-lg ${TONES[tone]}`} title={label}>
        <Icon name={icon} />
      </span>
      <div class="min-w-0 wrap-anywhere sm:pr-24">
        <EventSentence event={event} />
        <div class="flex flex-wrap gap-x-2 text-xs text-muted tabular-nums">
          <span class="sm:absolute sm:top-3 sm:right-5 sm:text-[0.8125rem]">
            <AgoText iso={at} />
          </span>
          <TimeText iso={at} />
          {pool !== undefined && !type.startsWith('pool.') && (
            <span>
              in <PoolLink pool={pool} />
            </span>
          )}
          {fencingToken !== undefined && <span>token {fencingToken}</span>}
        </div>
      </div>
    </li>
  );
}
