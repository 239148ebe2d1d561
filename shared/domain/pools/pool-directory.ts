import { PoolNotFoundError } from '../errors.ts';
import { DEFAULT_POLICY, DEFAULT_POOL, type Pool, poolName, poolReference } from '../pool.ts';
import type { PoolStore } from '../store.ts';

/** How long a process may go by a policy that was changed elsewhere, in milliseconds. */
export const POOL_CACHE_MS = 5000;

/** The pools as this process knows them, so that acquire and keep-alive stay one command each. */
export class PoolDirectory {
  readonly #store: PoolStore;
  readonly #known = new Map<string, { pool: Pool; readAt: number }>();

  constructor(store: PoolStore) {
    this.#store = store;
  }

  /** The pool, at most {@link POOL_CACHE_MS} old. @throws PoolNotFoundError */
  async get(name: string, now: number): Promise<Pool> {
    const known = this.#known.get(name);
    if (known !== undefined && now >= known.readAt && now - known.readAt < POOL_CACHE_MS) return known.pool;
    return this.read(name, now);
  }

  /**
   * The pool of this reference, if that generation is the current one. A later one than this process knows of is
   * looked up: the pool was emptied elsewhere, and a lease of its new keys must not be taken for one of the old.
   */
  async getGeneration(reference: string, now: number): Promise<Pool | undefined> {
    const name = poolName(reference);
    try {
      const known = await this.get(name, now);
      const pool = poolReference(known) < reference ? await this.read(name, now) : known;
      return poolReference(pool) === reference ? pool : undefined;
    } catch (error) {
      if (error instanceof PoolNotFoundError) return undefined;
      throw error;
    }
  }

  /** The pool as the database has it. @throws PoolNotFoundError */
  async read(name: string, now: number): Promise<Pool> {
    let pool = await this.#store.find(name);
    if (pool === null && name === DEFAULT_POOL) {
      await this.#store.createIfMissing(name, DEFAULT_POLICY, now);
      pool = await this.#store.find(name);
    }
    if (pool === null) {
      this.#known.delete(name);
      throw new PoolNotFoundError(name);
    }
    this.remember(pool, now);
    return pool;
  }

  /** Takes note of what this process just wrote or read. */
  remember(pool: Pool, now: number): void {
    this.#known.set(pool.name, { pool, readAt: now });
  }

  /** Takes note that this process just deleted or emptied the pool. */
  forget(name: string): void {
    this.#known.delete(name);
  }
}
