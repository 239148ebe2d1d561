import type { Key } from '../../../domain/key.ts';
import type { Claim, ClaimResult } from '../../../domain/store.ts';
import type { KeyCollection } from '../collections.ts';
import { ID_INDEX } from '../indexes.ts';
import { asFound } from './key-conditions.ts';
import { writeClaim } from './write-claim.ts';

/**
 * Race: between the look and this write, somebody else may have acquired the key, or its holder may have kept the
 * lease alive; either changes what `asFound` compares. A lapsed lease that stood on it is recorded by the same write.
 * Index: `ID_INDEX`, hinted.
 */
export async function reclaimKey(keys: KeyCollection, found: Key, claim: Claim): Promise<ClaimResult> {
  if (found.freeAt > claim.now || found.state === 'deleted') return null;
  return writeClaim(keys, asFound(found), claim, { lapsed: found.lease, hint: ID_INDEX });
}
