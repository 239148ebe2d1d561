import { type AcquireOptions, acquireLease } from './acquire-lease.ts';
import { type Context, checkDuration } from './context.ts';
import { LeaseEndedError, OrchestratorError, UnreachableError } from './errors.ts';
import type { HeldLease, LeaseTerm } from './held-lease.ts';
import { keepLease } from './lease-keeper.ts';
import { releaseLease } from './leases.ts';

/** What to acquire, how long to wait for it, and how early the work must end when the lease is lost. */
export interface WithLeaseOptions extends AcquireOptions {
  /**
   * How long before the lease could lapse the work's signal is aborted, in milliseconds: as long as your work needs to
   * stop. A tenth of the lease by default (5 s at most); never more than a third of it.
   */
  readonly safetyMarginMs?: number | undefined;
  /** Called after each keep-alive that extended the lease. */
  readonly onKeptAlive?: (() => void) | undefined;
  /** Called when the lease could not be released; it lapses by itself then. */
  readonly onReleaseFailed?: ((error: OrchestratorError) => void) | undefined;
}

const MARGIN_SHARE = 0.1;
const MOST_MARGIN_MS = 5000;

/** The release may take this long, in milliseconds: the result of the work waits for it. */
const RELEASE_PATIENCE_MS = 10_000;

/**
 * Acquires a key, runs `work` with it, keeps the lease alive meanwhile, and releases it whatever happens.
 *
 * The signal is aborted before anybody else can hold the key; its reason is a `LeaseEndedError` or `LeaseLostError`.
 * It is aborted as well, with its reason, when `options.signal` is: the lease is kept until the work has ended. Once
 * the work has ended, `options.signal` gives up the release.
 *
 * @returns what `work` resolves to
 * @throws what `work` throws; the signal's reason when the lease was lost, whatever `work` did; what acquiring throws
 */
export async function withLease<Result>(
  context: Context,
  options: WithLeaseOptions,
  work: (lease: HeldLease, signal: AbortSignal) => Result | PromiseLike<Result>,
): Promise<Result> {
  const { safetyMarginMs, onKeptAlive, onReleaseFailed, ...acquireOptions } = options;
  checkDuration('safetyMarginMs', safetyMarginMs);
  const term = await acquireLease(context, acquireOptions);
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(options.signal?.reason);
  const keeper = keepLease(context, term, {
    safetyMarginMs: marginOf(term, safetyMarginMs),
    onLost: (error) => controller.abort(error),
    onKeptAlive,
  });
  options.signal?.addEventListener('abort', onAbort, { once: true });
  if (options.signal?.aborted) onAbort();
  try {
    return await work(term.toHeldLease(), controller.signal);
  } finally {
    options.signal?.removeEventListener('abort', onAbort);
    await keeper.stop();
    const lost = term.endedBy;
    if (!(lost instanceof LeaseEndedError)) await release(context, term, options);
    // biome-ignore lint/correctness/noUnsafeFinally: a result that was reached without the lease is none
    if (lost !== undefined) throw lost;
  }
}

function marginOf({ lease }: LeaseTerm, wantedMs: number | undefined): number {
  const leaseMs = lease.keepAliveEveryMs * 3;
  const ms = wantedMs ?? Math.min(MOST_MARGIN_MS, leaseMs * MARGIN_SHARE);
  return Math.min(ms, lease.keepAliveEveryMs);
}

/** The lease lapses by itself if this fails. */
async function release(
  context: Context,
  { lease }: LeaseTerm,
  { signal, onReleaseFailed }: WithLeaseOptions,
): Promise<void> {
  try {
    await releaseLease(context, lease.leaseId, {
      patienceMs: RELEASE_PATIENCE_MS,
      // A signal that was aborted during the work ended that, and the lease is still to be released.
      signal: signal?.aborted ? undefined : signal,
    });
  } catch (error) {
    // It is over already: there is nothing left to release.
    if (error instanceof LeaseEndedError) return;
    onReleaseFailed?.(
      error instanceof OrchestratorError
        ? error
        : new UnreachableError('unreachable', 'The release was given up', { cause: error }),
    );
  }
}
