import type { Filter } from 'mongodb';
import type { Event } from '../../domain/events.ts';
import type { Key, KeyLease } from '../../domain/key.ts';
import type { Claim, Claimable, ClaimableQuery, ClaimResult, SlotRange } from '../../domain/store.ts';
import { refusedField } from './errors.ts';
import {
  addNote,
  asFound,
  earliest,
  IN_SERVICE,
  type KeyCommands,
  type KeyDocument,
  toKey,
  toLeaseDocument,
} from './key-document.ts';
import { FREE_AT_INDEX, ID_INDEX, type Index, SLOT_INDEX } from './schema.ts';

export const claimKeys = { claim, listClaimable, reclaim, confirmRequest, measureSlots };

/**
 * Race: many callers want a key at once. Whichever write comes first takes the key out of the condition of the
 * others, and each starts at a slot of its own, so that few meet. Unsorted: the index gives slots in order as it is,
 * and a sort would make every caller wait for the first key.
 *
 * Index: `SLOT_INDEX`, hinted. Keys that still cool or have expired are skipped within it, and the end of the range
 * bounds how many of them one claim walks past; what it misses, `listClaimable` finds. A seat is looked up in the key
 * itself, which is fetched anyway: there are few free keys beyond a pool's seats, since the sweep removes them. So is a
 * pause: whichever of a pause and a claim is carried out first is seen by the other.
 */
function claim(keys: KeyCommands, wanted: Claim, { from, to }: SlotRange): Promise<ClaimResult> {
  const free = {
    state: 'free',
    slot: { $gte: from, $lt: to },
    freeAt: { $lte: new Date(wanted.now) },
  } as const;
  return lease(keys, free, wanted, SLOT_INDEX);
}

/**
 * Race: between the read and this write, somebody else may have acquired the key, or its holder may have kept the
 * lease alive; either changes what `asFound` compares. A lapsed lease that stood on it is recorded by the same write.
 *
 * Index: `ID_INDEX`, hinted.
 */
async function reclaim(keys: KeyCommands, found: Key, wanted: Claim, note?: Event): Promise<ClaimResult> {
  if (found.freeAt > wanted.now || found.state === 'deleted') return null;
  return lease(keys, asFound(found), wanted, ID_INDEX, { lapsed: found.lease, note });
}

/**
 * The one update that leases a key, of those that meet the condition.
 *
 * Races: two requests with the same idempotency key at once; two leases of a client on the same of its numbers. A unique
 * index (`requestHash`, `clientSeat`) refuses the second write, and nothing of it stays.
 */
async function lease(
  keys: KeyCommands,
  condition: Filter<KeyDocument>,
  wanted: Claim,
  hint: Index,
  { lapsed, note }: { lapsed?: KeyLease | undefined; note?: Event | undefined } = {},
): Promise<ClaimResult> {
  const { requestHash, requestBody, clientSeat } = wanted;
  try {
    const leased = await keys.findOneAndUpdate(
      { ...condition, ...claimableBy(wanted) },
      {
        $set: {
          state: 'leased',
          lease: toLeaseDocument(wanted.lease),
          freeAt: new Date(wanted.freeAt),
          requestHash,
          requestBody,
          clientSeat,
          lastLease: lapsed && toLeaseDocument(lapsed),
          endReason: lapsed && 'lapsed',
        },
        $unset: {
          ...(requestHash === undefined && { requestHash: '', requestBody: '' }),
          ...(clientSeat === undefined && { clientSeat: '' }),
        },
        $max: { expiresAt: new Date(wanted.keyExpiresAt) },
        $inc: { fencingToken: 1 },
        ...addNote(note),
      },
      { hint },
    );
    return leased && toKey(leased);
  } catch (error) {
    const field = refusedField(error);
    if (field === 'requestHash') return 'repeated';
    if (field === 'clientSeat') return 'client_seat_taken';
    throw error;
  }
}

