import { createHash, randomBytes } from 'node:crypto';
import type { Event as EventBody, EventType } from '../contract/events.ts';
import { type Caller, requirePool } from './client.ts';
import type { Context } from './context.ts';
import { describeEvent } from './describe.ts';
import type { Key, KeyLease, Pause } from './key.ts';
import { poolName } from './pool.ts';
import type { EventFilter, PlacedEvent } from './store.ts';

/** Something that happened, as a caller may read it later. `at`: milliseconds since the epoch. */
export type Event = Omit<EventBody, 'at'> & { readonly at: number };

/**
 * An event. `seed`: what happens once alone, so that the event has the same id whoever notes it; absent: a random id. A
 * seed may be secret (the id of a lease): the event's id does not tell it. `since`: a moment that goes with the seed; the id
 * begins with it, so that those of leases that began and lapse together stand side by side in an index.
 */
export function makeEvent(event: Omit<Event, 'eventId'>, seed?: string, since?: number): Event {
  const id =
    seed === undefined
      ? randomBytes(16)
      : createHash('sha256').update(`${event.type}\n${seed}`).digest().subarray(0, 16);
  if (since !== undefined) id.writeUIntBE(since, 0, 6);
  return { eventId: `event_${id.toString('base64url')}`, ...event };
}

/** What happened to a key, and to the lease on it, if any. */
export function keyEvent(
  type: 'key.deleted' | 'key.discarded' | 'lease.lapsed' | 'lease.unblocked',
  { keyId, pool, fencingToken }: Pick<Key, 'keyId' | 'pool' | 'fencingToken'>,
  { lease, at, by }: { lease: KeyLease | undefined; at: number; by?: string | undefined },
): Event {
  const whose = lease && { clientId: lease.clientId, holder: lease.holder, fencingToken };
  const event = { type, at, pool: poolName(pool), keyId, ...whose, by };
  return type.startsWith('lease.') ? makeEvent(event, lease?.id, lease?.acquiredAt) : makeEvent(event, keyId);
}

/** An admin took a key out of service, or put it back; each time another event. */
export function pauseEvent(
  type: 'key.paused' | 'key.resumed',
  { keyId, pool }: Pick<Key, 'keyId' | 'pool'>,
  { at, by, reason }: Pause,
): Event {
  return makeEvent({ type, at, pool: poolName(pool), keyId, by, reason });
}

/** A lease that stands on a key has lapsed; the same event whoever finds it, and when. */
export function lapseOf(key: Pick<Key, 'keyId' | 'pool' | 'fencingToken'>, lease: KeyLease): Event {
  return keyEvent('lease.lapsed', key, { lease, at: lease.expiresAt });
}

/**
 * Writes down that the lease on the key has lapsed, if so, with a note of it: from then on nothing revives it, and the
 * sweep records the event. Returns whether it did; `undefined`: no lapsed lease stood on the key as it was found.
 */
export async function recordLapse(
  { store, onLapse }: Pick<Context, 'store' | 'onLapse'>,
  key: Pick<Key, 'keyId' | 'pool' | 'fencingToken' | 'lease'>,
  now: number,
): Promise<boolean | undefined> {
  const { keyId, lease } = key;
  if (lease === undefined || lease.expiresAt > now) return undefined;
  const recorded = await store.keys.recordLapse({ keyId, leaseId: lease.id, now, note: lapseOf(key, lease) });
  if (recorded) onLapse(poolName(key.pool), 1);
  return recorded;
}

export interface ListEventsRequest {
  readonly pool?: string | undefined;
  readonly type?: EventType | undefined;
  readonly key?: string | undefined;
  readonly client?: string | undefined;
  readonly holder?: string | undefined;
  /** The position after which the page starts. */
  readonly after?: number | undefined;
  readonly limit: number;
  /** The newest so many instead. */
  readonly tail?: number | undefined;
}

/** How many events a page looks through where an index answers but a part of what is asked for. */
const WALK = 2000;

/**
 * A page of the events that the caller may see, in their order; `next` is the position after which the page after it
 * starts, however short this one is. One index answers what is asked for; what else is asked for is looked up in a bounded
 * number of events.
 * @throws ForbiddenError
 */
export async function listEvents(
  context: Context,
  caller: Caller,
  request: ListEventsRequest,
): Promise<{ events: EventBody[]; next: number }> {
  const { after, limit, tail } = request;
  const [onlyPool, ...otherPools] = caller.pools ?? [];
  const pool = request.pool ?? (otherPools.length === 0 ? onlyPool : undefined);
  if (pool !== undefined) requirePool(caller, pool);
  const wanted: [keyof EventFilter, string | undefined][] = [
    ['keyId', request.key],
    ['holder', request.holder],
    ['clientId', request.client],
    ['pool', pool],
    ['type', request.type],
  ];
  const [first, ...others] = wanted.filter(([, value]) => value !== undefined) as [
    keyof EventFilter,
    string,
  ][];
  const mayLeaveOut = others.length > 0 || (caller.pools !== undefined && pool === undefined);
  const matches = (event: PlacedEvent): boolean =>
    others.every(([field, value]) => event[field] === value) &&
    (caller.pools === undefined || (event.pool !== undefined && caller.pools.includes(event.pool)));

  const size = tail ?? limit;
  const found = await context.store.events.list({
    now: context.clock(),
    limit: mayLeaveOut ? WALK : size,
    after,
    tail: tail !== undefined,
    by: first && { field: first[0], value: first[1] },
  });
  const all = found.events.filter(matches);
  const page = tail === undefined ? all.slice(0, size) : all.slice(-size);
  const isCut = tail === undefined && all.length > size;
  return {
    events: page.map(describeEvent),
    next: isCut ? (page.at(-1) as PlacedEvent).position : found.next,
  };
}

/** When the oldest event happened that was not sent to this receiver yet; undefined: all were. */
export async function oldestUnsentAt(
  { store, clock }: Context,
  receiver: string,
): Promise<number | undefined> {
  const delivery = await store.events.getDelivery(receiver);
  const { events } = await store.events.list({ now: clock(), limit: 1, after: delivery?.sentTo ?? 0 });
  return events[0]?.at;
}
