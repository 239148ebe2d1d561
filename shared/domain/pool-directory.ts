import { PoolNotFoundError } from './errors.ts';
import { DEFAULT_POLICY, DEFAULT_POOL, type Pool, type PoolPolicy, poolName, poolReference } from './pool.ts';
import type { SlotRange, Store } from './store.ts';

/** How long a process may go by a policy that was changed elsewhere, in milliseconds. */
export const POOL_CACHE_MS = 5000;

/** How long a process goes by what it measured of a pool's slots, in milliseconds. */
const SLOTS_CACHE_MS = 60_000;

/** About how many keys one claim may walk past that are stored as free, but expired or cooling. */
const WALK = 300;

interface Known {
  readonly pool: Pool;
  readonly readAt: number;
  /** How wide a range of slots holds about {@link WALK} keys; 1: all of them. */
  readonly slotWidth: number;
  readonly measuredAt: number;
}

/** The pools as this process knows them, so that acquire and keep-alive stay one command each. */
export class PoolDirectory {
  readonly #store: Pick<Store, 'pools' | 'keys'>;
  readonly #defaultPolicy: PoolPolicy;
  readonly #known = new Map<string, Known>();

  /** @param defaultPolicy of the default pool, where that has to be made */
  constructor(store: Pick<Store, 'pools' | 'keys'>, defaultPolicy: PoolPolicy = DEFAULT_POLICY) {
    this.#store = store;
    this.#defaultPolicy = defaultPolicy;
  }

  /** The pool, at most {@link POOL_CACHE_MS} old. @throws PoolNotFoundError */
  async get(name: string, now: number): Promise<Pool> {
    const known = this.#known.get(name);
    if (known !== undefined && isRecent(known.readAt, now, POOL_CACHE_MS)) return known.pool;
    return this.getFresh(name, now);
  }

  /**
   * The pool of this reference, if that generation is the current one. A later one than this process knows of is
   * looked up: the pool was emptied elsewhere, and a lease of its new keys must not be taken for one of the old.
   */
  async getByReference(reference: string, now: number): Promise<Pool | undefined> {
    const name = poolName(reference);
    try {
      const known = await this.get(name, now);
      const pool = poolReference(known) < reference ? await this.getFresh(name, now) : known;
      return poolReference(pool) === reference ? pool : undefined;
    } catch (error) {
      if (error instanceof PoolNotFoundError) return undefined;
      throw error;
    }
  }

  /** The pool as the database has it. @throws PoolNotFoundError */
  async getFresh(name: string, now: number): Promise<Pool> {
    let [pool] = await Promise.all([this.#store.pools.get(name), this.#measureSlots(name, now)]);
    if (pool === null && name === DEFAULT_POOL) {
      pool =
        (await this.#store.pools.create(name, this.#defaultPolicy, now)) ??
        (await this.#store.pools.get(name));
    }
    if (pool === null) {
      this.#known.delete(name);
      throw new PoolNotFoundError(name);
    }
    this.remember(pool, now);
    return pool;
  }

  /**
   * Where a claim looks: from a random slot on, and in a large pool not further than about {@link WALK} keys, since
   * dead ones may fill it.
   */
  claimRange(name: string): SlotRange {
    const from = Math.random();
    return { from, to: from + (this.#known.get(name)?.slotWidth ?? 1) };
  }

  /** Takes note of what this process just wrote or read. */
  remember(pool: Pool, now: number): void {
    const known = this.#known.get(pool.name);
    this.#known.set(pool.name, {
      pool,
      readAt: now,
      slotWidth: known?.slotWidth ?? 1,
      measuredAt: known?.measuredAt ?? Number.NEGATIVE_INFINITY,
    });
  }

  /** Takes note that this process just deleted or emptied the pool. */
  forget(name: string): void {
    this.#known.delete(name);
  }

  /** Of a pool that this process uses for the second time: a short life is not worth the command. */
  async #measureSlots(name: string, now: number): Promise<void> {
    const known = this.#known.get(name);
    if (known === undefined || isRecent(known.measuredAt, now, SLOTS_CACHE_MS)) return;
    const pool = poolReference(known.pool);
    const slotWidth = await this.#store.keys.measureSlots({ pool, keys: WALK });
    const latest = this.#known.get(name);
    if (latest !== undefined) this.#known.set(name, { ...latest, slotWidth, measuredAt: now });
  }
}

function isRecent(at: number, now: number, ageMs: number): boolean {
  return now >= at && now - at < ageMs;
}
