import type { Key as KeyBody } from '../contract/keys.ts';
import { type Caller, requirePool } from './client.ts';
import { type Context, freeNow } from './context.ts';
import { describeKey } from './describe.ts';
import { KeyNotFoundError, KeyNotLeasedError, LeaseChangedError } from './errors.ts';
import { keyEvent, pauseEvent, recordLapse } from './events.ts';
import { type Key, type KeyState, type Labels, NEVER_EXPIRES } from './key.ts';
import { hardExpiration, type Pool, poolName, poolReference } from './pool.ts';

// What admins and viewers do with keys. Creation stands by itself, in `create-keys.ts`.

/** How an admin ends a lease, or deletes a key. */
export interface Ending {
  /** Free at once, before the holder's own deadline: safe only where a fencing token guards the resource. */
  readonly force: boolean;
  /** The lease that is meant; absent: the one that stands at the first look. */
  readonly fencingToken?: number | undefined;
}

export interface ListKeysRequest {
  readonly pool: string;
  readonly limit: number;
  readonly state?: KeyState | undefined;
  readonly search?: string | undefined;
  /** The slot after which the page starts. */
  readonly after?: number | undefined;
}

/** @throws KeyNotFoundError, ForbiddenError */
export async function getKey(context: Context, caller: Caller, keyId: string): Promise<KeyBody> {
  const now = context.clock();
  const { key } = await getKeyAndPool(context, caller, keyId, now);
  return describeKey(key, now);
}

/**
 * A page of the pool's keys in a stable order; `next` is where the page after it starts. The page may be short, or
 * empty, although more follow.
 * @throws PoolNotFoundError, ForbiddenError
 */
export async function listKeys(
  context: Context,
  caller: Caller,
  request: ListKeysRequest,
): Promise<{ keys: KeyBody[]; next?: number | undefined }> {
  requirePool(caller, request.pool);
  const now = context.clock();
  const pool = await context.pools.get(request.pool, now);
  const { keys, next } = await context.store.keys.list({ ...request, pool: poolReference(pool), now });
  return { keys: keys.map((key) => describeKey(key, now)), next };
}

/**
 * Restarts the key's hard-expiration clock.
 * @throws KeyNotFoundError, ForbiddenError
 */
export async function refreshKey(context: Context, caller: Caller, keyId: string): Promise<KeyBody> {
  const now = context.clock();
  const { pool } = await getKeyAndPool(context, caller, keyId, now);
  const keyExpiresAt = hardExpiration(pool.policy, now);
  const key = await context.store.keys.refresh({ keyId, now, keyExpiresAt });
  if (key === null) throw new KeyNotFoundError();
  return describeKey(key, now);
}

/** Replaces the key's labels. @throws KeyNotFoundError, ForbiddenError */
export async function patchKey(
  context: Context,
  caller: Caller,
  keyId: string,
  { labels }: { labels: Labels },
): Promise<KeyBody> {
  const now = context.clock();
  await getKeyAndPool(context, caller, keyId, now);
  const key = await context.store.keys.setLabels({ keyId, now, labels });
  if (key === null) throw new KeyNotFoundError();
  return describeKey(key, now);
}

/**
 * Ends somebody's lease, the one that is meant and no other. The key cools until the holder's own deadline has passed;
 * `force` frees it at once. Repeating it with the same fencing token changes nothing more.
 * @throws KeyNotFoundError, KeyNotLeasedError, LeaseChangedError, ForbiddenError
 */
export async function unblockKey(
  context: Context,
  caller: Caller,
  keyId: string,
  ending: Ending,
): Promise<KeyBody> {
  const now = context.clock();
  let { fencingToken: meant } = ending;
  // A keep-alive, or the end of the lease, may slip in between the look and the conditional write: then look again.
  for (;;) {
    const { key } = await getKeyAndPool(context, caller, keyId, now);
    meant = requireMeant(key, meant);
    // Whoever is told that a key is free or cooling must not see its lease come back by a keep-alive that is late.
    if ((await recordLapse(context, key, now)) !== undefined) continue;
    if (key.freeAt <= now) {
      // A repeat finds what the first call left: a lease that was unblocked, or whose lapse was recorded.
      const { reason = 'released' } = key.lastLease ?? {};
      if (ending.fencingToken === undefined || reason === 'released') throw new KeyNotLeasedError();
      return describeKey(key, now);
    }
    const freeAt = freeAtAfter(context, key, ending, now);
    if (key.lease === undefined && freeAt === key.freeAt) return describeKey(key, now);
    const { lease } = key;
    const note = lease && keyEvent('lease.unblocked', key, { lease, at: now, by: caller.clientId });
    const ended = await context.store.keys.unblock(key, freeAt, note);
    if (ended === null) continue;
    if (note !== undefined) await context.events.recordNote(keyId, note, now);
    return describeKey(ended, now);
  }
}

