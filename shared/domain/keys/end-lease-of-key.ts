import type { Caller } from '../client.ts';
import type { Context } from '../context.ts';
import { KeyNotLeasedError } from '../errors.ts';
import { type Key, keyStateAt, liveLeaseAt } from '../key.ts';
import { locateKey } from './find-key.ts';
import { describeKey, type KeyView } from './key-view.ts';

/** When a key whose lease an admin ends is free: not before the holder's own deadline has passed, unless forced. */
function freeAtAfter(key: Key, force: boolean, now: number): number {
  return force ? Math.min(key.freeAt, now) : key.freeAt;
}

/**
 * Ends somebody's lease. The key cools until the holder's own deadline has passed; `force` frees it at once, which
 * is safe only where a fencing token guards the resource. Repeating it on a cooling key changes nothing more.
 * @throws KeyNotFoundError, KeyNotLeasedError, ForbiddenError
 */
export async function unblockKey(
  context: Context,
  caller: Caller,
  keyId: string,
  options: { force: boolean },
): Promise<KeyView> {
  const now = context.clock();
  // A keep-alive or an acquire may slip in between the read and the conditional write: then look again.
  for (;;) {
    const { key } = await locateKey(context, caller, keyId, now);
    if (keyStateAt(key, now) === 'free') throw new KeyNotLeasedError();
    const freeAt = freeAtAfter(key, options.force, now);
    if (liveLeaseAt(key, now) === undefined && freeAt === key.freeAt) return describeKey(key, now);
    const ended = await context.store.keys.unblock(key, freeAt);
    if (ended !== null) return describeKey(ended, now);
  }
}

/**
 * Deletes a key for good and ends its lease. Its seat stays taken until the holder's own deadline has passed,
 * unless forced.
 * @throws KeyNotFoundError, ForbiddenError
 */
export async function deleteKey(
  context: Context,
  caller: Caller,
  keyId: string,
  options: { force: boolean },
): Promise<void> {
  const now = context.clock();
  for (;;) {
    const { key } = await locateKey(context, caller, keyId, now);
    if (await context.store.keys.delete(key, freeAtAfter(key, options.force, now))) return;
  }
}
