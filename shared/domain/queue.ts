import { randomBytes } from 'node:crypto';
import type { QueueEntry, Waiting } from '../contract/tickets.ts';
import { type Caller, requirePool } from './client.ts';
import { type Context, pageOf } from './context.ts';
import { describeTicket } from './describe.ts';
import { LeaseLimitReachedError, NoKeyAvailableError, TicketEndedError } from './errors.ts';
import { type Pool, poolName, poolReference } from './pool.ts';
import { COUNT_LIMIT } from './pool-counts.ts';
import type { Claim, Place, Ticket } from './store.ts';

/** When the first in the queue asks again, in milliseconds. */
const FIRST_POLL_MS = 250;
/** How much later each one behind does, and the latest of all. */
const POLL_STEP_MS = 25;
const LAST_POLL_MS = 5000;
/** Of the time that was waited so far: whoever waits long waits for long leases, and may ask less often. */
const POLL_SHARE = 0.005;
/** A ticket that is not used lapses after two polls, but not before this: a cold start may take as long. */
const SHORTEST_LAPSE_MS = 5000;
/** Up to so many free keys are looked at to tell whether there are more than callers who go first. */
const MAX_FREE = 1000;

export interface QueueRequest {
  readonly wait?: boolean | undefined;
  readonly ticket?: string | undefined;
  readonly priority?: number | undefined;
  readonly holder?: string | undefined;
  /** So many keys, all or none. */
  readonly count?: number | undefined;
}

/** What a caller got, and for how long it had its ticket before. */
interface Served<Taken> {
  readonly taken: Taken;
  readonly waitedMs: number;
}

/**
 * Acquire in a fair pool, by `take`. Whoever has a ticket goes before whoever has none, and tickets go in order, so a caller gets
 * a key only if more are free than go to callers before it. N free keys serve the first N at once; for one that waits for
 * several they gather, so that it does not starve. A caller without a
 * ticket passes only those whose ticket was given after its look at the queue. The ticket is the claim's request hash,
 * so that a caller whose response was lost finds its lease by it.
 * @throws TicketEndedError
 */
export async function claimInTurn<Taken extends object>(
  context: Context,
  caller: Caller,
  pool: Pool,
  claim: Claim,
  request: QueueRequest,
  take: () => Promise<Taken | 'repeated' | NoKeyAvailableError | LeaseLimitReachedError>,
): Promise<Served<Taken> | 'repeated' | NoKeyAvailableError | LeaseLimitReachedError | Waiting> {
  const { keys, tickets } = context.store;
  const reference = poolReference(pool);
  const { now } = claim;
  const { count = 1 } = request;
  const ticket = await getOwnTicket(context, caller, reference, claim, request);
  if (ticket === 'repeated') return ticket;

  const ahead = await tickets.countAhead({ pool: reference, before: ticket, now, limit: COUNT_LIMIT });
  // Whoever goes first need not look before it takes one, nor where the keys that it lacks are made.
  const needsLook = ahead > 0 || (count > 1 && pool.policy.targetSize === null);
  const found = needsLook
    ? await keys.listClaimable({ ...claim, limit: Math.min(ahead + count, MAX_FREE) })
    : undefined;
  let refusal = new NoKeyAvailableError(pool.name, (found?.nextFreeAt ?? now + FIRST_POLL_MS) - now);
  if (found === undefined || found.keys.length >= ahead + count) {
    const claimed = await take();
    if (!(claimed instanceof NoKeyAvailableError)) {
      // Served, or not to be served: either way the next one's turn.
      if (ticket !== undefined) await tickets.remove(ticket.ticketId);
      if (claimed === 'repeated') return 'repeated';
      if (claimed instanceof LeaseLimitReachedError) return claimed as LeaseLimitReachedError;
      return { taken: claimed as Taken, waitedMs: Math.max(0, now - (ticket?.createdAt ?? now)) };
    }
    refusal = claimed;
  }
  if (ticket === undefined && request.wait !== true) return refusal;
  if (ticket === undefined && (await wasServed(context, claim))) return 'repeated';
  if (!(await mayEverHave(context, pool, count, now))) {
    if (ticket !== undefined) await tickets.remove(ticket.ticketId);
    return refusal;
  }
  return wait(context, caller, pool, ticket, { claim, request, ahead });
}

