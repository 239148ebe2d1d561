import { computed, type ReadonlySignal, signal } from '@preact/signals';
import { nowMs } from '../time/clock.ts';
import { type Polling, startPolling } from './start-polling.ts';

/** `stale`: too old to pass for the present, because of errors, sleep or a hidden tab. */
export type Freshness = 'loading' | 'live' | 'stale' | 'failed';

export interface Feed<Value> {
  readonly value: ReadonlySignal<Value | undefined>;
  /** When the request of `value` was sent, on the monotonic clock. */
  readonly sentAt: ReadonlySignal<number>;
  readonly error: ReadonlySignal<unknown>;
  readonly freshness: ReadonlySignal<Freshness>;
  refresh(): void;
  stop(): void;
}

interface FeedOptions<Value> {
  readonly everyMs: (value: Value | undefined) => number;
  readonly ask: (signal: AbortSignal) => Promise<{ body: Value; sentAt: number }>;
  readonly onError?: (error: unknown) => void;
}

/** A value that is polled, and its age. */
export function createFeed<Value>({ everyMs, ask, onError }: FeedOptions<Value>): Feed<Value> {
  const value = signal<Value | undefined>(undefined);
  const sentAt = signal(0);
  const error = signal<unknown>(undefined);
  const polling: Polling = startPolling({
    everyMs: () => everyMs(value.peek()),
    ask: async (abort) => {
      try {
        const answer = await ask(abort);
        if (abort.aborted) return;
        value.value = answer.body;
        sentAt.value = answer.sentAt;
        error.value = undefined;
      } catch (failure) {
        if (!abort.aborted) {
          error.value = failure;
          onError?.(failure);
        }
        throw failure;
      }
    },
  });
  const freshness = computed((): Freshness => {
    if (value.value === undefined) return error.value === undefined ? 'loading' : 'failed';
    if (error.value !== undefined) return 'stale';
    return nowMs.value - sentAt.value > staleAfterMs(everyMs(value.value)) ? 'stale' : 'live';
  });
  return { value, sentAt, error, freshness, refresh: () => polling.now(), stop: () => polling.stop() };
}

/** Room for two missed responses and a slow one. */
export function staleAfterMs(everyMs: number): number {
  return everyMs * 2 + 5000;
}
