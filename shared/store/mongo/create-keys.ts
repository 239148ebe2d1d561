import { randomUUID } from 'node:crypto';
import type { Filter } from 'mongodb';
import { DatabaseUnavailableError } from '../../domain/errors.ts';
import type { Key } from '../../domain/key.ts';
import { poolName, poolReference } from '../../domain/pool.ts';
import type { Seats } from '../../domain/store.ts';
import { isDuplicateKeyError } from './errors.ts';
import { type KeyCommands, type KeyDocument, type PendingState, toDocument } from './key-document.ts';
import { EXPIRY_INDEX, FREE_AT_INDEX, SLOT_INDEX, VALUE_INDEX } from './schema.ts';

export const createKeys = { create };

/** How often a creation tries again that fits, but not together with others that are under way. */
const ATTEMPTS = 8;
const BACK_OFF_MS = 50;

/** How long a creation may take, in milliseconds: after that others remove its pending keys. */
const PENDING_MS = 10_000;

/** The keys of one attempt, before anybody sees them: no other key is in their state. */
interface Batch {
  readonly pool: { readonly $in: string[] };
  readonly state: PendingState;
}

/**
 * Race: several creations at once, each of which fits below `maxKeys`, but not all together. So the keys are inserted
 * first, pending: hidden from every read, but counted. Then the pool is counted, and only if all of it fits are the
 * keys published: they become free, by one write on condition that they are still pending.
 *
 * Why a pool never exceeds its limit: take all attempts that publish a key, and of them the one whose insertion ended
 * last. After that it counted, at one moment (`snapshot`) that contains its own keys. So each key that any of them
 * publishes was stored before that moment. At that moment it was pending or published, and so was counted; or it had
 * been removed, and then nothing can publish it. All that was counted fitted, and nothing was added later.
 *
 * Two creations may count each other's pending keys and both give way; they try again at different times. A creation
 * that died midway leaves pending keys behind. Others that fit without them try again too, and throw when their
 * attempts are used up: `full` would be wrong. Once the keys are past their time (`PENDING_MS`), they are removed. If
 * their creation was only slow, it finds fewer keys to publish than it inserted, and throws; those that it did publish
 * were counted like all others.
 *
 * A key or a value that stands already is refused by a unique index, and the batch is withdrawn; but what a creation
 * that died left behind is removed, and the batch tried once more. A value that stands under one of `otherHashes` is
 * looked for while the batch is pending: of two that are added at once under different hashes, the later look finds the
 * other one.
 *
 * @throws DatabaseUnavailableError when others are in the way for too long, and when the keys may or may not be there:
 * the last write goes key by key, and if it breaks off, some keys are free that nobody was told of.
 */
async function create(
  keys: KeyCommands,
  created: readonly Key[],
  seats: Seats | null,
  otherHashes: readonly string[] = [],
): Promise<'created' | 'full' | 'exists'> {
  const [first] = created;
  if (first === undefined) return 'created';
  const { name, now } = seats ?? { name: poolName(first.pool), now: first.createdAt };
  const pools = [...new Set(created.map(({ pool }) => pool))];
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const batch: Batch = { pool: { $in: pools }, state: `pending:${randomUUID()}` };
    try {
      await insertPending(keys, created, batch.state);
      if (await isStored(keys, otherHashes)) throw new ValueStored();
      const room = seats === null ? 'enough' : await findRoom(keys, batch, created.length, seats);
      if (room === 'enough') {
        await publishPending(keys, batch, created.length);
        return 'created';
      }
      await withdrawPending(keys, batch);
      if (room === 'none') return 'full';
    } catch (error) {
      await withdrawPending(keys, batch).catch(() => undefined); // They are removed soon in any case.
      if (!(error instanceof ValueStored || isDuplicateKeyError(error))) throw error;
      if ((await removeAbandoned(keys, name, now)) === 0) return 'exists';
      continue;
    }
    await removeAbandoned(keys, name, now);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * BACK_OFF_MS * attempt));
  }
  throw new DatabaseUnavailableError({ cause: new Error('Other creations are under way in this pool') });
}

/** A value stands, or is pending, under another hash than the one that is added. */
class ValueStored extends Error {}

/** Pending keys too. Index: `VALUE_INDEX`, hinted. */
async function isStored(keys: KeyCommands, valueHashes: readonly string[]): Promise<boolean> {
  if (valueHashes.length === 0) return false;
  return (await keys.findOne({ valueHash: { $in: [...valueHashes] } }, { hint: VALUE_INDEX })) !== null;
}

