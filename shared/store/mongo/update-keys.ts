import type { Key, Labels } from '../../domain/key.ts';
import type { Extension, Release } from '../../domain/store.ts';
import {
  asFound,
  heldLease,
  inState,
  type KeyCommands,
  lapsedAt,
  toKey,
  toLabelTexts,
} from './key-document.ts';
import { ID_INDEX } from './schema.ts';

// Each command is one write on the key's primary key (`ID_INDEX`, hinted).

/** The lease moves whole: MongoDB refuses an update that sets a field below the target of a `$rename`. */
const END_LEASE = { lease: 'lastLease' } as const;

/** The client has its number back. */
const CLIENT_SEAT = { clientSeat: '' } as const;

/** A repeat of the request that acquired the key is a new request. */
const REQUEST = { requestHash: '', requestBody: '' } as const;

/** The key goes on cooling: its `freeAt` stays. */
export const RECORD_LAPSE = {
  $rename: END_LEASE,
  $set: { state: 'free', endReason: 'lapsed' },
  $unset: CLIENT_SEAT,
} as const;

/**
 * Race: the lease may have ended, or the key have gone to somebody else, since the holder last heard of it. The proof
 * and the time are conditions of the write itself. `$max`: a keep-alive that arrives late shortens nothing.
 */
export async function extendLease(keys: KeyCommands, extension: Extension): Promise<Key | null> {
  const extended = await keys.findOneAndUpdate(
    heldLease(extension),
    {
      $max: {
        'lease.expiresAt': new Date(extension.leaseExpiresAt),
        freeAt: new Date(extension.freeAt),
        expiresAt: new Date(extension.keyExpiresAt),
      },
    },
    { hint: ID_INDEX },
  );
  return extended && toKey(extended);
}

/**
 * Race: an old holder must never end a new holder's lease; the proof is a condition of the write. A key that rests lives
 * as long as it rests (`$max`), and one that is discarded no longer.
 */
export function releaseLease(keys: KeyCommands, release: Release): Promise<boolean> {
  const { discard, forget } = release;
  const freeAt = new Date(release.freeAt);
  const ended = { endReason: 'released', freeAt } as const;
  return keys.updateOne(
    heldLease(release),
    {
      $rename: END_LEASE,
      $set: discard ? { ...ended, state: 'deleted', expiresAt: freeAt } : { ...ended, state: 'free' },
      $max: discard ? undefined : { expiresAt: freeAt },
      $unset: { ...CLIENT_SEAT, ...((discard || forget) && REQUEST) },
    },
    { hint: ID_INDEX },
  );
}

/**
 * Race: a keep-alive that was sent in time may be carried out after the caller was told that the lease is over; once
 * the lapse is written down, its proof matches nothing.
 */
export function recordLapse(
  keys: KeyCommands,
  query: { keyId: string; leaseId: string; now: number },
): Promise<boolean> {
  const { keyId, leaseId, now } = query;
  return keys.updateOne({ ...lapsedAt(now), _id: keyId, 'lease.id': leaseId }, RECORD_LAPSE, {
    hint: ID_INDEX,
  });
}

/** Race: the admin saw one lease; an acquire or a keep-alive since then makes it another, which this write must not end. */
export async function unblockKey(keys: KeyCommands, found: Key, freeAt: number): Promise<Key | null> {
  if (found.state === 'deleted') return null;
  const unblocked = await keys.findOneAndUpdate(
    asFound(found),
    {
      $rename: found.lease && END_LEASE,
      $set: { state: 'free', freeAt: new Date(freeAt), endReason: found.lease && 'unblocked' },
      $unset: CLIENT_SEAT,
    },
    { hint: ID_INDEX },
  );
  return unblocked && toKey(unblocked);
}

/**
 * Race: as with `unblockKey`. The key stays, hidden, until `freeAt`, so that its seat is not given away under a holder
 * who does not know yet.
 */
export async function deleteKey(keys: KeyCommands, found: Key, freeAt: number): Promise<boolean> {
  if (found.state === 'deleted') return false;
  const at = new Date(freeAt);
  return keys.updateOne(
    asFound(found),
    {
      $rename: found.lease && END_LEASE,
      $set: { state: 'deleted', freeAt: at, expiresAt: at, endReason: found.lease && 'deleted' },
      $unset: { ...CLIENT_SEAT, ...REQUEST },
    },
    { hint: ID_INDEX },
  );
}

/** Race: an acquire or a keep-alive may have moved the expiration further; `$max` keeps the later one. */
export async function refreshKey(
  keys: KeyCommands,
  query: { keyId: string; now: number; keyExpiresAt: number },
): Promise<Key | null> {
  const refreshed = await keys.findOneAndUpdate(
    { ...inState(undefined, query.now), _id: query.keyId },
    { $max: { expiresAt: new Date(query.keyExpiresAt) } },
    { hint: ID_INDEX },
  );
  return refreshed && toKey(refreshed);
}

/** Race: two changes at once; the later one stands, whole. */
export async function setLabels(
  keys: KeyCommands,
  query: { keyId: string; now: number; labels: Labels },
): Promise<Key | null> {
  const labelled = await keys.findOneAndUpdate(
    { ...inState(undefined, query.now), _id: query.keyId },
    { $set: { labels: toLabelTexts(query.labels) } },
    { hint: ID_INDEX },
  );
  return labelled && toKey(labelled);
}
