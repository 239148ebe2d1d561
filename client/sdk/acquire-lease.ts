import type { AcquireLeaseRequest, Lease } from '../../shared/contract/leases.ts';
import { retryMs, waitForKeyMs } from './back-off.ts';
import { Countdown, momentOf } from './clock.ts';
import type { Context } from './context.ts';
import {
  isTransient,
  LeaseEndedError,
  NoKeyAvailableError,
  PoolPausedError,
  UnexpectedAnswerError,
  UnreachableError,
} from './errors.ts';
import { pause } from './pause.ts';
import { randomId } from './random-id.ts';
import { releaseLease } from './release-lease.ts';
import { askedToWaitMs, RETRIES } from './send-repeatedly.ts';

/** What to acquire, and how long to wait for it. */
export interface AcquireOptions extends AcquireLeaseRequest {
  /** How long to wait for a key, in milliseconds; 0, the default, asks once. */
  readonly waitMs?: number | undefined;
  /** Ends the waiting. */
  readonly signal?: AbortSignal | undefined;
}

/** A lease, and how long it is certain. */
export interface AcquiredLease {
  readonly lease: Lease;
  /** Counted from before the request was sent. */
  readonly deadline: Countdown;
}

/** How long a request that is under way when the caller gives up may still answer, so that its lease is released. */
const LAST_CALL_MS = 2000;

/**
 * Acquires a key, waiting for one if need be. Each attempt has an `Idempotency-Key` that all its repeats carry, so that
 * a lease whose answer got lost is found again and no second one is taken.
 * @throws NoKeyAvailableError, PoolPausedError, or another OrchestratorError; the signal's reason when it is aborted
 */
export async function acquireLease(context: Context, options: AcquireOptions = {}): Promise<AcquiredLease> {
  const { waitMs = 0, signal, ...body } = options;
  const { clock, random } = context;
  const patience = new Countdown(clock, waitMs);
  let idempotencyKey = randomId();
  let failures = 0;

  for (let retry = 0; ; retry++) {
    signal?.throwIfAborted();
    let pauseMs: number;
    try {
      const acquired = await request(context, body, idempotencyKey, signal);
      if (isUsable(acquired)) return acquired;
      idempotencyKey = randomId();
      await giveBack(context, acquired.lease);
      throw new UnreachableError('unreachable', 'The answer came too late for the length of the lease');
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof NoKeyAvailableError || error instanceof PoolPausedError) {
        if (patience.remainingMs() <= 0) throw error;
        failures = 0;
        pauseMs =
          error instanceof NoKeyAvailableError
            ? waitForKeyMs(retry, error.retryAfterMs, random)
            : retryMs(retry, undefined, random);
      } else {
        if (error instanceof LeaseEndedError) idempotencyKey = randomId();
        else if (!isTransient(error)) throw error;
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
  idempotencyKey: string,
  signal: AbortSignal | undefined,
): Promise<AcquiredLease> {
  const sentAt = momentOf(context.clock);
  const lastCall = new AbortController();
  let cancel: (() => void) | undefined;
  const onAbort = (): void => {
    cancel = context.clock.schedule(() => lastCall.abort(), LAST_CALL_MS);
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const lease = (await context.send({
      method: 'POST',
      path: '/leases',
      headers: { 'idempotency-key': idempotencyKey },
      body,
      timeoutMs: context.requestTimeoutMs,
      signal: lastCall.signal,
    })) as Lease;
    checkLease(lease);
    if (signal?.aborted) await giveBack(context, lease);
    signal?.throwIfAborted();
    return { lease, deadline: new Countdown(context.clock, lease.expiresInMs, sentAt) };
  } finally {
    cancel?.();
    signal?.removeEventListener('abort', onAbort);
  }
}

/** Everything hangs on these, and the address may be that of some other service. */
export function checkLease(lease: Lease | undefined): asserts lease is Lease {
  if (
    typeof lease?.leaseId !== 'string' ||
    !Number.isFinite(lease.expiresInMs) ||
    !Number.isFinite(lease.keepAliveEveryMs)
  ) {
    throw new UnexpectedAnswerError('unexpected_answer', 'The answer is not a lease: check the url');
  }
}

/** Less than a third of the lease would leave no time for a keep-alive. */
function isUsable({ lease, deadline }: AcquiredLease): boolean {
  return deadline.remainingMs() >= lease.keepAliveEveryMs;
}

/** Best effort: what is not released lapses. */
async function giveBack(context: Context, lease: Lease): Promise<void> {
  await releaseLease(context, lease.leaseId, { patienceMs: LAST_CALL_MS }).catch(() => undefined);
}
