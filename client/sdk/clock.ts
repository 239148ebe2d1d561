/** Both clocks, timers included, so that tests can stand in for them. */
export interface Clock {
  /** Milliseconds, never set back; may stop while the machine is suspended. */
  monotonicNow(): number;
  /** Milliseconds since the epoch; goes on during a suspension, and may be set. */
  wallNow(): number;
  /** Calls back once, `ms` milliseconds from now. The result cancels it. */
  schedule(callback: () => void, ms: number): () => void;
}

/** `setTimeout` fires at once when it is given more. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  monotonicNow: () => performance.now(),
  wallNow: () => Date.now(),
  schedule: (callback, ms) => {
    const timer = setTimeout(callback, Math.min(Math.max(ms, 0), LONGEST_TIMER_MS));
    return () => clearTimeout(timer);
  },
};

/** One moment, as both clocks show it. */
export interface Moment {
  readonly monotonic: number;
  readonly wall: number;
}

export function momentOf(clock: Clock): Moment {
  return { monotonic: clock.monotonicNow(), wall: clock.wallNow() };
}

/**
 * A span of time that began at a moment. The clock that went further counts: the monotonic one stops while the machine
 * is suspended (on Linux and macOS), the wall clock may be set back. A wall clock that is set forward looks the same as
 * a suspension and shortens the span, which is the safe mistake.
 */
export class Countdown {
  readonly #clock: Clock;
  readonly #durationMs: number;
  readonly #from: Moment;

  constructor(clock: Clock, durationMs: number, from: Moment = momentOf(clock)) {
    this.#clock = clock;
    this.#durationMs = durationMs;
    this.#from = from;
  }

  /** Milliseconds left; negative when over. */
  remainingMs(): number {
    const elapsed = Math.max(
      this.#clock.monotonicNow() - this.#from.monotonic,
      this.#clock.wallNow() - this.#from.wall,
    );
    return this.#durationMs - elapsed;
  }
}

/** Resolves after `ms` milliseconds; rejects with the signal's reason as soon as it is aborted. */
export function pause(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const onAbort = (): void => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = clock.schedule(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
