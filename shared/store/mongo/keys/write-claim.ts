import type { Filter } from 'mongodb';
import type { KeyLease } from '../../../domain/key.ts';
import type { Claim, ClaimResult } from '../../../domain/store.ts';
import type { KeyCollection } from '../collections.ts';
import { isDuplicateKeyError } from '../driver-errors.ts';
import type { ID_INDEX, SLOT_INDEX } from '../indexes.ts';
import { type KeyDocument, toKey, toLeaseDocument } from './key-document.ts';

/**
 * Leases a key that meets the condition, in one command. The unique index on `requestHash` closes the race of two
 * requests that carry the same idempotency key: the second write is refused, and nothing of it stays.
 */
export async function writeClaim(
  keys: KeyCollection,
  condition: Filter<KeyDocument>,
  claim: Claim,
  options: { lapsed?: KeyLease | undefined; hint: typeof SLOT_INDEX | typeof ID_INDEX },
): Promise<ClaimResult> {
  const { requestHash } = claim;
  const { lapsed, hint } = options;
  try {
    const claimed = await keys.findOneAndUpdate(
      {
        ...condition,
        pool: claim.pool,
        expiresAt: { $gt: new Date(claim.now) },
        // A key that carries the hash already is the answer to the request, and not to be leased by it again.
        ...(requestHash !== undefined && { requestHash: { $ne: requestHash } }),
      },
      {
        $set: {
          state: 'leased',
          lease: toLeaseDocument(claim.lease),
          freeAt: new Date(claim.freeAt),
          ...(requestHash !== undefined && { requestHash }),
          ...(lapsed !== undefined && { lastLease: toLeaseDocument(lapsed), endReason: 'lapsed' }),
        },
        ...(requestHash === undefined && { $unset: { requestHash: '' } }),
        $max: { expiresAt: new Date(claim.keyExpiresAt) },
        $inc: { fencingToken: 1 },
      },
      { hint, returnDocument: 'after' },
    );
    return claimed === null ? null : toKey(claimed);
  } catch (error) {
    if (isDuplicateKeyError(error)) return 'repeated';
    throw error;
  }
}
