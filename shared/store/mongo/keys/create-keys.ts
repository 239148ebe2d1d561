import { randomUUID } from 'node:crypto';
import { DatabaseUnavailableError } from '../../../domain/errors.ts';
import type { Key } from '../../../domain/key.ts';
import type { KeyCollection } from '../collections.ts';
import { FREE_AT_INDEX, SLOT_INDEX } from '../indexes.ts';
import type { KeyDocument, PendingState } from './key-document.ts';

/** How long pending keys of a process that died may stay, in milliseconds; the sweep removes them as expired. */
const PENDING_MS = 60_000;

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
      await insertPending(keys, created, batch.state, limit.now);
      const room = await findRoom(keys, batch, created.length, limit);
      if (room === 'enough') {
        await publish(keys, batch, created.length);
        return true;
      }
      await withdraw(keys, batch);
      if (room === 'none') return false;
    } catch (error) {
      await withdraw(keys, batch).catch(() => undefined); // They expire soon in any case.
      throw error;
    }
    await backOff(attempt);
  }
  return false;
}

interface Batch {
  readonly pool: string;
  readonly state: PendingState;
}

/** Index: none is read. */
async function insertPending(
  keys: KeyCollection,
  created: readonly Key[],
  state: PendingState,
  now: number,
): Promise<void> {
  await keys.insertMany(
    created.map(
      (key): KeyDocument => ({
        _id: key.keyId,
        pool: key.pool,
        state,
        slot: key.slot,
        fencingToken: key.fencingToken,
        createdAt: new Date(key.createdAt),
        expiresAt: new Date(now + PENDING_MS),
        expiresAtOnceFree: new Date(key.expiresAt),
        freeAt: new Date(key.freeAt),
        ...(key.value !== undefined && { value: key.value }),
      }),
    ),
  );
}

/**
 * Whether the pool holds the batch with all that is in it; `later`: but for others that are pending too. Counts the
 * keys that are not past their hard expiration, deleted ones that still cool among them.
 * Index: `FREE_AT_INDEX`, hinted; it has both fields, so that no key is fetched.
 */
async function findRoom(
  keys: KeyCollection,
  batch: Batch,
  size: number,
  { maxKeys, now }: { maxKeys: number | null; now: number },
): Promise<'enough' | 'later' | 'none'> {
  if (maxKeys === null) return 'enough';
  const unexpired = { $cond: [{ $gt: ['$expiresAt', new Date(now)] }, 1, 0] };
  const groups = await keys
    .aggregate<{ _id: KeyDocument['state']; stored: number; unexpired: number }>(
      [
        { $match: { pool: batch.pool } },
        { $group: { _id: '$state', stored: { $sum: 1 }, unexpired: { $sum: unexpired } } },
      ],
      { hint: FREE_AT_INDEX, readConcern: { level: 'snapshot' } },
    )
    .toArray();

  let own = 0;
  let others = 0;
  let standing = 0;
  for (const group of groups) {
    if (group._id === batch.state) own += group.stored;
    else if (group._id.startsWith('pending:')) others += group.stored;
    else standing += group.unexpired;
  }
  if (own < size) throw unsure('The count is older than the keys');
  if (standing + others + size <= maxKeys) return 'enough';
  return standing + size <= maxKeys ? 'later' : 'none';
}

/** Makes the batch visible. Index: `SLOT_INDEX`, hinted; no other key is in the batch's state. */
async function publish(keys: KeyCollection, batch: Batch, size: number): Promise<void> {
  const { modifiedCount } = await keys.updateMany(
    batch,
    { $rename: { expiresAtOnceFree: 'expiresAt' }, $set: { state: 'free' } },
    { hint: SLOT_INDEX },
  );
  if (modifiedCount < size) throw unsure('Pending keys expired before they were published');
}

/** Index: `SLOT_INDEX`, hinted. */
async function withdraw(keys: KeyCollection, batch: Batch): Promise<void> {
  await keys.deleteMany(batch, { hint: SLOT_INDEX });
}

function unsure(reason: string): DatabaseUnavailableError {
  return new DatabaseUnavailableError({ cause: new Error(reason) });
}

function backOff(attempt: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * BACK_OFF_MS * attempt));
}
