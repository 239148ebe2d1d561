import type { AcquireLeaseRequest, HeldLease, LeaseList } from '../../shared/contract/leases.ts';
import type { Waiting } from '../../shared/contract/tickets.ts';
import { retryMs, waitForKeyMs } from './back-off.ts';
import { Countdown, type Moment, momentOf, pause } from './clock.ts';
import { type Context, checkDuration } from './context.ts';
import {
  isTransient,
  LeaseEndedError,
  LeaseLimitReachedError,
  NoKeyAvailableError,
  PoolPausedError,
  TicketEndedError,
  UnreachableError,
} from './errors.ts';
import { checkLease, type LeaseTerm, lengthMsOf } from './held-lease.ts';
import { releaseLease, type TimedLease } from './leases.ts';
import { askedToWaitMs, RETRIES, randomId } from './repeat.ts';
import { pathOf } from './transport.ts';

/** What to acquire, and how long to wait for it. */
export interface AcquireOptions extends Omit<AcquireLeaseRequest, 'count' | 'wait' | 'ticket'> {
  /**
   * How long to wait for a key, in milliseconds; 0, the default, asks once. In a fair pool the waiting is a place in the
   * queue, higher `priority` first.
   */
  readonly waitMs?: number | undefined;
  /** Called before each pause of the waiting. */
  readonly onWaiting?:
    | ((because: NoKeyAvailableError | PoolPausedError | LeaseLimitReachedError) => void)
    | undefined;
  /** Ends the waiting. */
  readonly signal?: AbortSignal | undefined;
}

/** When the caller gives up, a request under way gets this long to return its lease, which is then released. */
const LAST_CALL_MS = 2000;

/** What one `Idempotency-Key` stands for: all requests that carry it get the same lease. */
interface Attempt {
  readonly idempotencyKey: string;
  /** Before the first of them was sent. */
  readonly since: Moment;
}

/** Acquires a key, see {@link acquireLeases}. */
export async function acquireLease(context: Context, options: AcquireOptions = {}): Promise<LeaseTerm> {
  const [term] = await acquireTerms(context, options, undefined);
  return term as LeaseTerm;
}

/** Acquires `count` keys, all or none, see {@link acquireLease}. */
export function acquireLeases(
  context: Context,
  { count, ...options }: AcquireOptions & { readonly count: number },
): Promise<LeaseTerm[]> {
  return acquireTerms(context, options, count);
}

/**
 * Acquires keys, waiting for them if need be. Each attempt has an `Idempotency-Key` that all its repeats carry, so that
 * a lease whose response got lost is found again and no second one is taken. In the queue of a fair pool the ticket does
 * the same.
 * @throws NoKeyAvailableError, PoolPausedError, LeaseLimitReachedError, or another OrchestratorError; the signal's reason when it is aborted
 */
async function acquireTerms(
  context: Context,
  options: AcquireOptions,
  count: number | undefined,
): Promise<LeaseTerm[]> {
  const { waitMs = 0, onWaiting, signal, ...wanted } = options;
  checkDuration('waitMs', waitMs);
  const { clock, random } = context;
  const patience = new Countdown(clock, waitMs);
  const newAttempt = (): Attempt => ({ idempotencyKey: randomId(), since: momentOf(clock) });
  let attempt = newAttempt();
  let ticket: string | undefined;
  let isAnyUnknown = false;
  let failures = 0;

  try {
    for (;;) {
      signal?.throwIfAborted();
      let pauseMs: number;
      let isQueued = false;
      try {
        // The last try does not say so: a refusal of it is counted, those before are of somebody who waits.
        const wait = patience.remainingMs() > 0 ? true : undefined;
        const answer = await request(context, { ...wanted, count, wait, ticket }, attempt, signal);
        if ('waiting' in answer) {
          ticket = answer.waiting.ticket;
          isQueued = true;
          throw inQueue(answer.waiting);
        }
        ticket = undefined;
        // With less than a third of the lease there would be no time for a keep-alive.
        const isInTime = answer.leases.every(
          ({ lease, deadline }) => deadline.remainingMs() >= lengthMsOf(lease) / 3,
        );
        if (isInTime) return answer.leases.map(({ lease, deadline }) => context.held.hold(lease, deadline));
        attempt = newAttempt();
        await giveBack(context, answer.leases);
        throw new UnreachableError('unreachable', 'The response came too late for the length of the lease');
      } catch (error) {
        signal?.throwIfAborted();
        if (isWaitedFor(error)) {
          if (patience.remainingMs() <= 0) throw error;
          onWaiting?.(error);
          // Every request so far got the response that there is no lease.
          if (!isAnyUnknown) attempt = { ...attempt, since: momentOf(clock) };
          failures = 0;
          // The pool is fair no more, or the service refused for another reason: it may keep the place no longer.
          if (!isQueued) ticket = undefined;
          const retryAfterMs = error instanceof PoolPausedError ? LONG_MS : error.retryAfterMs;
          pauseMs =
            ticket === undefined
              ? waitForKeyMs(waitMs - patience.remainingMs(), retryAfterMs, random)
              : retryAfterMs;
        } else {
          if (error instanceof LeaseEndedError || error instanceof TicketEndedError) {
            attempt = newAttempt();
            ticket = undefined;
            isAnyUnknown = false;
          } else if (isTransient(error)) isAnyUnknown = true;
          else throw error;
          if (failures >= RETRIES && patience.remainingMs() <= 0) throw error;
          pauseMs = retryMs(failures, askedToWaitMs(error), random);
          failures += 1;
        }
      }
      // The last try comes when the waiting time ends, not before.
      const leftMs = patience.remainingMs();
      await pause(clock, leftMs > 0 ? Math.min(pauseMs, leftMs) : pauseMs, signal);
    }
  } finally {
    if (ticket !== undefined) await leaveQueue(context, ticket);
  }
}

