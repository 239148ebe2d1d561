import type { Clock } from './clock.ts';
import type { HeldLeases } from './held-lease.ts';
import type { Transport } from './transport.ts';

/** What every call works with. */
export interface Context {
  readonly send: Transport;
  readonly clock: Clock;
  /** From 0 to 1, as `Math.random`. */
  readonly random: () => number;
  /** Milliseconds for one request and its response. */
  readonly requestTimeoutMs: number;
  /** The leases that were acquired through this client. */
  readonly held: HeldLeases;
}

/** What every call takes. */
export interface CallOptions {
  /** Gives up the call. */
  readonly signal?: AbortSignal | undefined;
}

/** Which page of a list. */
export interface PageOptions extends CallOptions {
  /** From 1 to 200; 50 by default. */
  readonly limit?: number | undefined;
  /** `nextCursor` of the page before. */
  readonly cursor?: string | undefined;
}

/** `NaN` or a string would silently count as no time at all. @throws TypeError */
export function checkDuration(name: string, ms: number | undefined): void {
  if (ms !== undefined && !(typeof ms === 'number' && ms >= 0)) {
    throw new TypeError(`${name} must be a number of milliseconds, at least 0`);
  }
}
