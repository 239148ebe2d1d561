import type { Db, IndexDescription } from 'mongodb';

/** Grows with each change of the indexes; `setup-database` writes it down, and never a lower one. */
export const SCHEMA_VERSION = 3;

/** The fields of an index, in order. */
export type Index = Readonly<Record<string, 1>>;

/**
 * Free keys by slot, for the claim. Hinted: left alone, the planner may pick an index that gives every caller the
 * same first key, and they would all collide on it. `freeAt` and `expiresAt` are in it so that keys that still cool or
 * are past their hard expiration are skipped within the index; without them a claim fetched each of those documents.
 */
export const SLOT_INDEX = { pool: 1, state: 1, slot: 1, freeAt: 1, expiresAt: 1 } as const;

/**
 * Keys by the time they are free, with everything that tells a key's state: the sweep, the counts and the search for
 * claimable keys are decided within the index.
 */
export const FREE_AT_INDEX = { pool: 1, state: 1, freeAt: 1, 'lease.expiresAt': 1, expiresAt: 1 } as const;

/**
 * Keys by their hard expiration, for a pool whose lifetime changed: each batch reads the keys it moves and no others.
 * Keys with a value never expire by themselves; `valueHash` sets them apart, or each batch would pass all of them.
 */
export const EXPIRY_INDEX = { pool: 1, state: 1, valueHash: 1, expiresAt: 1, freeAt: 1 } as const;

/** The leases of a client, oldest first, and which clients have any. A keep-alive changes none of its fields. */
export const CLIENT_INDEX = { 'lease.clientId': 1, 'lease.acquiredAt': 1, _id: 1 } as const;

/** What makes an acquire repeatable: no two keys carry the same request. */
const REQUEST_INDEX = { requestHash: 1 } as const;

/** No two keys of a pool have the same seat. */
export const SEAT_INDEX = { seatId: 1 } as const;

/** No two leases of a client in a pool stand on the same of its numbers. */
export const CLIENT_SEAT_INDEX = { clientSeat: 1 } as const;

/** No value stands in a pool twice. */
export const VALUE_INDEX = { valueHash: 1 } as const;

/** No event is recorded twice. */
export const EVENT_ID_INDEX = { eventId: 1 } as const;

const UNIQUE_KEY_INDEXES: readonly Index[] = [REQUEST_INDEX, SEAT_INDEX, CLIENT_SEAT_INDEX, VALUE_INDEX];

/** What the rules rest on. Each is sparse: most documents lack most of these fields. */
export const UNIQUE_INDEXES: readonly Index[] = [...UNIQUE_KEY_INDEXES, EVENT_ID_INDEX];

/** Keys that are out of service. */
export const PAUSED_INDEX = { pool: 1, 'paused.at': 1 } as const;

/** Keys that carry notes. */
export const NOTES_INDEX = { 'notes.at': 1 } as const;

/** The events of one pool, key, client, holder or type in their order. */
export const EVENT_INDEXES = {
  pool: { pool: 1, _id: 1 },
  keyId: { keyId: 1, _id: 1 },
  clientId: { clientId: 1, _id: 1 },
  holder: { holder: 1, _id: 1 },
  type: { type: 1, _id: 1 },
} as const;

/** The queue of a pool in its order; whether a ticket is live, and how many keys it waits for, is read within it. */
export const PLACE_INDEX = { pool: 1, place: 1, number: 1, expiresAt: 1, count: 1 } as const;

/**
 * The primary key. Hinted where a condition names other fields too: the planner would try out every index that has
 * one of them.
 */
export const ID_INDEX = { _id: 1 } as const;

/** MongoDB's own removal, a backstop: two minutes late, so that a sweep can record a lapse first. */
const EXPIRATION: IndexDescription = { key: { expiresAt: 1 }, expireAfterSeconds: 120 };

const KEY_INDEXES: IndexDescription[] = [
  EXPIRATION,
  { key: SLOT_INDEX },
  { key: FREE_AT_INDEX },
  { key: EXPIRY_INDEX },
  { key: NOTES_INDEX, sparse: true },
  ...UNIQUE_KEY_INDEXES.map((key) => ({ key, unique: true, sparse: true })),
  // Partial, not sparse: a sparse index with a field that every key has would hold them all.
  { key: CLIENT_INDEX, partialFilterExpression: { 'lease.clientId': { $exists: true } } },
  { key: PAUSED_INDEX, partialFilterExpression: { 'paused.at': { $exists: true } } },
];

/** Partial, not sparse, as above. An event has few of the fields, and a position without an event none. */
const EVENTS: IndexDescription[] = [
  EXPIRATION,
  { key: EVENT_ID_INDEX, unique: true, sparse: true },
  ...Object.entries(EVENT_INDEXES).map(([field, key]) => {
    return { key, partialFilterExpression: { [field]: { $exists: true } } };
  }),
];

const POOL_INDEXES: IndexDescription[] = [{ key: { clearedAt: 1 }, sparse: true }];

/** Every index, by its collection. */
export const INDEXES: Readonly<Record<string, IndexDescription[]>> = {
  keys: KEY_INDEXES,
  pools: POOL_INDEXES,
  creations: [EXPIRATION],
  events: EVENTS,
  tickets: [EXPIRATION, { key: PLACE_INDEX }],
  usage: [EXPIRATION],
};

/** What earlier versions asked by, and this one does not. Whoever takes an index out of the list above puts it in here. */
const OLD_INDEXES: Readonly<Record<string, Index[]>> = {
  keys: [{ 'lease.clientId': 1, _id: 1 }],
};

/** The old indexes that are there, each with its collection; an index of somebody else's is none of them. */
export async function listOldIndexes(
  db: Db,
  limits: { maxTimeMS: number },
): Promise<{ collection: string; name: string }[]> {
  const found: { collection: string; name: string }[] = [];
  for (const [collection, old] of Object.entries(OLD_INDEXES)) {
    const there = await db.collection(collection).indexes(limits);
    const names = old.map(indexName).filter((name) => there.some((index) => index.name === name));
    found.push(...names.map((name) => ({ collection, name })));
  }
  return found;
}

/**
 * Makes the indexes that are missing. Safe to repeat, and to run from several processes at once. On a large collection
 * it takes minutes; a build goes on when the connection breaks, and the next call waits for it or finds it made.
 *
 * Indexes of earlier versions stay, see `OLD_INDEXES`: processes of those versions hint them for as long as they run.
 */
export async function createIndexes(db: Db): Promise<void> {
  for (const [collection, indexes] of Object.entries(INDEXES)) {
    await db.collection(collection).createIndexes(indexes);
  }
}

/** The name that MongoDB gives an index. */
export function indexName(index: Index): string {
  return Object.entries(index).flat().join('_');
}
