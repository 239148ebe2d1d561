import type { Filter } from 'mongodb';
import type { Ticket, TicketStore } from '../../domain/store.ts';
import { type Commands, repeatOnDuplicate } from './commands.ts';
import { ID_INDEX, PLACE_INDEX } from './schema.ts';

interface TicketDocument extends Omit<Ticket, 'ticketId' | 'createdAt' | 'order' | 'expiresAt'> {
  readonly _id: string;
  readonly createdAt: Date;
  /** The ticket's `order`. */
  readonly place: number;
  readonly expiresAt: Date;
}

/** What a pool's queue remembers of the tickets that were given; its id is the pool's reference. */
interface QueueDocument {
  readonly _id: string;
  readonly number: number;
  readonly latestAt: Date;
}

export interface QueueCommands {
  readonly tickets: Commands<TicketDocument>;
  readonly queues: Commands<QueueDocument>;
}

export const tickets = { create, use, countAhead, list, get, remove, removeLapsed };

type Given<Verb extends keyof TicketStore> = Parameters<TicketStore[Verb]>[0];

// Each command is on the primary key of the ticket or the queue, unless another index is named.

/**
 * Race: two tickets are given at once. One write on the queue counts, and remembers the latest time; the number that it
 * returns is nobody else's. Then the ticket is put in its place; a request that is repeated keeps its ticket.
 */
async function create(
  { tickets, queues }: QueueCommands,
  given: Given<'create'>,
  { now, advanceMs }: Parameters<TicketStore['create']>[1],
): Promise<Ticket> {
  const queue = await repeatOnDuplicate(() =>
    queues.findOneAndUpdate(
      { _id: given.pool },
      { $inc: { number: 1 }, $max: { latestAt: new Date(now) } },
      { upsert: true },
    ),
  );
  if (queue === null) throw new Error('An upsert returned nothing');
  const { number, latestAt } = queue;
  const { ticketId, expiresAt, ...fields } = given;
  const ticket = {
    ...fields,
    createdAt: latestAt,
    number,
    place: latestAt.getTime() - advanceMs,
    expiresAt: new Date(expiresAt),
  };
  await tickets.put(ticketId, ticket);
  return toTicket({ ...ticket, _id: ticketId });
}

/** Race: the ticket lapsed, or left the queue, since it was looked at. `$max`: a late use shortens nothing. */
async function use({ tickets }: QueueCommands, query: Given<'use'>): Promise<Ticket | null> {
  const { ticketId, pool, clientId, now, expiresAt } = query;
  const used = await tickets.findOneAndUpdate(
    { _id: ticketId, pool, clientId, ...liveAt(now) },
    { $max: { expiresAt: new Date(expiresAt) } },
    { hint: ID_INDEX },
  );
  return used && toTicket(used);
}

/** Index: `PLACE_INDEX`, hinted; it has all that is asked for, so that no ticket is fetched. */
async function countAhead({ tickets }: QueueCommands, query: Given<'countAhead'>): Promise<number> {
  const { pool, before, now, limit } = query;
  const ahead: Filter<TicketDocument> | undefined = before && {
    place: { $lte: before.order },
    $nor: [{ place: before.order, number: { $gte: before.number } }],
  };
  const [sum] = await tickets.aggregate<{ count: number }>(
    { pool, ...ahead, ...liveAt(now) },
    [{ $limit: limit }, { $group: { _id: null, count: { $sum: '$count' } } }],
    { hint: PLACE_INDEX },
  );
  return Math.min(sum?.count ?? 0, limit);
}

/** Index: `PLACE_INDEX`, hinted. It has the tickets in the order of the queue. */
async function list({ tickets }: QueueCommands, page: Given<'list'>): Promise<Ticket[]> {
  const { pool, now, limit, after } = page;
  const behind: Filter<TicketDocument> | undefined = after && {
    place: { $gte: after[0] },
    $nor: [{ place: after[0], number: { $lte: after[1] } }],
  };
  const found = await tickets.find(
    { pool, ...behind, ...liveAt(now) },
    { hint: PLACE_INDEX, sort: { place: 1, number: 1 }, limit },
  );
  return found.map(toTicket);
}

async function get({ tickets }: QueueCommands, ticketId: string): Promise<Ticket | null> {
  const found = await tickets.findOne({ _id: ticketId });
  return found && toTicket(found);
}

function remove({ tickets }: QueueCommands, ticketId: string): Promise<boolean> {
  return tickets.deleteOne({ _id: ticketId });
}

/**
 * Race: a ticket was used since it was found lapsed; the removal repeats the condition.
 *
 * Index: `expiresAt` (the one that MongoDB's own removal goes by), then `ID_INDEX`, hinted.
 */
async function removeLapsed({ tickets }: QueueCommands, query: Given<'removeLapsed'>): Promise<number> {
  const lapsed = { expiresAt: { $lte: new Date(query.now) } };
  const found = await tickets.find(lapsed, { limit: query.limit, projection: { _id: 1 } });
  if (found.length === 0) return 0;
  return tickets.deleteMany({ ...lapsed, _id: { $in: found.map(({ _id }) => _id) } }, { hint: ID_INDEX });
}

function liveAt(now: number): { expiresAt: { $gt: Date } } {
  return { expiresAt: { $gt: new Date(now) } };
}

function toTicket({ _id, createdAt, place, expiresAt, ...fields }: TicketDocument): Ticket {
  return {
    ...fields,
    ticketId: _id,
    createdAt: createdAt.getTime(),
    order: place,
    expiresAt: expiresAt.getTime(),
  };
}
