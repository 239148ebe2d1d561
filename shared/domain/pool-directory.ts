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
  /** Where the next claim looks; undefined: anywhere. */
  nextSlot: number | undefined;
  /** See {@link PoolDirectory.seatsBelow}. */
  readonly seatsBelow: number | undefined;
  /** The clients of which {@link PoolDirectory.noteWithinLimit} told since the policy was changed. */
  readonly withinLimit: Set<string>;
}

/** So many clients are remembered for each pool. */
const MAX_CLIENTS = 10_000;

/** The pools as this process knows them, so that acquire and keep-alive stay one command each. */
export class PoolDirectory {
  readonly #store: Pick<Store, 'pools' | 'keys' | 'claimsQueue'>;
  readonly #defaultPolicy: PoolPolicy;
  readonly #known = new Map<string, Known>();

  /** @param defaultPolicy of the default pool, where that has to be made */
  constructor(
    store: Pick<Store, 'pools' | 'keys' | 'claimsQueue'>,
    defaultPolicy: PoolPolicy = DEFAULT_POLICY,
  ) {
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
    await this.remember(pool, now);
    return pool;
  }

  /**
   * Where a claim looks: from a random slot on, or where claims do not get into each other's way behind the one before. In
   * a large pool not further than about {@link WALK} keys, since dead ones may fill it.
   */
  claimRange(name: string): SlotRange {
    const known = this.#known.get(name);
    const from = known?.nextSlot ?? Math.random();
    return { from, to: from + (known?.slotWidth ?? 1) };
  }

  /** Takes note of the slot where a claim found a key; undefined: it found none, and the next one looks elsewhere. */
  noteClaim(name: string, slot: number | undefined): void {
    const known = this.#known.get(name);
    if (known === undefined || !this.#store.claimsQueue) return;
    known.nextSlot = slot === undefined ? undefined : slot + Number.EPSILON;
  }

  /**
   * Below which seat a claim looks, in a pool that holds a target size. Keys that are held beyond the target, which was
   * lowered or has come later than they, count: as many seats at its upper end wait for them. What is held there only
   * gets less, so that this bound may be as old as the pool, and the target is never exceeded by it.
   */
  seatsBelow(name: string): number | undefined {
    return this.#known.get(name)?.seatsBelow;
  }

  /** What {@link seatsBelow} says now, if that is more than the claim went by. */
  async findMoreSeats(
    pool: Pool,
    claim: { now: number; seatsBelow?: number | undefined },
  ): Promise<number | undefined> {
    const { targetSize } = pool.policy;
    if (targetSize === null || claim.seatsBelow === undefined || claim.seatsBelow >= targetSize)
      return undefined;
    await this.remember(pool, claim.now);
    const seatsBelow = this.seatsBelow(pool.name) ?? targetSize;
    return seatsBelow > claim.seatsBelow ? seatsBelow : undefined;
  }

  /** Whether it is known that none of the client's leases is from before the policy that the pool has. */
  isWithinLimit(pool: Pool, clientId: string): boolean {
    return this.#clientsWithinLimit(pool)?.has(clientId) ?? false;
  }

  /** Takes note that none of the client's leases is from before the policy that the pool has. */
  noteWithinLimit(pool: Pool, clientId: string): void {
    const clients = this.#clientsWithinLimit(pool);
    if (clients !== undefined && clients.size >= MAX_CLIENTS) clients.clear();
    clients?.add(clientId);
  }

  #clientsWithinLimit({ name, updatedAt }: Pool): Set<string> | undefined {
    const known = this.#known.get(name);
    return known?.pool.updatedAt === updatedAt ? known.withinLimit : undefined;
  }

  /** Takes note of what this process just wrote or read. */
  async remember(pool: Pool, now: number): Promise<void> {
    const seatsBelow = await this.#findSeatsBelow(pool, now);
    const known = this.#known.get(pool.name);
    this.#known.set(pool.name, {
      pool,
      readAt: now,
      slotWidth: known?.slotWidth ?? 1,
      measuredAt: known?.measuredAt ?? Number.NEGATIVE_INFINITY,
      nextSlot: known?.nextSlot,
      seatsBelow,
      withinLimit: known?.pool.updatedAt === pool.updatedAt ? known.withinLimit : new Set(),
    });
  }

  /** Takes note that this process just deleted or emptied the pool. */
  forget(name: string): void {
    this.#known.delete(name);
  }

  /** The largest number of seats that leaves one for each key that is held beyond it. */
  async #findSeatsBelow(pool: Pool, now: number): Promise<number | undefined> {
    const { targetSize } = pool.policy;
    if (targetSize === null) return undefined;
    for (let below = targetSize; ; ) {
      const left = targetSize - (await countBeyond(this.#store, pool, { below, now }));
      if (left >= below || below === 0) return below;
      below = Math.max(0, left);
    }
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

/**
 * No process goes by a pool any more as it was before this moment: it does so for one {@link POOL_CACHE_MS}, and what it
 * sent then may take as long once more.
 */
export function isSettled(
  { clockSkewToleranceMs }: { clockSkewToleranceMs: number },
  changedAt: number,
  now: number,
): boolean {
  return now >= changedAt + 2 * POOL_CACHE_MS + clockSkewToleranceMs;
}

/** Keys that somebody holds, or that cool, without a seat below this one; counted up to the target size. */
export function countBeyond(
  { keys }: Pick<Store, 'keys'>,
  pool: Pool,
  query: { below: number; now: number },
): Promise<number> {
  const countFormer = pool.clearedAt !== undefined;
  return keys.countBeyond({
    ...query,
    pool: poolReference(pool),
    countFormer,
    limit: pool.policy.targetSize ?? 0,
  });
}

function isRecent(at: number, now: number, ageMs: number): boolean {
  return now >= at && now - at < ageMs;
}
