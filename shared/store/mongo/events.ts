import type { Event } from '../../domain/events.ts';
import type { EventStore, PlacedEvent } from '../../domain/store.ts';
import { type Commands, repeatOnDuplicate } from './commands.ts';
import { isDuplicateKeyError } from './errors.ts';
import { EVENT_ID_INDEX, EVENT_INDEXES, ID_INDEX } from './schema.ts';

/** Its id is its position. Without an `eventId` it is void: nobody will ever put an event there. */
interface EventDocument extends Partial<Event> {
  readonly _id: number;
  /** By the clock of whoever added it. */
  readonly addedAt: number;
  readonly expiresAt: Date;
}

interface CounterDocument {
  readonly _id: string;
  /** The last position that was given to a writer. */
  readonly given?: number;
  /** Up to here every position has an event, is void, or had one that was removed since. */
  readonly settledTo?: number;
}

interface DeliveryDocument {
  readonly _id: string;
  readonly owner: string;
  readonly until: number;
  readonly sentTo: number;
}

export interface EventCommands {
  readonly events: Commands<EventDocument>;
  readonly counters: Commands<CounterDocument>;
  readonly deliveries: Commands<DeliveryDocument>;
}

export const events = { add, list, removeExpired, claimDelivery, finishDelivery, getDelivery };

type Given<Verb extends keyof EventStore> = Parameters<EventStore[Verb]>[0];

const COUNTER = 'events';

/** How long a writer has between its position and its event before a reader makes the position void. */
const HOLE_MS = 3000;

/** Positions that are settled by one command. */
const BATCH = 1000;

/** What a reader goes by must never be rolled back: it would have passed a position whose event comes again elsewhere. */
const MAJORITY = { readConcern: { level: 'majority' } } as const;

/**
 * Positions first, then the events at them.
 *
 * Races: a writer is slow, and a reader has made its position void: the primary key refuses the event, which then gets a
 * new position. Or two writers record one event: the unique `eventId` refuses the second, whose position is nobody's any
 * more and is made void at once. That is a majority write, so that an event which is taken for recorded can't be rolled
 * back. A writer that dies leaves a hole, see `settle`.
 *
 * Index: the unique `eventId`, hinted before anything is written: without it every repeat would be an event.
 */
async function add(
  { events, counters }: EventCommands,
  added: Given<'add'>,
  { now, expiresAt }: Parameters<EventStore['add']>[1],
): Promise<void> {
  if (added.length === 0) return;
  const times = { addedAt: now, expiresAt: new Date(expiresAt) };
  const known = await recordedOf(events, added, MAJORITY);
  for (let missing = added.filter(({ eventId }) => !known.has(eventId)); missing.length > 0; ) {
    const counter = await repeatOnDuplicate(() =>
      counters.findOneAndUpdate({ _id: COUNTER }, { $inc: { given: missing.length } }, { upsert: true }),
    );
    const first = (counter?.given ?? 0) - missing.length + 1;
    const placed = missing.map((event, index) => ({ ...event, ...times, _id: first + index }));
    const refused = (await events.insertMissing(placed)).map((place) => placed[place] as (typeof placed)[0]);
    if (refused.length === 0) return;

    const recorded = await recordedOf(events, refused);
    const spare = refused.filter(({ eventId }) => recorded.has(eventId));
    await events.insertMissing(spare.map(({ _id }) => ({ _id, ...times })));
    const lost = new Set(refused.filter(({ eventId }) => !recorded.has(eventId)).map(({ _id }) => _id));
    missing = missing.filter((_, index) => lost.has(first + index));
  }
}

/** The ids of those of the events that are recorded. */
async function recordedOf(
  events: EventCommands['events'],
  wanted: readonly Event[],
  concern: Partial<typeof MAJORITY> = {},
): Promise<Set<string | undefined>> {
  const eventIds = wanted.map(({ eventId }) => eventId);
  const options = { ...concern, hint: EVENT_ID_INDEX, projection: { eventId: 1 } };
  const found = await events.find({ eventId: { $in: eventIds } }, options);
  return new Set(found.map(({ eventId }) => eventId));
}

/**
 * Up to which position everything is settled. What comes first after it may be a hole: its writer is about to add the
 * event, or has died. Once an event behind the hole has stood for `HOLE_MS`, whose position was given later, the hole is
 * made void by an insertion, which the primary key refuses if the writer was there after all. No clock decides what is
 * right here, only how soon it is done: a slow writer takes a new position.
 *
 * Index: the primary key, hinted.
 */