/** What may pass while the caller waits. */
type Hindrance = NoKeyAvailableError | PoolPausedError | LeaseLimitReachedError;

function isWaitedFor(error: unknown): error is Hindrance {
  return (
    error instanceof NoKeyAvailableError ||
    error instanceof PoolPausedError ||
    error instanceof LeaseLimitReachedError
  );
}

/** Of a paused pool nobody knows when it goes on. */
const LONG_MS = 60_000;

function inQueue({ pool, position, retryAfterMs }: Waiting): NoKeyAvailableError {
  return new NoKeyAvailableError(
    `No key of pool "${pool}" is free; ${position} go to others first`,
    retryAfterMs,
  );
}

/** Best effort: a ticket that is not used lapses. */
async function leaveQueue(context: Context, ticket: string): Promise<void> {
  const path = `/tickets${pathOf(ticket)}`;
  await context.send({ method: 'DELETE', path, timeoutMs: LAST_CALL_MS }).catch(() => undefined);
}

async function request(
  context: Context,
  body: AcquireLeaseRequest,
  { idempotencyKey, since }: Attempt,
  signal: AbortSignal | undefined,
): Promise<{ leases: TimedLease<HeldLease>[] } | { waiting: Waiting }> {
  const { clock } = context;
  const lastCall = new AbortController();
  let cancel: (() => void) | undefined;
  const onAbort = (): void => {
    cancel = clock.schedule(() => lastCall.abort(), LAST_CALL_MS);
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const response = await context.send<HeldLease | LeaseList | Waiting>({
      method: 'POST',
      path: '/leases',
      headers: { 'idempotency-key': idempotencyKey },
      body,
      timeoutMs: context.requestTimeoutMs,
      signal: lastCall.signal,
    });
    if (response.status === 202 && 'ticket' in response.body) return { waiting: response.body };
    const leases = 'leases' in response.body ? response.body.leases : [response.body as HeldLease];
    const timed = leases.map((lease): TimedLease<HeldLease> => {
      checkLease(lease);
      const fromNow = new Countdown(clock, lease.expiresInMs, response.sentAt);
      // 201: the lease began with this request. Otherwise an earlier request, whose response got lost, began it, and the
      // clock of the host that found it again may be behind.
      const fromTheFirst = new Countdown(clock, 3 * lease.keepAliveEveryMs, since);
      const isNew = response.status === 201 || fromNow.remainingMs() <= fromTheFirst.remainingMs();
      return { lease, deadline: isNew ? fromNow : fromTheFirst };
    });
    if (signal?.aborted) await giveBack(context, timed);
    signal?.throwIfAborted();
    return { leases: timed };
  } finally {
    cancel?.();
    signal?.removeEventListener('abort', onAbort);
  }
}

/** Best effort: what is not released lapses. */
async function giveBack(context: Context, leases: readonly TimedLease[]): Promise<void> {
  await Promise.allSettled(
    leases.map(({ lease }) => releaseLease(context, lease.leaseId, { patienceMs: LAST_CALL_MS })),
  );
}
