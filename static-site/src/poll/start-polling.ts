import { effect } from '@preact/signals';
import { askAgain, reportAnswer, reportFailure } from './connection.ts';

/** The longest pause between two tries, in milliseconds. */
const MAX_PAUSE_MS = 30_000;

export interface PollOptions {
  /** From the end of one request to the start of the next, in milliseconds. */
  readonly everyMs: () => number;
  /** Sends one request; after an error the pauses grow. */
  readonly ask: (signal: AbortSignal) => Promise<void>;
}

export interface Polling {
  /** Sends a request at once; aborts the one under way. */
  now(): void;
  stop(): void;
}

/**
 * Sends a request again and again. Stops in a hidden tab; starts at once when the tab is shown, the network is back or
 * another request succeeds. The pauses grow while requests fail.
 *
 * By hand: @tanstack/query-core does the same for 9.5 KB (these files: 1.2 KB), and would still need our outage banner,
 * the age of responses, and a list that polls only the pages in sight.
 */
export function startPolling({ everyMs, ask }: PollOptions): Polling {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running: AbortController | undefined;
  let failures = 0;
  let stopped = false;

  const run = async (): Promise<void> => {
    clearTimeout(timer);
    running?.abort();
    if (stopped || document.hidden) return;
    const call = new AbortController();
    running = call;
    try {
      await ask(call.signal);
      if (call.signal.aborted) return;
      failures = 0;
      reportAnswer();
    } catch (error) {
      if (call.signal.aborted) return;
      failures += 1;
      reportFailure(error);
    }
    if (running === call) running = undefined;
    if (!stopped && !document.hidden) timer = setTimeout(() => void run(), pauseAfter(failures, everyMs()));
  };

  const onVisibility = (): void => {
    if (document.hidden) {
      clearTimeout(timer);
      running?.abort();
    } else {
      void run();
    }
  };
  document.addEventListener('visibilitychange', onVisibility);

  let first = true;
  const unsubscribe = effect(() => {
    askAgain.value;
    if (first) first = false;
    else queueMicrotask(() => void run());
  });
  void run();

  return {
    now: () => void run(),
    stop: () => {
      stopped = true;
      clearTimeout(timer);
      running?.abort();
      unsubscribe();
      document.removeEventListener('visibilitychange', onVisibility);
    },
  };
}

/** Doubles with each failure. A random part spreads the requests of many open dashboards. */
function pauseAfter(failures: number, everyMs: number): number {
  if (failures === 0) return everyMs;
  const pause = Math.min(MAX_PAUSE_MS, Math.max(everyMs, 1000) * 2 ** Math.min(failures - 1, 5));
  return pause * (0.75 + Math.random() / 2);
}
