import type { Key } from '../../../domain/key.ts';
import type { KeyCollection } from '../collections.ts';
import { toKey } from './key-document.ts';

/**
 * Race: the first request's write may be on the primary only, and be rolled back in a failover after its repeat was
 * answered. Writing the hash over itself changes nothing, but waits until a majority has all that came before.
 * Index: unique `requestHash`.
 */
export async function confirmRequest(keys: KeyCollection, requestHash: string): Promise<Key | null> {
  const carrier = await keys.findOneAndUpdate(
    { requestHash },
    { $set: { requestHash } },
    { returnDocument: 'after' },
  );
  return carrier === null ? null : toKey(carrier);
}
