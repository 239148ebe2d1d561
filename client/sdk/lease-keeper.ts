import { backOffMs } from './back-off.ts';
import { Countdown } from './clock.ts';
import type { Context } from './context.ts';
import {
  ForbiddenError,
  InvalidRequestError,
  LeaseEndedError,
  LeaseLostError,
  type OrchestratorError,
  UnauthenticatedError,
} from './errors.ts';
import type { LeaseTerm } from './held-lease.ts';
import { keepAliveLease, type TimedLease } from './leases.ts';

/**
 * How often both clocks are checked, in milliseconds. After a suspension a timer fires late by as long as its clock
 * stood still, while the work runs on.
 */
const LOOK_EVERY_MS = 1000;

/** A keep-alive waits at least this long for its response, in milliseconds. */
const LEAST_TIMEOUT_MS = 1000;

export interface KeeperOptions {
  readonly safetyMarginMs: number;
  /** Called once, when the lease is over or lost. */
  readonly onLost: (error: OrchestratorError) => void;
  readonly onKeptAlive?: (() => void) | undefined;
}

export interface LeaseKeeper {
  /** Ends the keep-alives; none is under way when it resolves. */
  stop(): Promise<void>;
}

/**
 * Keeps a lease alive: a keep-alive when two thirds of the lease are left, one at a time, repeated after failures that
 * may pass. The lease is lost `safetyMarginMs` before it could lapse, or when the service says that it is over. Nothing
 * brings it back then.
 */
export function keepLease(context: Context, term: LeaseTerm, options: KeeperOptions): LeaseKeeper {
  const { clock, random } = context;
  const { leaseId, keepAliveEveryMs } = term.lease;

  let due = untilDue();
  let lastFailure: unknown;
  let failures = 0;
  let stopped = false;
  let underWay: { readonly abort: AbortController; readonly done: Promise<void> } | undefined;
  let cancelTimer = clock.schedule(look, 0);
  term.keeper = { look, onEnd };

  function untilDue(): Countdown {
    return new Countdown(clock, term.untilDeadlineMs() - 2 * keepAliveEveryMs);
  }

  function leftMs(): number {
    return term.untilDeadlineMs() - options.safetyMarginMs;
  }

  function isOver(): boolean {
    return stopped || term.endedBy !== undefined;
  }

  function onEnd(error: OrchestratorError): void {
    cancelTimer();
    if (!stopped) options.onLost(error);
  }

  /** Checks the time first; runs at every timer and after every response. */
  function look(): void {
    cancelTimer();
    if (isOver()) return;
    if (leftMs() <= 0) {
      term.end(
        new LeaseLostError('lease_lost', 'The lease could not be kept alive in time', { cause: lastFailure }),
      );
      return;
    }
    if (underWay === undefined && due.remainingMs() <= 0) send();
    const next = underWay === undefined ? due.remainingMs() : LOOK_EVERY_MS;
    cancelTimer = clock.schedule(look, Math.max(1, Math.min(LOOK_EVERY_MS, leftMs(), next)));
  }

  function send(): void {
    const abort = new AbortController();
    const timeoutMs = Math.min(
      context.requestTimeoutMs,
      Math.max(LEAST_TIMEOUT_MS, keepAliveEveryMs / 2),
      leftMs(),
    );
    const done = keepAliveLease(context, leaseId, { timeoutMs, signal: abort.signal })
      .then(onResponse, onFailure)
      .finally(() => {
        underWay = undefined;
        look();
      });
    underWay = { abort, done };
  }

  function onResponse({ deadline }: TimedLease): void {
    // A response after the end of the lease extends nothing: the work may have acted on that end.
    if (isOver() || leftMs() <= 0) return;
    term.extend(deadline);
    failures = 0;
    lastFailure = undefined;
    // At least half an interval, should the service ever return less than it promised.
    due = new Countdown(clock, Math.max(untilDue().remainingMs(), keepAliveEveryMs / 2));
    options.onKeptAlive?.();
  }

  function onFailure(error: OrchestratorError): void {
    if (isOver()) return;
    lastFailure = error;
    if (isFinal(error)) term.end(error);
    due = new Countdown(clock, Math.min(keepAliveEveryMs, backOffMs(failures, random)));
    failures += 1;
  }

  return {
    stop: async () => {
      stopped = true;
      cancelTimer();
      underWay?.abort.abort();
      await underWay?.done;
      // Work that never let a timer run, or ended right after a suspension.
      if (term.untilDeadlineMs() === 0) {
        term.end(new LeaseLostError('lease_lost', 'The lease may have lapsed before the work was done'));
      }
    },
  };
}

/** The service would refuse a repeat as well. Anything else may pass, so keep-alives go on until the deadline. */
function isFinal(error: OrchestratorError): boolean {
  return (
    error instanceof LeaseEndedError ||
    error instanceof UnauthenticatedError ||
    error instanceof ForbiddenError ||
    error instanceof InvalidRequestError
  );
}
