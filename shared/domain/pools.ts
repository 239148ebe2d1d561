import type { Pool as PoolBody } from '../contract/pools.ts';
import { type Caller, requirePool } from './client.ts';
import { type Context, pageOf } from './context.ts';
import { describePool } from './describe.ts';
import { InvalidRequestError, PoolChangedError } from './errors.ts';
import { type Event, makeEvent } from './events.ts';
import {
  DEFAULT_POLICY,
  DEFAULT_POOL,
  nextGeneration,
  type Pool,
  type PoolPolicy,
  poolReference,
} from './pool.ts';
import { fillPool } from './seats.ts';
import { applyLifetimeNow } from './sweep.ts';

/** A change of a pool's policy. */
export interface PoolChange {
  /** What is absent gets its default, or with a patch stays. */
  readonly policy: { readonly [Field in keyof PoolPolicy]?: PoolPolicy[Field] | undefined };
  /** When the pool was last changed, as the caller knows it; a pool that was changed since is left alone. */
  readonly expectedUpdatedAt?: number | undefined;
}

/** A pool as it is now, and whether the call created it. */
export interface ChangedPool {
  readonly pool: PoolBody;
  readonly created: boolean;
}

/**
 * Creates a pool or replaces its whole policy; other processes follow within `POOL_CACHE_MS`.
 * @throws InvalidRequestError, PoolChangedError, ForbiddenError
 */
export async function putPool(
  context: Context,
  caller: Caller,
  name: string,
  change: PoolChange,
): Promise<ChangedPool> {
  requirePool(caller, name);
  const policy = completePolicy(context, DEFAULT_POLICY, change);
  const now = context.clock();
  for (;;) {
    const found = await context.store.pools.get(name);
    requireUnchanged(name, found, change);
    const changed =
      found === null
        ? await context.store.pools.create(name, policy, now)
        : await updatePolicy(context, found, policy, now);
    if (changed === null) continue; // Somebody else changed it meanwhile: look again.
    await recordChange(context, caller, found, changed, now);
    return { pool: await settle(context, changed, now), created: found === null };
  }
}

/**
 * Changes what the call names of a pool's policy.
 * @throws PoolNotFoundError, InvalidRequestError, PoolChangedError, ForbiddenError
 */
export async function patchPool(
  context: Context,
  caller: Caller,
  name: string,
  change: PoolChange,
): Promise<PoolBody> {
  requirePool(caller, name);
  const now = context.clock();
  for (;;) {
    const found = await context.pools.getFresh(name, now);
    requireUnchanged(name, found, change);
    const policy = completePolicy(context, found.policy, change);
    const changed = await updatePolicy(context, found, policy, now);
    if (changed === null) continue;
    await recordChange(context, caller, found, changed, now);
    return settle(context, changed, now);
  }
}

/** @throws PoolChangedError */
function requireUnchanged(name: string, found: Pool | null, { expectedUpdatedAt }: PoolChange): void {
  if (expectedUpdatedAt !== undefined && found?.updatedAt !== expectedUpdatedAt) {
    throw new PoolChangedError(name);
  }
}

/**
 * The whole policy after the change. A key's life must exceed a lease and the clock tolerance after it, or a key would
 * expire under a live lease. @throws InvalidRequestError
 */
function completePolicy(context: Context, base: PoolPolicy, change: PoolChange): PoolPolicy {
  const named = Object.entries(change.policy).filter(([, value]) => value !== undefined);
  const policy: PoolPolicy = { ...base, ...Object.fromEntries(named) };
  const { leaseSeconds, keyTtlSeconds } = policy;
  const tolerance = context.clockSkewToleranceMs;
  if (keyTtlSeconds !== null && keyTtlSeconds * 1000 <= leaseSeconds * 1000 + tolerance) {
    const message = `Must exceed leaseSeconds (${leaseSeconds}) by more than ${tolerance} ms, or be null`;
    throw new InvalidRequestError([{ path: 'keyTtlSeconds', message }]);
  }
  const { maxLeaseSeconds, maxKeys, targetSize } = policy;
  if (maxLeaseSeconds !== null && maxLeaseSeconds < leaseSeconds) {
    const message = `Must be at least leaseSeconds (${leaseSeconds}), or null`;
    throw new InvalidRequestError([{ path: 'maxLeaseSeconds', message }]);
  }
  if (targetSize !== null && maxKeys !== null && targetSize > maxKeys) {
    throw new InvalidRequestError([{ path: 'targetSize', message: `Must be at most maxKeys (${maxKeys})` }]);
  }
  return policy;
}

