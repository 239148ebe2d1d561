import type { Key } from '../../../domain/key.ts';
import type { KeyCollection } from '../collections.ts';
import { inState } from './key-conditions.ts';
import { toKey } from './key-document.ts';

/** Index: the primary key. */
export async function findKey(keys: KeyCollection, keyId: string, now: number): Promise<Key | null> {
  const found = await keys.findOne({ ...inState(undefined, now), _id: keyId });
  return found === null ? null : toKey(found);
}

/** Index: the primary key. */
export async function recallKey(keys: KeyCollection, keyId: string): Promise<Key | null> {
  const found = await keys.findOne({ _id: keyId, state: { $in: ['free', 'leased', 'deleted'] } });
  return found === null ? null : toKey(found);
}
