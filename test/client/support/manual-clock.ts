import type { Clock } from '../../../client/sdk/clock.ts';

interface Timer {
  readonly due: number;
  readonly callback: () => void;
}

/** Lets everything that was resolved run, promises of promises included. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 5; round++) await new Promise((resolve) => setImmediate(resolve));
}

/** Clocks that stand still until they are moved. */
export class ManualClock implements Clock {
  #monotonic = 5000;
  #wall = Date.UTC(2026, 0, 1);
  readonly #timers = new Set<Timer>();

  monotonicNow(): number {
    return this.#monotonic;
  }

  wallNow(): number {
    return this.#wall;
  }

  schedule(callback: () => void, ms: number): () => void {
    const timer = { due: this.#monotonic + Math.max(0, ms), callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  get timers(): number {
    return this.#timers.size;
  }

  /** Time passes; what is due runs in its order, at its moment. */
  async advance(ms: number): Promise<void> {
    const end = this.#monotonic + ms;
    await settle();
    for (;;) {
      const next = [...this.#timers].sort((a, b) => a.due - b.due)[0];
      if (next === undefined || next.due > end) break;
      this.#timers.delete(next);
      this.#move(Math.max(0, next.due - this.#monotonic));
      next.callback();
      await settle();
    }
    this.#move(end - this.#monotonic);
  }

  /** The process stands still: no timer runs. The monotonic clock goes on, as under SIGSTOP, or not, as in a suspended machine. */
  freeze(ms: number, monotonic: 'goes on' | 'stands still'): void {
    if (monotonic === 'goes on') this.#monotonic += ms;
    this.#wall += ms;
  }

  /** Somebody sets the wall clock. */
  setWall(byMs: number): void {
    this.#wall += byMs;
  }

  #move(ms: number): void {
    this.#monotonic += ms;
    this.#wall += ms;
  }
}
