import type { Filter } from 'mongodb';
import { poolReference } from '../../domain/pool.ts';
import type { Lapse, LapsedKey, Lifetime, NotedKey } from '../../domain/store.ts';
import {
  IN_SERVICE,
  type KeyCommands,
  type KeyDocument,
  lapsedAt,
  recordLapseUpdate,
  toKey,
  VISIBLE,
  WITHOUT_NOTES,
} from './key-document.ts';
import { EXPIRY_INDEX, FREE_AT_INDEX, ID_INDEX, type Index, NOTES_INDEX } from './schema.ts';

export const sweepKeys = {
  listLapsed,
  recordLapses,
  listNoted,
  clearNotes,
  applyLifetime,
  removeExpired,
  removeGenerations,
};

// A write of many has no limit of its own. So each of these reads which keys it is about, and then writes on condition
// that they are still as they were read: somebody may have acquired, kept alive or refreshed them meanwhile.

/** Index: `FREE_AT_INDEX`, hinted. */
async function listLapsed(
  keys: KeyCommands,
  query: { pools: readonly string[]; now: number; limit: number },
): Promise<LapsedKey[]> {
  const { pools, now, limit } = query;
  const found = await keys.find(
    { ...lapsedAt(now), pool: { $in: [...pools] }, freeAt: { $lte: new Date(now) } },
    { hint: FREE_AT_INDEX, limit },
  );
  return found.map(toKey) as LapsedKey[];
}

/**
 * Race: since it was listed, a key may have been acquired anew; its lease has not lapsed then, so it is left alone.
 *
 * Index: `ID_INDEX`, hinted.
 */
function recordLapses(
  keys: KeyCommands,
  { lapses, now }: { lapses: readonly Lapse[]; now: number },
): Promise<number> {
  const updates = lapses.map(({ keyId, leaseId, note }) => {
    const filter = { ...lapsedAt(now), _id: keyId, 'lease.id': leaseId };
    return { filter, update: recordLapseUpdate(note) };
  });
  return keys.updateEach(updates, { hint: ID_INDEX });
}

/** Index: `NOTES_INDEX`, hinted, or `ID_INDEX`, hinted. */
async function listNoted(
  keys: KeyCommands,
  { limit, keyIds }: { limit: number; keyIds?: readonly string[] | undefined },
): Promise<NotedKey[]> {
  const filter = { 'notes.at': { $exists: true }, ...(keyIds && { _id: { $in: [...keyIds] } }) };
  const hint = keyIds === undefined ? NOTES_INDEX : ID_INDEX;
  const found = await keys.find(filter, { hint, limit, projection: { notes: 1 } });
  return found.map(({ _id, notes = [] }) => ({ keyId: _id, notes }));
}

/**
 * Race: another note was put on the key since they were read, or all were taken off and others put there. Notes are only
 * put behind the last one and only taken off together, so that the first one and their number tell.
 *
 * Index: `ID_INDEX`, hinted.
 */
async function clearNotes(keys: KeyCommands, noted: readonly NotedKey[]): Promise<void> {
  const updates = noted.map(({ keyId, notes }) => ({
    filter: { _id: keyId, notes: { $size: notes.length }, 'notes.0.eventId': notes[0]?.eventId ?? '' },
    update: { $unset: { notes: '' } } as const,
  }));
  await keys.updateEach(updates, { hint: ID_INDEX });
}

/** Decided by the key itself; the hash keeps those with a value out of the range of the index. */
const WITHOUT_VALUE: Filter<KeyDocument> = { valueHash: { $exists: false }, value: { $exists: false } };

/**
 * Race: since the read a key may have been acquired, kept alive or refreshed, or the policy have changed once more. The
 * writes repeat the conditions; that a key is paused meanwhile is one of them. And a key that expires too late is moved back only if its expiration is one of those
 * that were read, so that a write that is carried out late undoes nothing newer.
 *
 * `moved` counts the keys that were read: one that changed meanwhile is in order all the same, and a full batch means
 * that more may follow.
 *
 * Index: `EXPIRY_INDEX`, hinted; a key that is moved leaves the range. Then `ID_INDEX`, hinted.
 */
