import { DatabaseUnavailableError } from '../../../domain/errors.ts';
import type { KeyCollection } from '../collections.ts';
import { FREE_AT_INDEX } from '../indexes.ts';
import type { KeyDocument } from './key-document.ts';
import type { Batch } from './pending-keys.ts';

/**
 * Whether the pool holds the batch with all that is in it; `later`: but for others that are pending too. Counts the
 * keys that are not past their hard expiration, deleted ones that still cool among them.
 * Index: `FREE_AT_INDEX`, hinted; it has both fields, so that no key is fetched.
 */
export async function findRoom(
  keys: KeyCollection,
  batch: Batch,
  size: number,
  { maxKeys, now }: { maxKeys: number | null; now: number },
): Promise<'enough' | 'later' | 'none'> {
  if (maxKeys === null) return 'enough';
  const unexpired = { $cond: [{ $gt: ['$expiresAt', new Date(now)] }, 1, 0] };
  const groups = await keys
    .aggregate<{ _id: KeyDocument['state']; stored: number; unexpired: number }>(
      [
        { $match: { pool: batch.pool } },
        { $group: { _id: '$state', stored: { $sum: 1 }, unexpired: { $sum: unexpired } } },
      ],
      { hint: FREE_AT_INDEX, readConcern: { level: 'snapshot' } },
    )
    .toArray();

  let own = 0;
  let others = 0;
  let standing = 0;
  for (const group of groups) {
    if (group._id === batch.state) own += group.stored;
    else if (group._id.startsWith('pending:')) others += group.stored;
    else standing += group.unexpired;
  }
  if (own < size) {
    throw new DatabaseUnavailableError({ cause: new Error('The count is older than the keys') });
  }
  if (standing + others + size <= maxKeys) return 'enough';
  return standing + size <= maxKeys ? 'later' : 'none';
}
