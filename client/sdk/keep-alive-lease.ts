import type { Lease } from '../../shared/contract/leases.ts';
import { type AcquiredLease, checkLease } from './acquire-lease.ts';
import { Countdown, momentOf } from './clock.ts';
import type { Context } from './context.ts';
import { pathOf } from './transport.ts';

/** One keep-alive, sent once. @throws LeaseEndedError, or another OrchestratorError */
export async function keepAliveLease(
  context: Context,
  leaseId: string,
  options: { readonly timeoutMs?: number; readonly signal?: AbortSignal | undefined } = {},
): Promise<AcquiredLease> {
  const sentAt = momentOf(context.clock);
  const lease = (await context.send({
    method: 'POST',
    path: `/leases${pathOf(leaseId)}/keep-alive`,
    timeoutMs: options.timeoutMs ?? context.requestTimeoutMs,
    signal: options.signal,
  })) as Lease;
  checkLease(lease);
  return { lease, deadline: new Countdown(context.clock, lease.expiresInMs, sentAt) };
}
