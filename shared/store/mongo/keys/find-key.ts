import type { Key } from '../../../domain/key.ts';
import type { KeyCollection } from '../collections.ts';
import { ID_INDEX } from '../indexes.ts';
import { inState } from './key-conditions.ts';
import { toKey } from './key-document.ts';

/** Index: `ID_INDEX`, hinted. */
export async function findKey(keys: KeyCollection, keyId: string, now: number): Promise<Key | null> {
  const found = await keys.findOne({ ...inState(undefined, now), _id: keyId }, { hint: ID_INDEX });
  return found === null ? null : toKey(found);
}

/** Index: `ID_INDEX`, hinted. */
export async function recallKey(keys: KeyCollection, keyId: string): Promise<Key | null> {
  const found = await keys.findOne(
    { _id: keyId, state: { $in: ['free', 'leased', 'deleted'] } },
    { hint: ID_INDEX },
  );
  return found === null ? null : toKey(found);
}
