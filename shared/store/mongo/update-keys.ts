import type { Event } from '../../domain/events.ts';
import { type Key, type KeyLease, type Labels, NEVER_EXPIRES, type Pause } from '../../domain/key.ts';
import type { Extension, Lapse, Release } from '../../domain/store.ts';
import {
  addNote,
  asFound,
  CLIENT_SEAT,
  END_LEASE,
  heldLease,
  IN_SERVICE,
  inState,
  type KeyCommands,
  lapsedAt,
  recordLapseUpdate,
  toKey,
  toLabelTexts,
} from './key-document.ts';
import { ID_INDEX } from './schema.ts';

export const updateKeys = {
  extend,
  release,
  recordLapse,
  unblock,
  delete: deleteKey,
  pause,
  resume,
  refresh,
  setLabels,
};

// Each command is one write on the key's primary key (`ID_INDEX`, hinted).

/** A repeat of the request that acquired the key is a new request. */
const REQUEST = { requestHash: '', requestBody: '' } as const;

/**
 * Race: the lease may have ended, or the key have gone to somebody else, since the holder last heard of it. The proof
 * and the time are conditions of the write itself. `$max`: a keep-alive that arrives late shortens nothing.
 */
async function extend(keys: KeyCommands, extension: Extension): Promise<Key | null> {
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
async function release(keys: KeyCommands, ending: Release): Promise<Pick<KeyLease, 'acquiredAt'> | null> {
  const { discard, forget, note } = ending;
  const freeAt = new Date(ending.freeAt);
  const ended = { endReason: 'released', freeAt } as const;
  const released = await keys.findOneAndUpdate(
    heldLease(ending),
    {
      $rename: END_LEASE,
      $set: discard ? { ...ended, state: 'deleted', expiresAt: freeAt } : { ...ended, state: 'free' },
      $max: discard ? undefined : { expiresAt: freeAt },
      $unset: { ...CLIENT_SEAT, ...((discard || forget) && REQUEST) },
      ...addNote(note),
    },
    { hint: ID_INDEX },
  );
  const { lastLease } = released ?? {};
  return lastLease === undefined ? null : { acquiredAt: lastLease.acquiredAt.getTime() };
}

/**
 * Race: a keep-alive that was sent in time may be carried out after the caller was told that the lease is over; once
 * the lapse is written down, its proof matches nothing.
 */
function recordLapse(
  keys: KeyCommands,
  { keyId, leaseId, now, note }: Lapse & { now: number },
): Promise<boolean> {
  const condition = { ...lapsedAt(now), _id: keyId, 'lease.id': leaseId };
  return keys.updateOne(condition, recordLapseUpdate(note), { hint: ID_INDEX });
}

/** Race: the admin saw one lease; an acquire or a keep-alive since then makes it another, which this write must not end. */
async function unblock(keys: KeyCommands, found: Key, freeAt: number, note?: Event): Promise<Key | null> {
  if (found.state === 'deleted') return null;
  const unblocked = await keys.findOneAndUpdate(
    asFound(found),
    {
      $rename: END_LEASE,
      $set: { state: 'free', freeAt: new Date(freeAt), endReason: found.lease && 'unblocked' },
      $unset: CLIENT_SEAT,
      ...addNote(note),
    },
    { hint: ID_INDEX },
  );
  return unblocked && toKey(unblocked);
}

/**
 * Race: as with `unblock`. The key stays, hidden, until `freeAt`, so that its seat is not given away under a holder
 * who does not know yet.
 */
async function deleteKey(keys: KeyCommands, found: Key, freeAt: number, note?: Event): Promise<boolean> {
  if (found.state === 'deleted') return false;
  const at = new Date(freeAt);
  return keys.updateOne(
    asFound(found),
    {
      $rename: END_LEASE,
      $set: { state: 'deleted', freeAt: at, expiresAt: at, endReason: found.lease && 'deleted' },
      $unset: { ...CLIENT_SEAT, ...REQUEST },
      ...addNote(note),
    },
    { hint: ID_INDEX },
  );
}

/**
 * Race: another admin pauses it at once; the first pause stands. An acquire at once comes before it, and its lease goes
 * on, or after it, and does not get the key.
 */
async function pause(
  keys: KeyCommands,
  { keyId, now, paused, note }: { keyId: string; now: number; paused: Pause; note?: Event },
): Promise<Key | null> {
  const changed = await keys.findOneAndUpdate(
    { ...inState(undefined, now), ...IN_SERVICE, _id: keyId },
    { $set: { paused }, $max: { expiresAt: new Date(NEVER_EXPIRES) }, ...addNote(note) },
    { hint: ID_INDEX },
  );
  return changed && toKey(changed);
}

/**
 * Race: a keep-alive since the look moves `freeAt`, before which the key must not expire; `asFound` compares it. A resume
 * that is carried out late must not end a later pause.
 */
async function resume(
  keys: KeyCommands,
  found: Key,
  keyExpiresAt: number,
  note?: Event,
): Promise<Key | null> {
  if (found.paused === undefined || found.state === 'deleted') return null;
  const changed = await keys.findOneAndUpdate(
    { ...asFound(found), 'paused.at': found.paused.at },
    { $unset: { paused: '' }, $set: { expiresAt: new Date(keyExpiresAt) }, ...addNote(note) },
    { hint: ID_INDEX },
  );
  return changed && toKey(changed);
}

/** Race: an acquire or a keep-alive may have moved the expiration further; `$max` keeps the later one. */
async function refresh(
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
async function setLabels(
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
