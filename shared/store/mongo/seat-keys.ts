import type { Filter } from 'mongodb';
import type { Key } from '../../domain/key.ts';
import { poolName } from '../../domain/pool.ts';
import type { SeatedKey } from '../../domain/store.ts';
import { everyGeneration } from './create-keys.ts';
import { refusedField } from './errors.ts';
import {
  IN_SERVICE,
  type KeyCommands,
  type KeyDocument,
  STORED,
  seatId,
  toDocument,
  WITHOUT_NOTES,
} from './key-document.ts';
import { FREE_AT_INDEX, ID_INDEX, SEAT_INDEX } from './schema.ts';

// How a pool holds its target size.

export const seatKeys = {
  mint,
  mintMissing,
  listSeated,
  countSeated,
  listSeatedFree,
  countBeyond,
  removeBeyond,
  remove,
};

/**
 * Race: two callers take the same seat, or one request is sent twice. The unique index on `seatId`, or on what the claim
 * carries, refuses the second.
 *
 * Index: none is read.
 */
async function mint(
  keys: KeyCommands,
  key: Key,
): Promise<Key | 'seat_taken' | 'repeated' | 'client_seat_taken'> {
  try {
    await keys.insertOne(toDocument(key));
    return key;
  } catch (error) {
    switch (refusedField(error)) {
      case undefined:
        throw error;
      case 'requestHash':
        return 'repeated';
      case 'clientSeat':
        return 'client_seat_taken';
      default:
        return 'seat_taken';
    }
  }
}

/** Race: others take some of the seats; the unique index on `seatId` refuses those keys, and those alone. */
async function mintMissing(keys: KeyCommands, minted: readonly Key[]): Promise<number> {
  const refused = await keys.insertMissing(minted.map(toDocument));
  return minted.length - refused.length;
}

/** Index: `SEAT_INDEX`, hinted: the seats of a pool are a range of it, in their order. */
async function listSeated(
  keys: KeyCommands,
  { name, below }: { name: string; below: number },
): Promise<SeatedKey[]> {
  const options = { hint: SEAT_INDEX, limit: below, projection: SEATED };
  return (await keys.find(within(name, below), options)).map(toSeated);
}

/** Index: `SEAT_INDEX`, hinted; it has all that is asked for, so that no key is fetched. */
function countSeated(keys: KeyCommands, { name, below }: { name: string; below: number }): Promise<number> {
  return keys.count(within(name, below), { hint: SEAT_INDEX });
}

/** Index: `FREE_AT_INDEX`, hinted: every stored state of each generation is a range of it. */
async function listSeatedFree(
  keys: KeyCommands,
  { name, below, now }: { name: string; below: number; now: number },
): Promise<SeatedKey[]> {
  const free = {
    ...STORED,
    pool: everyGeneration(name),
    freeAt: { $lte: new Date(now) },
    seat: { $lt: below },
  };
  const options = { hint: FREE_AT_INDEX, limit: below, projection: SEATED };
  return (await keys.find(free, options)).map(toSeated);
}

const SEATED = { pool: 1, state: 1, fencingToken: 1, expiresAt: 1, freeAt: 1, seat: 1 };

function within(name: string, below: number): Filter<KeyDocument> {
  return { seatId: { $gte: seatId(name, 0), $lt: seatId(name, below) } };
}

function toSeated({ _id, pool, state, fencingToken, expiresAt, freeAt, seat }: KeyDocument): SeatedKey {
  return {
    keyId: _id,
    pool,
    state: state as Key['state'],
    fencingToken,
    expiresAt: expiresAt.getTime(),
    freeAt: freeAt.getTime(),
    seat: seat as number,
  };
}

/**
 * Index: `FREE_AT_INDEX`, hinted; of each stored state the keys that are held or cool are a range of it. Their seat is
 * looked up in the key.
 */
async function countBeyond(
  keys: KeyCommands,
  query: { pool: string; below: number; now: number; limit: number; countFormer: boolean },
): Promise<number> {
  const { below, now, limit } = query;
  if (limit <= 0) return 0; // The server refuses a limit of 0.
  const pool = query.countFormer ? everyGeneration(poolName(query.pool)) : query.pool;
  const taken = { ...STORED, ...beyond(below), pool, freeAt: { $gt: new Date(now) } };
  return keys.count(taken, { hint: FREE_AT_INDEX, limit });
}

/**
 * Race: a process that goes by the policy of before may have acquired a key since it was read; the removal repeats the
 * condition.
 *
 * Index: `FREE_AT_INDEX`, hinted, then `ID_INDEX`, hinted.
 */
async function removeBeyond(
  keys: KeyCommands,
  query: { pool: string; below: number; now: number; limit: number },
): Promise<number> {
  const { pool, below, now, limit } = query;
  const free = {
    ...beyond(below),
    ...IN_SERVICE,
    ...WITHOUT_NOTES,
    pool,
    state: 'free',
    freeAt: { $lte: new Date(now) },
  } as const;
  const found = await keys.find(free, { hint: FREE_AT_INDEX, limit, projection: { _id: 1 } });
  if (found.length === 0) return 0;
  return keys.deleteMany({ ...free, _id: { $in: found.map(({ _id }) => _id) } }, { hint: ID_INDEX });
}

function beyond(below: number): Filter<KeyDocument> {
  return { seat: { $not: { $lt: below } } };
}

/**
 * Race: the key was used, or refreshed, since it was found dead; either changes what is compared.
 *
 * Index: `ID_INDEX`, hinted.
 */
function remove(
  keys: KeyCommands,
  found: Pick<Key, 'keyId' | 'state' | 'fencingToken' | 'expiresAt' | 'freeAt'>,
): Promise<boolean> {
  const { keyId, state, fencingToken, expiresAt, freeAt } = found;
  const times = { expiresAt: new Date(expiresAt), freeAt: new Date(freeAt) };
  return keys.deleteOne({ ...WITHOUT_NOTES, _id: keyId, state, fencingToken, ...times }, { hint: ID_INDEX });
}
