import type { Release } from '../../../domain/store.ts';
import type { KeyCollection } from '../collections.ts';
import { ID_INDEX } from '../indexes.ts';
import { heldLease } from './key-conditions.ts';

/**
 * Race: an old holder must never end a new holder's lease; the proof is a condition of the write. The lease moves to
 * `lastLease` whole: MongoDB refuses an update that sets a field below the target of a `$rename`.
 * Index: `ID_INDEX`, hinted.
 */
export async function releaseLease(keys: KeyCollection, release: Release): Promise<boolean> {
  const { matchedCount } = await keys.updateOne(
    heldLease(release),
    {
      $rename: { lease: 'lastLease' },
      $set: { state: 'free', endReason: 'released', freeAt: new Date(release.now) },
    },
    { hint: ID_INDEX },
  );
  return matchedCount === 1;
}
