import type { Filter } from 'mongodb';
import type { Key } from '../../domain/key.ts';
import type { KeyPage, LeasePage } from '../../domain/store.ts';
import { inState, type KeyCommands, type KeyDocument, toKey } from './key-document.ts';
import { CLIENT_INDEX, ID_INDEX, SLOT_INDEX } from './schema.ts';

export const readKeys = { get, getStored, list, listLeased };

/** How many keys of each stored state one page walks past, whatever it looks for among them. */
const WALK = 2000;

/** Index: `ID_INDEX`, hinted. */
async function get(keys: KeyCommands, keyId: string, now: number): Promise<Key | null> {
  const found = await keys.findOne({ ...inState(undefined, now), _id: keyId }, { hint: ID_INDEX });
  return found && toKey(found);
}

/** Index: `ID_INDEX`, hinted. */
async function getStored(keys: KeyCommands, keyId: string): Promise<Key | null> {
  const stored: Filter<KeyDocument> = { _id: keyId, state: { $in: ['free', 'leased', 'deleted'] } };
  const found = await keys.findOne(stored, { hint: ID_INDEX });
  return found && toKey(found);
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
      ...(search !== undefined && startingWith(search)),
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

function startingWith(search: string): Filter<KeyDocument> {
  const prefix = { $regex: `^${search.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')}` };
  return { $or: [{ _id: prefix }, { 'lease.holder': prefix }] };
}

/** Index: `CLIENT_INDEX`, hinted. */
async function listLeased(keys: KeyCommands, page: LeasePage): Promise<Key[]> {
  const { clientId, now, limit, after } = page;
  const found = await keys.find(
    {
      ...inState('leased', now),
      'lease.clientId': clientId,
      ...(after !== undefined && { _id: { $gt: after } }),
    },
    { hint: CLIENT_INDEX, sort: { _id: 1 }, limit },
  );
  return found.map(toKey);
}
