import type { Clock } from './clock.ts';
import type { Transport } from './transport.ts';

/** What every call works with. */
export interface Context {
  readonly send: Transport;
  readonly clock: Clock;
  /** From 0 to 1, as `Math.random`. */
  readonly random: () => number;
  /** Milliseconds for one request and its answer. */
  readonly requestTimeoutMs: number;
}
