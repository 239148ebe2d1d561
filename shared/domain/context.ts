import type { PoolDirectory } from './pools/pool-directory.ts';
import type { Store } from './store.ts';

/** What every operation works with. */
export interface Context {
  readonly store: Store;
  readonly pools: PoolDirectory;
  /** Milliseconds since the epoch; each operation reads it once. */
  readonly clock: () => number;
  /** How far the clocks of two hosts may differ, in milliseconds. */
  readonly clockSkewToleranceMs: number;
}
