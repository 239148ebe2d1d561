import type { Key } from '../../../domain/key.ts';
import type { Extension } from '../../../domain/store.ts';
import type { KeyCollection } from '../collections.ts';
import { ID_INDEX } from '../indexes.ts';
import { heldLease } from './key-conditions.ts';
import { toKey } from './key-document.ts';

/**
 * Race: the lease may have ended, or the key have gone to somebody else, since the holder last heard of it. The proof
 * and the time are conditions of the write itself. `$max`: a keep-alive that arrives late shortens nothing.
 * Index: `ID_INDEX`, hinted.
 */
export async function extendLease(keys: KeyCollection, extension: Extension): Promise<Key | null> {
  const extended = await keys.findOneAndUpdate(
    heldLease(extension),
    {
      $max: {
        'lease.expiresAt': new Date(extension.leaseExpiresAt),
        freeAt: new Date(extension.freeAt),
        expiresAt: new Date(extension.keyExpiresAt),
      },
    },
    { hint: ID_INDEX, returnDocument: 'after' },
  );
  return extended === null ? null : toKey(extended);
}
