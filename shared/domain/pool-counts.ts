import { setImmediate } from 'node:timers/promises';
import { poolReference } from './pool.ts';
import type { KeyCounts, Store } from './store.ts';

/** Keys are counted up to here; beyond it a count is only a lower bound, so that it never costs O(keys). */
export const COUNT_LIMIT = 10_000;

/** The counts of a pool's keys, and of the callers that wait for one. */
export interface PoolFigures extends KeyCounts {
  readonly waiting: number;
}

/** How long a count is given to everybody who asks, in milliseconds. */
export const COUNTS_CACHE_MS = 2000;

const MAX_KNOWN = 1000;

/** So many pools are counted at the same time. */
const AT_ONCE = 2;

/**
 * The figures of the pools, for people. A count reads thousands of index entries, so that a viewer who lists many pools
 * could keep leases waiting: each pool is counted at most once in {@link COUNTS_CACHE_MS}, few at a time, and a lease
 * may come in between two of them.
 */
export class PoolCounts {
  readonly #store: Pick<Store, 'keys' | 'pools' | 'tickets'>;
  readonly #known = new Map<string, { counts: Promise<PoolFigures>; countedAt: number }>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(store: Pick<Store, 'keys' | 'pools' | 'tickets'>) {
    this.#store = store;
  }

  /** The counts of a pool, by its reference; at most {@link COUNTS_CACHE_MS} old. */
  get(pool: string, now: number): Promise<PoolFigures> {
    const known = this.#known.get(pool);
    if (known !== undefined && now >= known.countedAt && now - known.countedAt < COUNTS_CACHE_MS) {
      return known.counts;
    }
    // Pools that are gone stay in here: now and then everything goes.
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    const counts = this.#count(pool, now);
    this.#known.set(pool, { counts, countedAt: now });
    counts.catch(() => this.forget(pool));
    return counts;
  }

  /** The figures of the first pools by name, for metrics. */
  async first(limit: number, now: number): Promise<Map<string, PoolFigures>> {
    const pools = await this.#store.pools.list({ limit });
    const counted = pools.map(async (pool) => [pool.name, await this.get(poolReference(pool), now)] as const);
    return new Map(await Promise.all(counted));
  }

  /** Takes note that this process just added or removed keys of the pool. */
  forget(pool: string): void {
    this.#known.delete(pool);
  }

  async #count(pool: string, now: number): Promise<PoolFigures> {
    if (this.#running >= AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running += 1;
    try {
      // The embedded store counts without a pause: let others have their turn first.
      await setImmediate();
      const query = { pool, now, limit: COUNT_LIMIT + 1 };
      const counts = await this.#store.keys.count(query);
      return { ...counts, waiting: await this.#store.tickets.countAhead(query) };
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