/** A changed lifetime restarts the clock of all keys. Null: the pool was changed since it was found. */
function updatePolicy(context: Context, found: Pool, policy: PoolPolicy, now: number): Promise<Pool | null> {
  const isNewLifetime = policy.keyTtlSeconds !== found.policy.keyTtlSeconds;
  const refreshedAt = isNewLifetime ? now : undefined;
  return context.store.pools.update(found, { policy, now, refreshedAt });
}

async function recordChange(
  context: Context,
  caller: Caller,
  found: Pool | null,
  { name, policy }: Pool,
  now: number,
): Promise<void> {
  if (found === null) return recordEvent(context, caller, name, { change: 'created', at: now });
  const names = Object.keys(policy) as (keyof PoolPolicy)[];
  const fields = names.filter((field) => policy[field] !== found.policy[field]);
  await recordEvent(context, caller, name, { change: 'updated', fields, at: now });
}

async function recordEvent(
  { events }: Context,
  { clientId: by }: Caller,
  pool: string,
  event: Required<Pick<Event, 'change' | 'at'>> & Pick<Event, 'fields'>,
): Promise<void> {
  await events.record([makeEvent({ type: 'pool.changed', pool, by, ...event })], event.at);
}

/** What follows a change: this process knows of it at once, and the first keys get their new lifetime. */
async function settle(context: Context, pool: Pool, now: number): Promise<PoolBody> {
  await context.pools.remember(pool, now);
  await applyLifetimeNow(context, pool, now);
  await fillPool(context, pool, now);
  return describe(context, pool, now);
}

/**
 * Restarts the hard-expiration clock of all keys of a pool: of the first ones at once, of the others by the next sweep.
 * @throws PoolNotFoundError, ForbiddenError
 */
export async function refreshPool(context: Context, caller: Caller, name: string): Promise<void> {
  requirePool(caller, name);
  const now = context.clock();
  for (;;) {
    const found = await context.pools.getFresh(name, now);
    if (!(await context.store.pools.requestRefresh(found, now))) continue; // Emptied meanwhile: look again.
    await recordEvent(context, caller, name, { change: 'refreshed', at: now });
    await applyLifetimeNow(context, { ...found, refreshedAt: now }, now);
    return;
  }
}

/** @throws PoolNotFoundError, ForbiddenError */
export async function getPool(context: Context, caller: Caller, name: string): Promise<PoolBody> {
  requirePool(caller, name);
  const now = context.clock();
  return describe(context, await context.pools.getFresh(name, now), now);
}

interface Page {
  readonly limit: number;
  readonly after?: string | undefined;
}

/** A page of the pools that the caller may see, by name; `next` is where the page after it starts. */
export async function listPools(
  context: Context,
  caller: Caller,
  request: Page,
): Promise<{ pools: PoolBody[]; next?: string | undefined }> {
  const now = context.clock();
  const { page, last } = await findPools(context, caller, request);
  const pools = await Promise.all(page.map((pool) => describe(context, pool, now)));
  return { pools, next: last?.name };
}

/** The same page, as the pools are stored. */
export async function findPools(
  context: Context,
  caller: Caller,
  request: Page,
): Promise<{ page: Pool[]; last: Pool | undefined }> {
  const wanted = { ...request, limit: request.limit + 1 };
  const found =
    caller.pools === undefined
      ? await context.store.pools.list(wanted)
      : await listThese(context, caller.pools, wanted);
  return pageOf(found, request.limit);
}

/** A limited credential names a few pools; the pages of all the others would be empty, and tell their names. */
async function listThese(context: Context, names: readonly string[], page: Page): Promise<Pool[]> {
  const wanted = names.filter((name) => page.after === undefined || name > page.after).sort();
  const found = await Promise.all([...new Set(wanted)].map((name) => context.store.pools.get(name)));
  return found.filter((pool) => pool !== null).slice(0, page.limit);
}

/**
 * Deletes a pool with its keys and leases; the default pool becomes empty instead. One write starts a new generation,
 * which every process follows within `POOL_CACHE_MS`; the sweep removes the keys of the old one. Until their holders
 * have surely stopped they take their seats of a pool that is created again.
 * @throws PoolNotFoundError, ForbiddenError
 */
export async function deletePool(context: Context, caller: Caller, name: string): Promise<void> {
  requirePool(caller, name);
  const now = context.clock();
  for (;;) {
    const pool = await context.pools.getFresh(name, now);
    const generation = nextGeneration(pool.generation, now);
    if (await context.store.pools.clear(pool, { generation, now, deleted: name !== DEFAULT_POOL })) break;
  }
  context.pools.forget(name);
  const change = name === DEFAULT_POOL ? 'emptied' : 'deleted';
  await recordEvent(context, caller, name, { change, at: now });
}

async function describe(context: Context, pool: Pool, now: number): Promise<PoolBody> {
  return describePool(pool, await context.counts.get(poolReference(pool), now), now);
}
