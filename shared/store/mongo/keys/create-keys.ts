import { randomUUID } from 'node:crypto';
import type { Key } from '../../../domain/key.ts';
import type { KeyCollection } from '../collections.ts';
import { findRoom } from './find-room.ts';
import { insertPending, publishPending, withdrawPending } from './pending-keys.ts';

/** How often a creation tries again that fits, but not together with others that are under way. */
const ATTEMPTS = 8;
const BACK_OFF_MS = 50;

/**
 * Race: several creations at once, each of which fits below `maxKeys`, but not all together. So the keys are inserted
 * first, pending: hidden from every read, but counted. Then the pool is counted, and only if all of it fits do the
 * keys become free, by one write on condition that they are still pending.
 *
 * Why a pool never exceeds its limit: of all creations that succeed, take the one whose insertion was carried out
 * last. Its count is of one moment (`snapshot`), confirmed by a majority, and contains its own keys, so every earlier
 * insertion is in it too, pending or free; all of that together fitted, and nothing succeeded that came later. Pending
 * keys count for as long as they are stored, also past their expiration, so that a creation that stalls and goes on
 * late was counted by everybody after it. A plain count would not do: a key that changes its state meanwhile moves
 * within the index, and a count that passes by can miss it.
 *
 * Two creations may see each other's pending keys and both give way; they try again at different times.
 * @throws DatabaseUnavailableError also when the keys may or may not be there: the last write goes key by key, and if
 * it breaks off, some keys are free that nobody was told of.
 */
export async function createKeys(
  keys: KeyCollection,
  created: readonly Key[],
  limit: { maxKeys: number | null; now: number },
): Promise<boolean> {
  const [first] = created;
  if (first === undefined) return true;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const batch = { pool: first.pool, state: `pending:${randomUUID()}` as const };
    try {
      await insertPending(keys, created, batch, limit.now);
      const room = await findRoom(keys, batch, created.length, limit);
      if (room === 'enough') {
        await publishPending(keys, batch, created.length);
        return true;
      }
      await withdrawPending(keys, batch);
      if (room === 'none') return false;
    } catch (error) {
      await withdrawPending(keys, batch).catch(() => undefined); // They expire soon in any case.
      throw error;
    }
    await backOff(attempt);
  }
  return false;
}

function backOff(attempt: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * BACK_OFF_MS * attempt));
}