/**
 * Deletes a key for good and ends its lease, if that is the one that is meant. Its seat stays taken until the holder's
 * own deadline has passed, unless forced. Repeating it with the same fencing token changes nothing more.
 * @throws KeyNotFoundError, LeaseChangedError, ForbiddenError
 */
export async function deleteKey(
  context: Context,
  caller: Caller,
  keyId: string,
  ending: Ending,
): Promise<void> {
  const now = context.clock();
  let { fencingToken: meant } = ending;
  try {
    for (;;) {
      const { key } = await getKeyAndPool(context, caller, keyId, now);
      meant = requireMeant(key, meant);
      if ((await recordLapse(context, key, now)) !== undefined) continue;
      const note = keyEvent('key.deleted', key, { lease: key.lease, at: now, by: caller.clientId });
      if (!(await context.store.keys.delete(key, freeAtAfter(context, key, ending, now), note))) continue;
      await context.events.recordNote(keyId, note, now);
      return;
    }
  } catch (error) {
    if (error instanceof KeyNotFoundError && (await isDeleted(context, caller, keyId, ending))) return;
    throw error;
  }
}

/**
 * Takes a key out of service: a lease on it goes on, and then nobody gets it. It keeps its seat, and does not expire.
 * Whoever pauses a paused key is told of the first pause.
 * @throws KeyNotFoundError, ForbiddenError
 */
export async function pauseKey(
  context: Context,
  caller: Caller,
  keyId: string,
  { reason }: { reason?: string | undefined },
): Promise<KeyBody> {
  const now = context.clock();
  const paused = { at: now, by: caller.clientId, reason };
  for (;;) {
    const { key } = await getKeyAndPool(context, caller, keyId, now);
    if (key.paused !== undefined) return describeKey(key, now);
    const note = pauseEvent('key.paused', key, paused);
    const changed = await context.store.keys.pause({ keyId, now, paused, note });
    if (changed === null) continue; // Another admin was faster, or the key is gone.
    await context.events.recordNote(keyId, note, now);
    return describeKey(changed, now);
  }
}

/**
 * Puts a key back into service, with a whole life before it. A key that is not paused stays as it is.
 * @throws KeyNotFoundError, ForbiddenError
 */
export async function resumeKey(context: Context, caller: Caller, keyId: string): Promise<KeyBody> {
  const now = context.clock();
  for (;;) {
    const { key, pool } = await getKeyAndPool(context, caller, keyId, now);
    if (key.paused === undefined) return describeKey(key, now);
    const expiresAt = key.value === undefined ? hardExpiration(pool.policy, now, key.freeAt) : NEVER_EXPIRES;
    const note = pauseEvent('key.resumed', key, { at: now, by: caller.clientId });
    const changed = await context.store.keys.resume(key, expiresAt, note);
    if (changed === null) continue; // The key was kept alive, released or resumed since the look.
    await context.events.recordNote(keyId, note, now);
    return describeKey(changed, now);
  }
}

/** The fencing token of the lease that is meant. @throws LeaseChangedError when the key has another */
function requireMeant(key: Key, meant = key.fencingToken): number {
  if (key.fencingToken !== meant) throw new LeaseChangedError();
  return meant;
}

/** When a key whose lease an admin ends is free: not before the holder's own deadline has passed, unless forced. */
function freeAtAfter(context: Context, key: Key, { force }: Ending, now: number): number {
  return force ? Math.min(key.freeAt, freeNow(context, now)) : key.freeAt;
}

/** The key is deleted already, with the fencing token that is named. */
async function isDeleted(
  context: Context,
  caller: Caller,
  keyId: string,
  { fencingToken }: Ending,
): Promise<boolean> {
  const key = await context.store.keys.getStored(keyId);
  if (key?.state !== 'deleted' || key.fencingToken !== fencingToken) return false;
  requirePool(caller, poolName(key.pool));
  return true;
}

/**
 * The key and its pool, for an operation at `now`; a key of a pool that was deleted or emptied is not found.
 * @throws KeyNotFoundError, ForbiddenError
 */
async function getKeyAndPool(
  context: Context,
  caller: Caller,
  keyId: string,
  now: number,
): Promise<{ key: Key; pool: Pool }> {
  const key = await context.store.keys.get(keyId, now);
  if (key === null) throw new KeyNotFoundError();
  requirePool(caller, poolName(key.pool));
  const pool = await context.pools.getByReference(key.pool, now);
  if (pool === undefined) throw new KeyNotFoundError();
  return { key, pool };
}