async function settle({ events, counters }: EventCommands, now: number): Promise<number> {
  const known = (await counters.findOne({ _id: COUNTER }, MAJORITY))?.settledTo ?? 0;
  let settledTo = known;
  for (;;) {
    const placed = await events.find(
      { _id: { $gt: settledTo } },
      {
        ...MAJORITY,
        hint: ID_INDEX,
        sort: { _id: 1 },
        limit: BATCH,
        projection: { addedAt: 1, expiresAt: 1 },
      },
    );
    const hole = placed.findIndex(({ _id }, index) => _id !== settledTo + 1 + index);
    settledTo += hole < 0 ? placed.length : hole;
    if (hole < 0 && placed.length === BATCH) continue;
    const behind = hole < 0 ? [] : placed.slice(hole);
    const standing = behind.find(({ addedAt }) => addedAt <= now - HOLE_MS);
    if (standing === undefined) break;
    const size = Math.min((behind[0] as EventDocument)._id - settledTo - 1, BATCH);
    const { addedAt, expiresAt } = standing;
    await events.insertMissing(
      Array.from({ length: size }, (_, index) => ({ _id: settledTo + 1 + index, addedAt, expiresAt })),
    );
  }
  if (settledTo > known) await counters.updateOne({ _id: COUNTER }, { $max: { settledTo } });
  return settledTo;
}

/** Index: one of `EVENT_INDEXES`, or the primary key, hinted; in both the events are in their order. */
async function list(on: EventCommands, query: Given<'list'>): ReturnType<EventStore['list']> {
  const { now, limit, after = 0, tail = false, by } = query;
  const settledTo = await settle(on, now);
  const found = await on.events.find(
    {
      _id: { $gt: after, $lte: settledTo },
      ...(by === undefined ? { eventId: { $exists: true } } : { [by.field]: by.value }),
    },
    {
      ...MAJORITY,
      hint: by === undefined ? ID_INDEX : EVENT_INDEXES[by.field],
      sort: { _id: tail ? -1 : 1 },
      limit,
    },
  );
  if (tail) found.reverse();
  const isFull = !tail && found.length === limit;
  const next = isFull ? (found.at(-1)?._id ?? after) : Math.max(after, settledTo);
  return { events: found.map(toEvent), next };
}

function toEvent({ _id, addedAt: _added, expiresAt: _expires, ...event }: EventDocument): PlacedEvent {
  return { ...(event as Event), position: _id };
}

/**
 * What is not settled stays: without it a reader would take the place of an event for a hole. So a sweep settles first,
 * also where nobody reads.
 *
 * Index: `expiresAt` (the one that MongoDB's own removal goes by), then the primary key, hinted.
 */
async function removeExpired(on: EventCommands, { now, limit }: Given<'removeExpired'>): Promise<number> {
  const settledTo = await settle(on, now);
  const expired = { expiresAt: { $lte: new Date(now) }, _id: { $lte: settledTo } };
  const found = await on.events.find(expired, { limit, projection: { _id: 1 } });
  if (found.length === 0) return 0;
  return on.events.deleteMany({ _id: { $in: found.map(({ _id }) => _id) } }, { hint: ID_INDEX });
}

/** Race: two senders at once, the first ones too. One write makes one the owner; the primary key refuses the other's. */
async function claimDelivery(
  { deliveries }: EventCommands,
  { receiver, owner, now, until }: Given<'claimDelivery'>,
): Promise<{ sentTo: number } | null> {
  try {
    const claimed = await deliveries.findOneAndUpdate(
      { _id: receiver, $or: [{ until: { $lte: now } }, { owner }] },
      { $set: { owner, until }, $setOnInsert: { sentTo: 0 } },
      { upsert: true },
    );
    return claimed && { sentTo: claimed.sentTo };
  } catch (error) {
    if (isDuplicateKeyError(error)) return null;
    throw error;
  }
}

/** Race: another sender took over since; its `owner` is not this one. `$max`: what was sent stays sent. */
function finishDelivery(
  { deliveries }: EventCommands,
  { receiver, owner, sentTo }: Given<'finishDelivery'>,
): Promise<boolean> {
  return deliveries.updateOne({ _id: receiver, owner }, { $max: { sentTo }, $set: { until: 0 } });
}

async function getDelivery(
  { deliveries }: EventCommands,
  receiver: string,
): Promise<{ sentTo: number } | null> {
  const found = await deliveries.findOne({ _id: receiver });
  return found && { sentTo: found.sentTo };
}
