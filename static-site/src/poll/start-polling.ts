import { effect } from '@preact/signals';
import { askAgain, reportAnswer, reportFailure } from './connection.ts';

/** The longest pause between two tries, in milliseconds. */
const MAX_PAUSE_MS = 30_000;

export interface PollOptions {
  /** From the end of one call to the start of the next, in milliseconds. */
  readonly everyMs: () => number;
  /** One call; what it throws makes the pauses longer. */
  readonly ask: (signal: AbortSignal) => Promise<void>;
}

export interface Polling {
  /** Asks now; a call that is under way is given up. */
  now(): void;
  stop(): void;
}

/**
 * Asks again and again: not in a hidden tab, at once when the tab is shown, the network is back or another call got
 * through, and with growing pauses while calls fail.
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

/** Doubles with each failure; a random part keeps many open dashboards from asking in step. */
function pauseAfter(failures: number, everyMs: number): number {
  if (failures === 0) return everyMs;
  const pause = Math.min(MAX_PAUSE_MS, Math.max(everyMs, 1000) * 2 ** Math.min(failures - 1, 5));
  return pause * (0.75 + Math.random() / 2);
}
