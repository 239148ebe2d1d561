import type { Filter } from 'mongodb';
import type { LeaseEndReason } from '../../domain/errors.ts';
import type { Event } from '../../domain/events.ts';
import type { Key, KeyLease, KeyState, Labels, Pause, StoredState } from '../../domain/key.ts';
import { poolName } from '../../domain/pool.ts';
import type { HeldLease } from '../../domain/store.ts';
import type { Commands } from './commands.ts';

interface LeaseDocument extends Omit<KeyLease, 'acquiredAt' | 'expiresAt' | 'maxExpiresAt'> {
  readonly acquiredAt: Date;
  readonly expiresAt: Date;
  readonly maxExpiresAt?: Date | undefined;
}

/** The state of keys that one creation has inserted and not yet published; no read but the creation's own looks there. */
export type PendingState = `pending:${string}`;

export interface KeyDocument {
  readonly _id: string;
  readonly pool: string;
  readonly state: StoredState | PendingState;
  readonly slot: number;
  readonly fencingToken: number;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly freeAt: Date;
  readonly lease?: LeaseDocument | undefined;
  /** The whole lease before: ending a lease renames `lease`, which no other operator can reach into. */
  readonly lastLease?: LeaseDocument | undefined;
  /** Why `lastLease` ended. */
  readonly endReason?: Exclude<LeaseEndReason, 'unknown'> | undefined;
  /** Oldest first; absent where there are none. */
  readonly notes?: readonly Event[] | undefined;
  readonly requestHash?: string | undefined;
  readonly requestBody?: string | undefined;
  readonly seat?: number | undefined;
  /** Pool and seat as one text, see {@link seatId}. */
  readonly seatId?: string | undefined;
  readonly clientSeat?: string | undefined;
  readonly paused?: Pause | undefined;
  /** Each as `name=value`, so that a search looks into one field. */
  readonly labels?: readonly string[] | undefined;
  readonly value?: string | undefined;
  readonly valueHash?: string | undefined;
  /** While pending: what `expiresAt` will be. */
  readonly expiresAtOnceFree?: Date;
}

export type KeyCommands = Commands<KeyDocument>;

export function toLeaseDocument({ maxExpiresAt, ...lease }: KeyLease): LeaseDocument {
  return {
    ...lease,
    acquiredAt: new Date(lease.acquiredAt),
    expiresAt: new Date(lease.expiresAt),
    maxExpiresAt: maxExpiresAt === undefined ? undefined : new Date(maxExpiresAt),
  };
}

function toLease(lease: LeaseDocument): KeyLease {
  return {
    ...lease,
    acquiredAt: lease.acquiredAt.getTime(),
    expiresAt: lease.expiresAt.getTime(),
    maxExpiresAt: lease.maxExpiresAt?.getTime(),
  };
}

/** A new key. */
export function toDocument(key: Key): KeyDocument {
  const { keyId, lease, lastLease: _none, seat, labels, ...fields } = key;
  return {
    ...fields,
    _id: keyId,
    createdAt: new Date(key.createdAt),
    expiresAt: new Date(key.expiresAt),
    freeAt: new Date(key.freeAt),
    lease: lease && toLeaseDocument(lease),
    seat,
    seatId: seat === undefined ? undefined : seatId(poolName(key.pool), seat),
    labels: labels && toLabelTexts(labels),
  };
}

/**
 * By the pool's name: a key of a former generation keeps its seat until it is removed. "#" is in no name, and the fixed
 * width makes the seats of a pool a range in their order.
 */
export function seatId(pool: string, seat: number): string {
  return `${pool}#${String(seat).padStart(6, '0')}`;
}

export function toLabelTexts(labels: Labels): string[] {
  return Object.entries(labels).map(([name, value]) => `${name}=${value}`);
}

/** A label's name has no "=". */
function toLabels(texts: readonly string[]): Labels {
  return Object.fromEntries(
    texts.map((text) => {
      const end = text.indexOf('=');
      return [text.slice(0, end), text.slice(end + 1)];
    }),
  );
}

export function toKey(document: KeyDocument): Key {
  const { _id, lease, lastLease, endReason } = document;
  return {
    keyId: _id,
    pool: document.pool,
    state: document.state as StoredState,
    slot: document.slot,
    fencingToken: document.fencingToken,
    createdAt: document.createdAt.getTime(),
    expiresAt: document.expiresAt.getTime(),
    freeAt: document.freeAt.getTime(),
    lease: lease && toLease(lease),
    lastLease: lastLease &&
      endReason && { id: lastLease.id, clientId: lastLease.clientId, reason: endReason },
    requestHash: document.requestHash,
    requestBody: document.requestBody,
    seat: document.seat,
    clientSeat: document.clientSeat,
    paused: document.paused,
    labels: document.labels && toLabels(document.labels),
    value: document.value,
    valueHash: document.valueHash,
  };
}