async function applyLifetime(
  keys: KeyCommands,
  lifetime: Lifetime,
): Promise<{ moved: number; complete: boolean }> {
  const { pool, limit } = lifetime;
  const expiresAt = new Date(lifetime.expiresAt);
  const mortal = { ...VISIBLE, ...WITHOUT_VALUE, ...IN_SERVICE, pool };
  const tooLate = { ...mortal, expiresAt: { $gt: new Date(lifetime.latest) } };

  const early = { ...mortal, expiresAt: { $gt: new Date(lifetime.now), $lt: expiresAt } };
  const raised = await read(keys, early, limit, EXPIRY_INDEX);
  if (raised.length > 0) {
    await keys.updateMany({ ...early, _id: idsOf(raised) }, { $set: { expiresAt } }, { hint: ID_INDEX });
  }

  const late = { ...tooLate, freeAt: { $lte: expiresAt } };
  const lowered = raised.length < limit ? await read(keys, late, limit - raised.length, EXPIRY_INDEX) : [];
  if (lowered.length > 0) {
    const asRead = { _id: idsOf(lowered), expiresAt: { $in: lowered.map((key) => key.expiresAt) } };
    await keys.updateMany({ ...late, ...asRead }, { $set: { expiresAt } }, { hint: ID_INDEX });
  }

  const left = await keys.findOne(tooLate, { hint: EXPIRY_INDEX, projection: { _id: 0, expiresAt: 1 } });
  return { moved: raised.length + lowered.length, complete: left === null };
}

/**
 * Race: a refresh between the read and the removal; the removal repeats the condition.
 *
 * Index: `expiresAt` (the one that MongoDB's own removal goes by), then `ID_INDEX`.
 */
function removeExpired(keys: KeyCommands, query: { now: number; limit: number }): Promise<number> {
  return remove(keys, { expiresAt: { $lte: new Date(query.now) }, ...WITHOUT_NOTES }, query.limit);
}

/**
 * Race: a process that does not know yet that the pool was cleared may acquire a key or keep it alive between the read
 * and the removal; the removal repeats the condition.
 *
 * Index: `FREE_AT_INDEX`, hinted, then `ID_INDEX`.
 */
async function removeGenerations(
  keys: KeyCommands,
  query: { name: string; before: number; now: number; limit: number },
): Promise<{ removed: number; complete: boolean }> {
  const { name, before, now, limit } = query;
  const pool = { $gt: `${name}/`, $lt: poolReference({ name, generation: before }) };
  const over = { ...WITHOUT_NOTES, pool, freeAt: { $lte: new Date(now) } };
  const removed = await remove(keys, over, limit, FREE_AT_INDEX);
  const left = await keys.findOne({ pool }, { hint: FREE_AT_INDEX, projection: { _id: 0, pool: 1 } });
  return { removed, complete: left === null };
}

async function remove(
  keys: KeyCommands,
  condition: Filter<KeyDocument>,
  limit: number,
  hint?: Index,
): Promise<number> {
  const found = await read(keys, condition, limit, hint);
  if (found.length === 0) return 0;
  return keys.deleteMany({ ...condition, _id: idsOf(found) }, { hint: ID_INDEX });
}

function read(
  keys: KeyCommands,
  condition: Filter<KeyDocument>,
  limit: number,
  hint?: Index,
): Promise<KeyDocument[]> {
  return keys.find(condition, { ...(hint && { hint }), limit, projection: { expiresAt: 1 } });
}

function idsOf(keys: readonly KeyDocument[]): { $in: string[] } {
  return { $in: keys.map(({ _id }) => _id) };
}
