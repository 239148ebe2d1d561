import type { Key } from '../../../domain/key.ts';
import type { KeyCollection } from '../collections.ts';
import { ID_INDEX } from '../indexes.ts';
import { asFound } from './key-conditions.ts';
import { toKey } from './key-document.ts';

/**
 * Race: the admin saw one lease; a keep-alive or an acquire since then makes it another, which this write must not end.
 * Index: `ID_INDEX`, hinted.
 */
export async function unblockKey(keys: KeyCollection, found: Key, freeAt: number): Promise<Key | null> {
  if (found.state === 'deleted') return null;
  const leased = found.lease !== undefined;
  const unblocked = await keys.findOneAndUpdate(
    asFound(found),
    {
      ...(leased && { $rename: { lease: 'lastLease' } }),
      $set: { state: 'free', freeAt: new Date(freeAt), ...(leased && { endReason: 'unblocked' }) },
    },
    { hint: ID_INDEX, returnDocument: 'after' },
  );
  return unblocked === null ? null : toKey(unblocked);
}
