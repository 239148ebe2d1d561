import type { Claim, ClaimResult } from '../../../domain/store.ts';
import type { KeyCollection } from '../collections.ts';
import { SLOT_INDEX } from '../indexes.ts';
import { writeClaim } from './write-claim.ts';

/**
 * Race: many callers want a key at once. Whichever write comes first takes the key out of the condition of the
 * others, and each starts at a slot of its own, so that few meet. Unsorted: the index gives slots in order as it is,
 * and a sort would make every caller wait for the first key.
 * Index: `SLOT_INDEX`, hinted.
 */
export async function claimKey(keys: KeyCollection, claim: Claim, slot: number): Promise<ClaimResult> {
  const condition = {
    state: 'free' as const,
    slot: { $gte: slot },
    freeAt: { $lte: new Date(claim.now) },
  };
  return writeClaim(keys, condition, claim, { hint: SLOT_INDEX });
}