/** Index: none is read. */
async function insertPending(keys: KeyCommands, created: readonly Key[], state: PendingState): Promise<void> {
  await keys.insertMany(
    created.map((key): KeyDocument => {
      const expiresAt = new Date(key.createdAt + PENDING_MS);
      return { ...toDocument(key), state, expiresAt, expiresAtOnceFree: new Date(key.expiresAt) };
    }),
  );
}

/**
 * Whether the pool holds the batch with all that takes a seat in it; `later`: but for others that are pending too.
 *
 * Race: a key that changes its state while it is counted moves within the index, and a plain count that passes by can
 * miss it. `snapshot` counts at one moment, of what a majority has confirmed.
 *
 * Index: `FREE_AT_INDEX`, hinted. It has all that is asked for, so that no key is fetched. Each creation reads one entry
 * per key of the pool, at most about `maxKeys` of them and those that have expired and wait for the sweep.
 */
async function findRoom(
  keys: KeyCommands,
  batch: Batch,
  size: number,
  seats: Seats,
): Promise<'enough' | 'later' | 'none'> {
  const countIf = (condition: object) => ({ $sum: { $cond: [condition, 1, 0] } });
  const groups = await keys.aggregate<{
    _id: KeyDocument['state'];
    stored: number;
    unexpired: number;
    cooling: number;
  }>(
    countedKeys(seats),
    [
      {
        $group: {
          _id: '$state',
          stored: { $sum: 1 },
          unexpired: countIf({ $gte: ['$expiresAt', new Date(seats.expiredBefore)] }),
          cooling: countIf({ $gt: ['$freeAt', new Date(seats.now)] }),
        },
      },
    ],
    { hint: FREE_AT_INDEX, readConcern: { level: 'snapshot' } },
  );

  let own = 0;
  let others = 0;
  let taken = 0;
  for (const { _id: state, stored, unexpired, cooling } of groups) {
    if (state === batch.state) own += stored;
    else if (state.startsWith('pending:')) others += stored;
    else taken += state === 'deleted' ? cooling : unexpired;
  }
  if (own < size) {
    throw new DatabaseUnavailableError({ cause: new Error('Pending keys are missing from their count') });
  }
  if (taken + others + size <= seats.maxKeys) return 'enough';
  return taken + size <= seats.maxKeys ? 'later' : 'none';
}

/**
 * Where keys may take a seat: this generation, and later ones if the pool was cleared since it was read. Of earlier ones
 * all keys, or those that are leased or cool.
 */
function countedKeys(seats: Seats): Filter<KeyDocument> {
  if (seats.countFormerFree) return { pool: everyGeneration(seats.name) };
  const { $gt: first, $lt: end } = everyGeneration(seats.name);
  const current = poolReference(seats);
  return {
    $or: [
      { pool: { $gte: current, $lt: end } },
      { pool: { $gt: first, $lt: current }, freeAt: { $gt: new Date(seats.now) } },
    ],
  };
}

/** The references of all generations of the pool: ":" comes after every digit. */
export function everyGeneration(name: string): { $gt: string; $lt: string } {
  return { $gt: `${name}/`, $lt: `${name}/:` };
}

/** Makes the batch visible. Index: `SLOT_INDEX`, hinted. */
async function publishPending(keys: KeyCommands, batch: Batch, size: number): Promise<void> {
  const published = await keys.updateMany(
    batch,
    { $rename: { expiresAtOnceFree: 'expiresAt' }, $set: { state: 'free' } },
    { hint: SLOT_INDEX },
  );
  if (published < size) {
    throw new DatabaseUnavailableError({
      cause: new Error('Pending keys were removed before they were published'),
    });
  }
}

/** Index: `SLOT_INDEX`, hinted. */
async function withdrawPending(keys: KeyCommands, batch: Batch): Promise<void> {
  await keys.deleteMany(batch, { hint: SLOT_INDEX });
}

/** Removes what creations left behind that died midway. Index: `EXPIRY_INDEX`, hinted. */
function removeAbandoned(keys: KeyCommands, name: string, now: number): Promise<number> {
  const pastTheirTime = { state: /^pending:/, expiresAt: { $lte: new Date(now) } };
  return keys.deleteMany({ pool: everyGeneration(name), ...pastTheirTime }, { hint: EXPIRY_INDEX });
}
