import { type ReadonlySignal, useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import type { Pool } from '../../../shared/contract/pools.ts';
import type { ListTicketsResponse, QueueEntry } from '../../../shared/contract/tickets.ts';
import type { Api } from '../api/api.ts';
import { Elapsed } from '../components/countdown.tsx';
import { Loading } from '../components/loading.tsx';
import { createFeed, type Feed } from '../poll/feed.ts';
import { endSessionIfRejected } from '../session/session.ts';
import { formatNumber } from '../text/format-count.ts';
import { TimeText } from '../time/time-text.tsx';

/** How often the queue is polled, in milliseconds. */
const EVERY_MS = 3000;
/** How many are shown, and how many at most: a page of the API. */
const SHOWN = 5;
const MOST = 200;

/** Who waits for a key of a fair pool, in the order in which they are served. */
export function QueueSection({ api, pool: { pool, waiting } }: { readonly api: Api; readonly pool: Pool }) {
  const limit = useSignal(SHOWN);
  const feed = useMemo(() => createQueueFeed(api, pool, limit), [api, pool, limit]);
  useEffect(() => () => feed.stop(), [feed]);
  const showMore = (): void => {
    limit.value = MOST;
    feed.refresh();
  };
  const queue = feed.value.value;
  const error = feed.error.value;
  // Until the queue is loaded, the pool's own figure says how much room to keep for it.
  const rows = Array.from({ length: Math.min(waiting.count, SHOWN) }, () => 'h-9');
  const isEmpty = queue === undefined ? error === undefined && rows.length === 0 : queue.tickets.length === 0;
  return (
    <section
      class={`card mb-5 overflow-hidden ${feed.freshness.value === 'stale' ? 'stale' : ''}`}
      aria-labelledby="queue-heading"
    >
      <h2 id="queue-heading" class="border-b border-line px-4 py-3 font-semibold sm:px-5">
        Queue
      </h2>
      {isEmpty ? (
        <p class="px-4 py-4 text-muted sm:px-5">
          <strong class="font-semibold text-ink">Nobody waits.</strong> A caller that finds no free key and
          asks to wait stands here until it is its turn.
        </p>
      ) : queue === undefined ? (
        <Loading error={error} shapes={rows} inset />
      ) : (
        <>
          <QueueTable tickets={queue.tickets} sentAt={feed.sentAt.value} />
          {queue.nextCursor !== undefined && (
            <div class="flex min-h-12 items-center justify-center gap-3 border-t border-line px-4 text-xs text-muted">
              The first {formatNumber(queue.tickets.length)}
              {limit.value < MOST && (
                <button type="button" class="button button-plain" onClick={showMore}>
                  Show more
                </button>
              )}
            </div>
          )}
        </>
      )}
    </section>
  );
}

function createQueueFeed(api: Api, pool: string, limit: ReadonlySignal<number>): Feed<ListTicketsResponse> {
  return createFeed({
    everyMs: () => EVERY_MS,
    onError: endSessionIfRejected,
    ask: (signal) => api.listTickets(pool, limit.peek(), signal),
  });
}

const COLUMNS = ['Place', 'Holder', 'Priority', 'Since', 'Waits'];

function QueueTable({ tickets, sentAt }: { tickets: readonly QueueEntry[]; sentAt: number }) {
  return (
    <table class="w-full text-left text-[0.8125rem] tabular-nums">
      <caption class="sr-only">Who waits, the next one first</caption>
      <thead class="border-b border-line text-xs text-muted">
        <tr>
          {COLUMNS.map((name) => (
            <th key={name} scope="col" class={`px-2 py-2.5 font-medium ${EDGES} ${hiddenOnPhone(name)}`}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {tickets.map(({ position, count, clientId, holder, priority, waitingSince, waitingMs }) => (
          <tr key={`${clientId} ${waitingSince} ${position}`} class="border-line not-last:border-b">
            <td class={CELL}>
              {formatNumber(position + 1)}
              {count > 1 && `–${formatNumber(position + count)}`}
            </td>
            <td class={`${CELL} w-1/2 max-w-0`}>
              <div class="truncate">{holder ?? <span class="text-muted">no label</span>}</div>
              <div class="truncate font-mono text-xs text-muted" title={clientId}>
                {clientId}
              </div>
            </td>
            <td class={CELL}>{priority}</td>
            <td class={`${CELL} ${hiddenOnPhone('Since')}`}>
              <TimeText iso={waitingSince} />
            </td>
            <td class={CELL}>
              <Elapsed since={sentAt - waitingMs} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const EDGES = 'first:pl-4 last:pr-4 sm:px-4 sm:first:pl-5 sm:last:pr-5';
const CELL = `px-2 py-2 whitespace-nowrap ${EDGES}`;

/** A phone has no room for both: since when, and for how long. */
function hiddenOnPhone(column: string): string {
  return column === 'Since' ? 'max-sm:hidden' : '';
}
