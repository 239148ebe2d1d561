import type { Lease, ListLeasesResponse } from '../../shared/contract/leases.ts';
import { backOffMs } from './back-off.ts';
import { Countdown, pause } from './clock.ts';
import type { CallOptions, Context, PageOptions } from './context.ts';
import { isTransient, LeaseEndedError } from './errors.ts';
import { checkLease, endedHere } from './held-lease.ts';
import { RETRIES, sendRepeatedly } from './repeat.ts';
import { pathOf } from './transport.ts';

/** The client's own live leases. */
export interface LeasesApi {
  list(options?: PageOptions): Promise<ListLeasesResponse>;
  /** @throws LeaseEndedError */
  get(leaseId: string, options?: CallOptions): Promise<Lease>;
}

export function createLeasesApi(context: Context): LeasesApi {
  return {
    list: ({ signal, ...query } = {}) =>
      sendRepeatedly(context, { method: 'GET', path: '/leases', query, signal }),
    get: (leaseId, { signal } = {}) =>
      noteEnd(
        context,
        leaseId,
        sendRepeatedly<Lease>(context, { method: 'GET', path: `/leases${pathOf(leaseId)}`, signal }),
      ),
  };
}

/** A lease as the service returned it, and how long it certainly lasts. */
export interface TimedLease {
  readonly lease: Lease;
  readonly deadline: Countdown;
}

/** One keep-alive, sent once. @throws LeaseEndedError, or another OrchestratorError */
export async function keepAliveLease(
  context: Context,
  leaseId: string,
  options: { readonly timeoutMs?: number; readonly signal?: AbortSignal | undefined } = {},
): Promise<TimedLease> {
  const { timeoutMs = context.requestTimeoutMs, signal } = options;
  const path = `/leases${pathOf(leaseId)}/keep-alive`;
  const { body: lease, sentAt } = await noteEnd(
    context,
    leaseId,
    context.send<Lease>({ method: 'POST', path, timeoutMs, signal }),
  );
  checkLease(lease);
  return { lease, deadline: new Countdown(context.clock, lease.expiresInMs, sentAt) };
}

/**
 * Ends a lease. A 410 to a repeat means that an earlier try did it and its response got lost.
 * @throws LeaseEndedError when the lease was over before; another OrchestratorError
 */
export async function releaseLease(
  context: Context,
  leaseId: string,
  options: { readonly patienceMs?: number | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const { clock, random, requestTimeoutMs } = context;
  const { patienceMs = Number.POSITIVE_INFINITY, signal } = options;
  const patience = new Countdown(clock, patienceMs);
  // Before it is sent: its holder is done, whether the release gets through or not.
  context.held.end(leaseId, endedHere('released'));
  for (let retry = 0; ; retry++) {
    try {
      const timeoutMs = Math.max(1, Math.min(requestTimeoutMs, patience.remainingMs()));
      await context.send({ method: 'DELETE', path: `/leases${pathOf(leaseId)}`, timeoutMs, signal });
      return;
    } catch (error) {
      if (retry > 0 && error instanceof LeaseEndedError) return;
      const pauseMs = backOffMs(retry, random);
      if (retry === RETRIES || !isTransient(error) || pauseMs >= patience.remainingMs()) throw error;
      await pause(clock, pauseMs, signal);
    }
  }
}

/** Marks the lease as over when the call fails for that reason. */
async function noteEnd<Result>(context: Context, leaseId: string, call: Promise<Result>): Promise<Result> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof LeaseEndedError) context.held.end(leaseId, error);
    throw error;
  }
}