/** A key that carries the hash already is what the request got before, and is not leased to it again. */
function claimableBy(query: Omit<ClaimableQuery, 'limit'>): Filter<KeyDocument> {
  const { requestHash } = query;
  return { ...inReach(query), ...(requestHash !== undefined && { requestHash: { $ne: requestHash } }) };
}

/** The keys of the pool that anybody may come to hold. */
function inReach({ pool, now, seatsBelow }: Omit<ClaimableQuery, 'limit'>): Filter<KeyDocument> {
  const unexpired = { ...IN_SERVICE, pool, expiresAt: { $gt: new Date(now) } };
  return { ...unexpired, ...(seatsBelow !== undefined && { seat: { $lt: seatsBelow } }) };
}

/**
 * Race: the sweep may record a lapse between two reads, which moves a claimable key from leased to free. So the leased
 * keys are read first, and the free ones after that: such a key is in the first read or in the second. The other way
 * round, or with both at once, it could be in neither, and a caller would be refused although a key was free.
 *
 * Each stored state is a range of its own, merged here. One query for both leaves a merge of two sorted ranges to the
 * server, and an engine that sorts instead reads the whole pool.
 *
 * Index: `FREE_AT_INDEX`, hinted. Each range is sorted by it, and expired keys are skipped within it. Leased keys in
 * ascending order, so that one read has those that are claimable and the next one that will be. Free keys in descending
 * order: the ones used last have not expired, whereas the other end of the range may be full of keys that have.
 */
async function listClaimable(keys: KeyCommands, query: ClaimableQuery): Promise<Claimable> {
  const { requestHash, limit } = query;
  const now = new Date(query.now);
  const hint = FREE_AT_INDEX;

  // One more than asked for: the key that carries the request hash may be among them.
  const leased = await keys.find(
    { ...inReach(query), state: 'leased' },
    { hint, sort: { freeAt: 1 }, limit: limit + 1 },
  );
  const free = await keys.find(
    { ...claimableBy(query), state: 'free', freeAt: { $lte: now } },
    { hint, sort: { freeAt: -1 }, limit },
  );
  const isOther = (key: KeyDocument) => requestHash === undefined || key.requestHash !== requestHash;
  const lapsed = leased.filter((key) => key.freeAt <= now && isOther(key));
  // What is in both was read as free last.
  const claimable = new Map([...lapsed, ...free].map((key) => [key._id, toKey(key)]));
  if (claimable.size > 0) {
    const sorted = [...claimable.values()].sort((one, other) => other.freeAt - one.freeAt);
    return { keys: sorted.slice(0, limit) };
  }
  const cooling = await keys.findOne(
    { ...inReach(query), state: 'free', freeAt: { $gt: now } },
    { hint, sort: { freeAt: 1 }, projection: { _id: 0, freeAt: 1 } },
  );
  const held = leased.find((key) => key.freeAt > now);
  return { keys: [], nextFreeAt: earliest(held, cooling) };
}

/**
 * Race: the first request's write may be on the primary only, and be rolled back in a failover after its repeat got
 * its result. Writing the hash over itself changes nothing, but waits until a majority has all that came before.
 *
 * Index: unique `requestHash`.
 */
async function confirmRequest(keys: KeyCommands, requestHash: string): Promise<Key | null> {
  const carrier = await keys.findOneAndUpdate({ requestHash }, { $set: { requestHash } });
  return carrier && toKey(carrier);
}

/** Index: `SLOT_INDEX`, hinted; it has all that is asked for, so that no key is fetched. */
async function measureSlots(keys: KeyCommands, query: { pool: string; keys: number }): Promise<number> {
  const last = await keys.findOne(
    { pool: query.pool, state: 'free' },
    { hint: SLOT_INDEX, sort: { slot: 1 }, skip: query.keys - 1, projection: { _id: 0, slot: 1 } },
  );
  return last?.slot ?? 1;
}
