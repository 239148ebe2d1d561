import type { EventLog } from './event-log.ts';
import type { HealthCheck } from './health.ts';
import type { PoolCounts } from './pool-counts.ts';
import type { PoolDirectory } from './pool-directory.ts';
import type { Store } from './store.ts';
import type { ValueVault } from './value-vault.ts';

/** What every operation works with. */
export interface Context {
  readonly store: Store;
  readonly pools: PoolDirectory;
  readonly counts: PoolCounts;
  readonly events: EventLog;
  /** What seals and opens values, read at its first use; undefined: no values can be imported. */
  readonly vault: () => Promise<ValueVault | undefined>;
  /** Milliseconds since the epoch; each operation reads it once. */
  readonly clock: () => number;
  /** How far the clocks of two hosts may differ, in milliseconds. */
  readonly clockSkewToleranceMs: number;
  readonly health: HealthCheck;
  /** Is told of lapses when they are written down, by the name of their pool. */
  readonly onLapse: (pool: string, count: number) => void;
}

/** The `freeAt` of a key that nobody has to wait for: every host takes it for free at once, whatever its clock says. */
export function freeNow(context: Context, now: number): number {
  return now - context.clockSkewToleranceMs;
}

/** A page of the rows that were found; one more than `limit` was asked for, which tells whether another page follows. */
export function pageOf<Row>(found: readonly Row[], limit: number): { page: Row[]; last: Row | undefined } {
  const page = found.slice(0, limit);
  return { page, last: found.length > limit ? page.at(-1) : undefined };
}
