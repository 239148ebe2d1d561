import { backOffMs } from './back-off.ts';
import { Countdown } from './clock.ts';
import type { Context } from './context.ts';
import { isTransient, LeaseEndedError } from './errors.ts';
import { pause } from './pause.ts';
import { RETRIES } from './send-repeatedly.ts';
import { pathOf } from './transport.ts';

/**
 * Ends a lease. When the answer of an earlier try got lost, a 410 to a later one means that it was done.
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
