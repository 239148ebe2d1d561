import type { AcquireLeaseRequest, Lease } from '../../shared/contract/leases.ts';
import { retryMs, waitForKeyMs } from './back-off.ts';
import { Countdown, type Moment, momentOf, pause } from './clock.ts';
import { type Context, checkDuration } from './context.ts';
import {
  isTransient,
  LeaseEndedError,
  NoKeyAvailableError,
  PoolPausedError,
  UnreachableError,
} from './errors.ts';
import { checkLease, type LeaseTerm } from './held-lease.ts';
import { releaseLease, type TimedLease } from './leases.ts';
import { askedToWaitMs, RETRIES } from './repeat.ts';

/** What to acquire, and how long to wait for it. */
export interface AcquireOptions extends AcquireLeaseRequest {
  /** How long to wait for a key, in milliseconds; 0, the default, asks once. */
  readonly waitMs?: number | undefined;
  /** Called before each pause of the waiting. */
  readonly onWaiting?: ((because: NoKeyAvailableError | PoolPausedError) => void) | undefined;
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

/**
 * Acquires a key, waiting for one if need be. Each attempt has an `Idempotency-Key` that all its repeats carry, so that
 * a lease whose response got lost is found again and no second one is taken.
 * @throws NoKeyAvailableError, PoolPausedError, or another OrchestratorError; the signal's reason when it is aborted
 */
export async function acquireLease(context: Context, options: AcquireOptions = {}): Promise<LeaseTerm> {
  const { waitMs = 0, onWaiting, signal, ...body } = options;
  checkDuration('waitMs', waitMs);
  const { clock, random } = context;
  const patience = new Countdown(clock, waitMs);
  const newAttempt = (): Attempt => ({ idempotencyKey: randomId(), since: momentOf(clock) });
  let attempt = newAttempt();
  let isAnyUnknown = false;
  let failures = 0;

  for (let retry = 0; ; retry++) {
    signal?.throwIfAborted();
    let pauseMs: number;
    try {
      const { lease, deadline } = await request(context, body, attempt, signal);
      // With less than a third of the lease there would be no time for a keep-alive.
      if (deadline.remainingMs() >= lease.keepAliveEveryMs) return context.held.hold(lease, deadline);
      attempt = newAttempt();
      await giveBack(context, lease);
      throw new UnreachableError('unreachable', 'The response came too late for the length of the lease');
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof NoKeyAvailableError || error instanceof PoolPausedError) {
        if (patience.remainingMs() <= 0) throw error;
        onWaiting?.(error);
        // Every request so far got the response that there is no lease.
        if (!isAnyUnknown) attempt = { ...attempt, since: momentOf(clock) };
        failures = 0;
        pauseMs =
          error instanceof NoKeyAvailableError
            ? waitForKeyMs(retry, error.retryAfterMs, random)
            : retryMs(retry, undefined, random);
      } else {
        if (error instanceof LeaseEndedError) attempt = newAttempt();
        else if (!isTransient(error)) throw error;
        isAnyUnknown = true;
        if (failures >= RETRIES && patience.remainingMs() <= 0) throw error;
        pauseMs = retryMs(failures, askedToWaitMs(error), random);
        failures += 1;
      }
    }
    // The last try comes when the waiting time ends, not before.
    const leftMs = patience.remainingMs();
    await pause(clock, leftMs > 0 ? Math.min(pauseMs, leftMs) : pauseMs, signal);
  }
}

async function request(
  context: Context,
  body: AcquireLeaseRequest,
  { idempotencyKey, since }: Attempt,
  signal: AbortSignal | undefined,
): Promise<TimedLease> {
  const { clock } = context;
  const lastCall = new AbortController();
  let cancel: (() => void) | undefined;
  const onAbort = (): void => {
    cancel = clock.schedule(() => lastCall.abort(), LAST_CALL_MS);
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const response = await context.send<Lease>({
      method: 'POST',
      path: '/leases',
      headers: { 'idempotency-key': idempotencyKey },
      body,
      timeoutMs: context.requestTimeoutMs,
      signal: lastCall.signal,
    });
    const { status, body: lease, sentAt } = response;
    checkLease(lease);
    if (signal?.aborted) await giveBack(context, lease);
    signal?.throwIfAborted();
    const fromNow = new Countdown(clock, lease.expiresInMs, sentAt);
    // 201: the lease began with this request. Otherwise an earlier request, whose response got lost, began it, and the
    // clock of the host that found it again may be behind.
    const fromTheFirst = new Countdown(clock, 3 * lease.keepAliveEveryMs, since);
    const isNew = status === 201 || fromNow.remainingMs() <= fromTheFirst.remainingMs();
    return { lease, deadline: isNew ? fromNow : fromTheFirst };
  } finally {
    cancel?.();
    signal?.removeEventListener('abort', onAbort);
  }
}

/** Best effort: what is not released lapses. */
async function giveBack(context: Context, lease: Lease): Promise<void> {
  await releaseLease(context, lease.leaseId, { patienceMs: LAST_CALL_MS }).catch(() => undefined);
}

/** 128 random bits as text. Browsers have `crypto.randomUUID` on https pages only, this everywhere. */
function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
