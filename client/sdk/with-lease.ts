import type { AcquireOptions } from './acquire-lease.ts';
import { type Context, checkDuration } from './context.ts';
import { LeaseEndedError, OrchestratorError, UnreachableError } from './errors.ts';
import { type HeldLease, type LeaseTerm, lengthMsOf } from './held-lease.ts';
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

/** The options that concern the acquiring. */
export function acquireOptionsOf(options: WithLeaseOptions): AcquireOptions {
  const {
    safetyMarginMs: _margin,
    onKeptAlive: _kept,
    onReleaseFailed: _failed,
    ...acquireOptions
  } = options;
  return acquireOptions;
}

/**
 * Acquires keys, runs `work` with them, keeps their leases alive meanwhile, and releases them whatever happens.
 *
 * The signal is aborted before anybody else can hold the key; its reason is a `LeaseEndedError` or `LeaseLostError`.
 * It is aborted as well, with its reason, when `options.signal` is: the lease is kept until the work has ended. Once
 * the work has ended, `options.signal` gives up the release.
 *
 * @returns what `work` resolves to
 * @throws what `work` throws; the signal's reason when the lease was lost, whatever `work` did; what acquiring throws
 */
export async function withLeases<Result>(
  context: Context,
  options: WithLeaseOptions,
  acquire: () => Promise<LeaseTerm[]>,
  work: (leases: readonly HeldLease[], signal: AbortSignal) => Result | PromiseLike<Result>,
): Promise<Result> {
  const { safetyMarginMs, onKeptAlive } = options;
  checkDuration('safetyMarginMs', safetyMarginMs);
  const terms = await acquire();
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(options.signal?.reason);
  const keepers = terms.map((term) =>
    keepLease(context, term, {
      safetyMarginMs: marginOf(term, safetyMarginMs),
      onLost: (error) => controller.abort(error),
      onKeptAlive,
    }),
  );
  options.signal?.addEventListener('abort', onAbort, { once: true });
  if (options.signal?.aborted) onAbort();
  try {
    return await work(
      terms.map((term) => term.toHeldLease()),
      controller.signal,
    );
  } finally {
    options.signal?.removeEventListener('abort', onAbort);
    await Promise.all(keepers.map((keeper) => keeper.stop()));
    const lost = terms.find(({ endedBy }) => endedBy !== undefined)?.endedBy;
    const open = terms.filter(({ endedBy }) => !(endedBy instanceof LeaseEndedError));
    await Promise.all(open.map((term) => release(context, term, options)));
    // biome-ignore lint/correctness/noUnsafeFinally: a result that was reached without the lease is none
    if (lost !== undefined) throw lost;
  }
}

function marginOf({ lease }: LeaseTerm, wantedMs: number | undefined): number {
  const leaseMs = lengthMsOf(lease);
  const ms = wantedMs ?? Math.min(MOST_MARGIN_MS, leaseMs * MARGIN_SHARE);
  return Math.min(ms, leaseMs / 3);
}

/** The lease lapses by itself if this fails. */
async function release(
  context: Context,
  { lease, outcome }: LeaseTerm,
  { signal, onReleaseFailed }: WithLeaseOptions,
): Promise<void> {
  try {
    await releaseLease(context, lease.leaseId, {
      outcome,
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
