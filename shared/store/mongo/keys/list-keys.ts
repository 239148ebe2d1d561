import type { Filter } from 'mongodb';
import type { Key } from '../../../domain/key.ts';
import type { KeyPage, LeasePage } from '../../../domain/store.ts';
import type { KeyCollection } from '../collections.ts';
import { CLIENT_INDEX, SLOT_INDEX } from '../indexes.ts';
import { inState } from './key-conditions.ts';
import { type KeyDocument, toKey } from './key-document.ts';

/** Index: `SLOT_INDEX`, hinted; one scan per stored state, sorted by slot already, merged. */
export async function listKeys(keys: KeyCollection, page: KeyPage): Promise<Key[]> {
  const { pool, now, limit, after, state, search } = page;
  const found = await keys
    .find(
      {
        ...inState(state, now),
        ...(search !== undefined && startingWith(search)),
        pool,
        ...(after !== undefined && { slot: { $gt: after } }),
      },
      { hint: SLOT_INDEX, sort: { slot: 1 }, limit, batchSize: limit },
    )
    .toArray();
  return found.map(toKey);
}

/** Index: `CLIENT_INDEX`, hinted. */
export async function listLeased(keys: KeyCollection, page: LeasePage): Promise<Key[]> {
  const { clientId, now, limit, after } = page;
  const found = await keys
    .find(
      {
        ...inState('leased', now),
        'lease.clientId': clientId,
        ...(after !== undefined && { _id: { $gt: after } }),
      },
      { hint: CLIENT_INDEX, sort: { _id: 1 }, limit, batchSize: limit },
    )
    .toArray();
  return found.map(toKey);
}

function startingWith(search: string): Filter<KeyDocument> {
  const prefix = { $regex: `^${search.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')}` };
  return { $or: [{ _id: prefix }, { 'lease.holder': prefix }] };
}