/** Whoever waits for more keys than the pool has would block all others for ever. */
async function mayEverHave(context: Context, pool: Pool, count: number, now: number): Promise<boolean> {
  if (count <= Math.max(1, pool.policy.targetSize ?? 0)) return true;
  const { free, leased, cooling } = await context.store.keys.count({
    pool: poolReference(pool),
    now,
    limit: count,
  });
  return free + leased + cooling >= count;
}

/**
 * The ticket that the request names, if any. A caller that was served, but did not hear of it, has none any more, but a
 * lease that carries it.
 * @throws TicketEndedError
 */
async function getOwnTicket(
  context: Context,
  caller: Caller,
  pool: string,
  claim: Claim,
  request: QueueRequest,
): Promise<Ticket | 'repeated' | undefined> {
  const { now, requestHash } = claim;
  if (requestHash === undefined) return undefined;
  const ticket = await context.store.tickets.get(requestHash);
  if (ticket?.pool === pool && ticket.clientId === caller.clientId && ticket.expiresAt > now) return ticket;
  if (request.ticket === undefined) return undefined;
  if (await wasServed(context, claim)) return 'repeated';
  throw new TicketEndedError();
}

/** The request got a key before; its response may be lost. */
async function wasServed({ store }: Context, { requestHash }: Claim): Promise<boolean> {
  return requestHash !== undefined && (await store.keys.confirmRequest(requestHash)) !== null;
}

/** Keeps the caller's place in the queue, or gives it one. @throws TicketEndedError */
async function wait(
  context: Context,
  caller: Caller,
  pool: Pool,
  ticket: Ticket | undefined,
  { claim, request, ahead }: { claim: Claim; request: QueueRequest; ahead: number },
): Promise<Waiting> {
  const { tickets } = context.store;
  const { now } = claim;
  const { clientId } = caller;
  const waitedMs = ticket === undefined ? 0 : now - ticket.createdAt;
  const soonestMs = Math.max(FIRST_POLL_MS + ahead * POLL_STEP_MS, Math.round(waitedMs * POLL_SHARE));
  const retryAfterMs = Math.min(soonestMs, LAST_POLL_MS);
  const expiresAt = now + Math.max(2 * retryAfterMs, SHORTEST_LAPSE_MS);
  const waiting = { pool: pool.name, position: ahead, retryAfterMs };
  if (ticket !== undefined) {
    const { ticketId } = ticket;
    const kept = await tickets.use({ ticketId, pool: ticket.pool, clientId, now, expiresAt });
    if (kept === null) throw new TicketEndedError();
    return { ticket: ticketId, ...waiting };
  }
  const { priority = 0, holder, count = 1 } = request;
  const ticketId = claim.requestHash ?? randomBytes(32).toString('base64url');
  const reference = poolReference(pool);
  const before = await tickets.create(
    { ticketId, pool: reference, clientId, holder, priority, count, expiresAt },
    { now, advanceMs: priority * pool.policy.agingSeconds * 1000 },
  );
  const position = await tickets.countAhead({ pool: reference, before, now, limit: COUNT_LIMIT });
  return { ticket: ticketId, ...waiting, position };
}

/**
 * Leaves the queue. Only its own ticket's client can.
 * @throws TicketEndedError
 */
export async function deleteTicket(context: Context, caller: Caller, ticketId: string): Promise<void> {
  const ticket = await context.store.tickets.get(ticketId);
  if (ticket === null || ticket.clientId !== caller.clientId) throw new TicketEndedError();
  requirePool(caller, poolName(ticket.pool));
  await context.store.tickets.remove(ticketId);
}

/**
 * A page of those who wait for a key of the pool, in the order of the queue; `next` is the place after which the page
 * after it starts.
 * @throws PoolNotFoundError, ForbiddenError
 */
export async function listTickets(
  context: Context,
  caller: Caller,
  name: string,
  { limit, after }: { limit: number; after?: Place | undefined },
): Promise<{ tickets: QueueEntry[]; next?: Place | undefined }> {
  requirePool(caller, name);
  const now = context.clock();
  const pool = poolReference(await context.pools.get(name, now));
  const found = await context.store.tickets.list({ pool, now, limit: limit + 1, after });
  const { page, last } = pageOf(found, limit);
  const [first] = page;
  let ahead =
    first === undefined
      ? 0
      : await context.store.tickets.countAhead({ pool, before: first, now, limit: COUNT_LIMIT });
  return {
    tickets: page.map((ticket) => {
      const entry = describeTicket(ticket, ahead, now);
      ahead += ticket.count;
      return entry;
    }),
    next: last && [last.order, last.number],
  };
}
