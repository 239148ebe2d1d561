import type { Filter } from 'mongodb';
import type { Key, KeyLease } from '../../domain/key.ts';
import type { KeyPage, LeasePage } from '../../domain/store.ts';
import { inState, type KeyCommands, type KeyDocument, STORED, toKey } from './key-document.ts';
import { CLIENT_INDEX, CLIENT_SEAT_INDEX, ID_INDEX, SLOT_INDEX, VALUE_INDEX } from './schema.ts';

export const readKeys = {
  get,
  getStored,
  listStored,
  listByValue,
  listClientSeats,
  list,
  listLeased,
  listLeasingClients,
};

/** How many keys of each stored state one page walks past, whatever it looks for among them. */
const WALK = 2000;

/** How many leases one command looks at for the clients that have them. */
const STRIDE = 100;

/** Index: `ID_INDEX`, hinted. */
async function get(keys: KeyCommands, keyId: string, now: number): Promise<Key | null> {
  const found = await keys.findOne({ ...inState(undefined, now), _id: keyId }, { hint: ID_INDEX });
  return found && toKey(found);
}

/** Index: `ID_INDEX`, hinted. */
async function getStored(keys: KeyCommands, keyId: string): Promise<Key | null> {
  const found = await keys.findOne({ ...STORED, _id: keyId }, { hint: ID_INDEX });
  return found && toKey(found);
}

/** Index: `ID_INDEX`, hinted. */
async function listStored(keys: KeyCommands, keyIds: readonly string[]): Promise<Key[]> {
  const these = { ...STORED, _id: { $in: [...keyIds] } };
  return (await keys.find(these, { hint: ID_INDEX, limit: keyIds.length })).map(toKey);
}

/** Index: `VALUE_INDEX`, hinted. */
async function listByValue(keys: KeyCommands, valueHashes: readonly string[]): Promise<Key[]> {
  const these = { ...STORED, valueHash: { $in: [...valueHashes] } };
  return (await keys.find(these, { hint: VALUE_INDEX, limit: valueHashes.length })).map(toKey);
}

/** Index: `CLIENT_SEAT_INDEX`, hinted: a range, since ":" comes after every digit. */
async function listClientSeats(keys: KeyCommands, prefix: string): Promise<Key[]> {
  const own = { clientSeat: { $gte: prefix, $lt: `${prefix}:` } };
  return (await keys.find(own, { hint: CLIENT_SEAT_INDEX })).map(toKey);
}

/**
 * The keys between two slots: where the page starts, and where the walk of the stored state that gets less far ends. So
 * neither expired keys nor a search that nothing meets make a page read the whole pool.
 *
 * Index: `SLOT_INDEX`, hinted. It alone gives the ends of the walks; the page itself is two ranges of it, merged, or
 * sorted by a server that cannot merge: at most twice `WALK` keys.
 */
async function list(keys: KeyCommands, page: KeyPage): Promise<{ keys: Key[]; next?: number | undefined }> {
  const { pool, now, limit, after, state, search } = page;
  const walked = state === 'leased' ? (['leased'] as const) : (['free', 'leased'] as const);
  const ends = walked.map((stored) => endOfWalk(keys, pool, stored, after));
  const end = Math.min(...(await Promise.all(ends)));
  const found = await keys.find(
    {
      ...inState(state, now),
      ...(search !== undefined && containing(search)),
      pool,
      slot: { $gt: after ?? Number.NEGATIVE_INFINITY, $lte: end },
    },
    // One more tells whether anything follows.
    { hint: SLOT_INDEX, sort: { slot: 1 }, limit: limit + 1 },
  );
  const next = found.length > limit ? found[limit - 1]?.slot : end;
  return {
    keys: found.slice(0, limit).map(toKey),
    next: next === Number.POSITIVE_INFINITY ? undefined : next,
  };
}

/** The slot of the last key of this walk; infinity where the pool ends before. */
async function endOfWalk(
  keys: KeyCommands,
  pool: string,
  state: 'free' | 'leased',
  after = Number.NEGATIVE_INFINITY,
): Promise<number> {
  const last = await keys.findOne(
    { pool, state, slot: { $gt: after } },
    { hint: SLOT_INDEX, sort: { slot: 1 }, skip: WALK - 1, projection: { _id: 0, slot: 1 } },
  );
  return last?.slot ?? Number.POSITIVE_INFINITY;
}

/** Plain text, in upper or lower case. */
function containing(search: string): Filter<KeyDocument> {
  const text = { $regex: search.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'), $options: 'i' };
  return { $or: [{ _id: text }, { 'lease.holder': text }, { labels: text }] };
}

/** Index: `CLIENT_INDEX`, hinted: one range of it, in its order. */
async function listLeased(keys: KeyCommands, { clientId, limit, after }: LeasePage): Promise<Key[]> {
  const acquiredAt = after && new Date(after.acquiredAt);
  const behind: Filter<KeyDocument> | undefined = after && {
    'lease.acquiredAt': { $gte: acquiredAt },
    $nor: [{ 'lease.acquiredAt': acquiredAt, _id: { $lte: after.keyId } }],
  };
  const found = await keys.find(
    { 'lease.clientId': clientId, ...behind },
    { hint: CLIENT_INDEX, sort: { 'lease.acquiredAt': 1, _id: 1 }, limit },
  );
  return found.map(toKey);
}

/**
 * Not `distinct`, nor a `$group`: where the server does not skip from client to client, they read every lease there is.
 * A stride from the last client found to the leases after those of that client costs a command per client at the most,
 * and one for many clients that have few leases each.
 *
 * Index: `CLIENT_INDEX`, hinted; it has all that is asked for, so that no key is fetched.
 */
async function listLeasingClients(
  keys: KeyCommands,
  { after, limit }: { after: string; limit: number },
): Promise<string[]> {
  const clientIds = new Set<string>();
  for (let last = after; clientIds.size < limit; ) {
    const stride = await keys.find(
      { 'lease.clientId': { $gt: last } },
      {
        hint: CLIENT_INDEX,
        sort: { 'lease.clientId': 1 },
        limit: STRIDE,
        projection: { _id: 0, 'lease.clientId': 1 },
      },
    );
    for (const { lease } of stride) clientIds.add((lease as Pick<KeyLease, 'clientId'>).clientId);
    if (stride.length < STRIDE) break;
    last = stride.at(-1)?.lease?.clientId as string;
  }
  return [...clientIds].slice(0, limit);
}
