import type { Key } from '../../../domain/key.ts';
import type { KeyCollection } from '../collections.ts';
import { ID_INDEX } from '../indexes.ts';
import { asFound } from './key-conditions.ts';

/**
 * Race: a keep-alive or an acquire since the key was read; see `unblock-key.ts`. The key stays, hidden, until
 * `freeAt`, so that its seat is not given away under a holder who does not know yet. Without `requestHash` a repeat of
 * the request that acquired it is a new request.
 * Index: `ID_INDEX`, hinted.
 */
export async function deleteKey(keys: KeyCollection, found: Key, freeAt: number): Promise<boolean> {
  if (found.state === 'deleted') return false;
  const leased = found.lease !== undefined;
  const { matchedCount } = await keys.updateOne(
    asFound(found),
    {
      ...(leased && { $rename: { lease: 'lastLease' } }),
      $set: {
        state: 'deleted',
        freeAt: new Date(freeAt),
        expiresAt: new Date(freeAt),
        ...(leased && { endReason: 'deleted' }),
      },
      $unset: { requestHash: '' },
    },
    { hint: ID_INDEX },
  );
  return matchedCount === 1;
}
