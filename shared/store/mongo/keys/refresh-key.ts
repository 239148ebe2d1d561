import type { Key } from '../../../domain/key.ts';
import type { KeyCollection } from '../collections.ts';
import { ID_INDEX } from '../indexes.ts';
import { inState } from './key-conditions.ts';
import { toKey } from './key-document.ts';

/**
 * Race: an acquire or a keep-alive may have moved the expiration further; `$max` keeps the later one.
 * Index: `ID_INDEX`, hinted.
 */
export async function refreshKey(
  keys: KeyCollection,
  query: { keyId: string; now: number; keyExpiresAt: number },
): Promise<Key | null> {
  const refreshed = await keys.findOneAndUpdate(
    { ...inState(undefined, query.now), _id: query.keyId },
    { $max: { expiresAt: new Date(query.keyExpiresAt) } },
    { hint: ID_INDEX, returnDocument: 'after' },
  );
  return refreshed === null ? null : toKey(refreshed);
}
