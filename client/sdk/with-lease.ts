import type { Lease } from '../../shared/contract/leases.ts';
import { type AcquiredLease, type AcquireOptions, acquireLease } from './acquire-lease.ts';
import type { Context } from './context.ts';
import { LeaseEndedError, type OrchestratorError } from './errors.ts';
import { keepLease, type LeaseKeeper } from './lease-keeper.ts';
import { releaseLease } from './release-lease.ts';

/** What to acquire, how long to wait for it, and how early the work must end when the lease is lost. */
export interface WithLeaseOptions extends AcquireOptions {
  /**
   * How long before the lease could lapse the work's signal is aborted, in milliseconds: as long as your work needs to
   * stop. A tenth of the lease by default (5 s at most); never more than a third of it.
   */
  readonly safetyMarginMs?: number | undefined;
  /** Told when the lease could not be released; it lapses by itself then. */
  readonly onReleaseFailed?: ((error: OrchestratorError) => void) | undefined;
}

/** The lease that your work holds. */
export interface HeldLease extends Lease {
  /** Milliseconds for which nobody else can hold the key (unless an admin forces it), keep-alives to come aside. */
  remainingMs(): number;
}

const MARGIN_SHARE = 0.1;
const MOST_MARGIN_MS = 5000;

/** The release may take this long, in milliseconds: the result of the work waits for it. */
const RELEASE_PATIENCE_MS = 10_000;

/**
 * Acquires a key, runs `work` with it, keeps the lease alive meanwhile, and releases it whatever happens.
 *
 * The signal is aborted before anybody else can hold the key; its reason is a `LeaseEndedError` or `LeaseLostError`.
 * It is aborted as well, with its reason, when `options.signal` is: the lease is kept until the work has ended.
 *
 * @returns what `work` resolves to
 * @throws what `work` throws; the signal's reason when the lease was lost, whatever `work` did; what acquiring throws
 */
export async function withLease<Result>(
  context: Context,
  options: WithLeaseOptions,
  work: (lease: HeldLease, signal: AbortSignal) => Result | PromiseLike<Result>,
): Promise<Result> {
  const { safetyMarginMs, onReleaseFailed, ...acquireOptions } = options;
  const acquired = await acquireLease(context, acquireOptions);
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(options.signal?.reason);
  const keeper = keepLease(context, acquired, {
    safetyMarginMs: marginOf(acquired, safetyMarginMs),
    onLost: (error) => controller.abort(error),
  });
  options.signal?.addEventListener('abort', onAbort, { once: true });
  if (options.signal?.aborted) onAbort();
  try {
    const held = { ...acquired.lease, remainingMs: () => keeper.remainingMs() };
    return await work(held, controller.signal);
  } finally {
    options.signal?.removeEventListener('abort', onAbort);
    await keeper.stop();
    await end(context, acquired, keeper, onReleaseFailed);
    const lost = keeper.lostBecause();
    // biome-ignore lint/correctness/noUnsafeFinally: a result that was reached without the lease is none
    if (lost !== undefined) throw lost;
  }
}

function marginOf({ lease }: AcquiredLease, wantedMs: number | undefined): number {
  const leaseMs = lease.keepAliveEveryMs * 3;
  const ms = wantedMs ?? Math.min(MOST_MARGIN_MS, leaseMs * MARGIN_SHARE);
  return Math.min(Math.max(0, ms), lease.keepAliveEveryMs);
}

/** Releases the lease unless the service has ended it. It lapses by itself if that fails. */
async function end(
  context: Context,
  { lease }: AcquiredLease,
  keeper: LeaseKeeper,
  onReleaseFailed: WithLeaseOptions['onReleaseFailed'],
): Promise<void> {
  if (keeper.lostBecause() instanceof LeaseEndedError) return;
  try {
    await releaseLease(context, lease.leaseId, { patienceMs: RELEASE_PATIENCE_MS });
  } catch (error) {
    // Over already, by an admin's hand or by its time: there is nothing left to release.
    if (!(error instanceof LeaseEndedError)) onReleaseFailed?.(error as OrchestratorError);
  }
}