/** Whatever a creation has published, deleted keys too. */
export const STORED: Filter<KeyDocument> = { state: { $in: ['free', 'leased', 'deleted'] } };

/** The earliest `freeAt` of these keys, if there are any. */
export function earliest(...keys: (Pick<KeyDocument, 'freeAt'> | null | undefined)[]): number | undefined {
  const times = keys.flatMap((key) => (key ? [key.freeAt.getTime()] : []));
  return times.length === 0 ? undefined : Math.min(...times);
}

/** Keys that are there for callers: neither deleted nor still being created. */
export const VISIBLE: Filter<KeyDocument> = { state: { $in: ['free', 'leased'] } };

/** The holder's own lease, live at `now`, on a key that has not expired. The proof is compared in the write itself. */
export function heldLease(lease: HeldLease): Filter<KeyDocument> {
  const now = new Date(lease.now);
  return {
    _id: lease.keyId,
    pool: lease.pool,
    state: 'leased',
    'lease.id': lease.leaseId,
    'lease.clientId': lease.clientId,
    'lease.expiresAt': { $gt: now },
    expiresAt: { $gt: now },
  };
}

/** A lease stands on the key, and its end has passed. */
export function lapsedAt(now: number): Filter<KeyDocument> {
  return { state: 'leased', 'lease.expiresAt': { $lte: new Date(now) } };
}

/**
 * The lease moves whole: MongoDB refuses an update that sets a field below the target of a `$rename`. Where no lease
 * stands, it does nothing.
 */
export const END_LEASE = { lease: 'lastLease' } as const;

/** Whoever held the lease has its number back. */
export const CLIENT_SEAT = { clientSeat: '' } as const;

/** The key goes on cooling: its `freeAt` stays. */
export function recordLapseUpdate(note: Event | undefined) {
  return {
    $rename: END_LEASE,
    $set: { state: 'free', endReason: 'lapsed' },
    $unset: CLIENT_SEAT,
    ...addNote(note),
  } as const;
}

/** Puts a note on the key, if there is one. It keeps the latest 100, so that no document outgrows what a server takes. */
export function addNote(note: Event | undefined) {
  return note && { $push: { notes: { $each: [note], $slice: -100 } } };
}

/** What carries notes is not removed. */
export const WITHOUT_NOTES: Filter<KeyDocument> = { notes: { $exists: false } };

/**
 * The key as it was read: an acquire changes the fencing token, the end of a lease takes the lease away, a keep-alive
 * moves `freeAt`.
 */
export function asFound(found: Key): Filter<KeyDocument> {
  return {
    _id: found.keyId,
    state: found.state,
    fencingToken: found.fencingToken,
    freeAt: new Date(found.freeAt),
    'lease.id': found.lease === undefined ? { $exists: false } : found.lease.id,
  };
}

const PAUSED: Filter<KeyDocument> = { 'paused.at': { $exists: true } };

/** Decided by the key itself: in no index, since few keys are paused. */
export const IN_SERVICE: Filter<KeyDocument> = { 'paused.at': { $exists: false } };

/** What `keyStateAt` says of a key, as a condition; without a state, every key that callers may see. */
export function inState(state: KeyState | undefined, now: number): Filter<KeyDocument> {
  const at = new Date(now);
  const noLiveLease = { 'lease.expiresAt': { $not: { $gt: at } } };
  switch (state) {
    case 'leased':
      return { state: 'leased', 'lease.expiresAt': { $gt: at }, expiresAt: { $gt: at } };
    case 'cooling':
      return { ...VISIBLE, ...IN_SERVICE, ...noLiveLease, freeAt: { $gt: at }, expiresAt: { $gt: at } };
    case 'free':
      return { ...VISIBLE, ...IN_SERVICE, ...noLiveLease, freeAt: { $lte: at }, expiresAt: { $gt: at } };
    case 'paused':
      return { ...VISIBLE, ...PAUSED, ...noLiveLease, expiresAt: { $gt: at } };
    case undefined:
      return { ...VISIBLE, expiresAt: { $gt: at } };
  }
}
