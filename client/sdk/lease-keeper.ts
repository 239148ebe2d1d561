import type { AcquiredLease } from './acquire-lease.ts';
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
import { keepAliveLease } from './keep-alive-lease.ts';

/**
 * Both clocks are looked at this often, in milliseconds: after a suspension a timer fires late by as long as its
 * clock stood still, and the work runs on meanwhile.
 */
const LOOK_EVERY_MS = 1000;

/** A keep-alive gets at least this long to be answered, in milliseconds. */
const LEAST_TIMEOUT_MS = 1000;

export interface LeaseKeeper {
  /** Milliseconds for which nobody else can hold the key, unless an admin forces it. */
  remainingMs(): number;
  /** Why the lease was lost; undefined while it was not. */
  lostBecause(): OrchestratorError | undefined;
  /** Ends the keep-alives; none is under way when it resolves. */
  stop(): Promise<void>;
}

/**
 * Keeps a lease alive: a keep-alive when two thirds of the lease are left, one at a time, repeated after failures that
 * may pass. Calls `onLost` once, at the latest `safetyMarginMs` before the lease could lapse, or when the service says
 * that it is over. Nothing brings it back then.
 */
export function keepLease(
  context: Context,
  acquired: AcquiredLease,
  options: { readonly safetyMarginMs: number; readonly onLost: (error: OrchestratorError) => void },
): LeaseKeeper {
  const { clock, random } = context;
  const { leaseId, keepAliveEveryMs } = acquired.lease;
  const { safetyMarginMs } = options;

  let { deadline } = acquired;
  let due = untilDue();
  let lost: OrchestratorError | undefined;
  let lastFailure: unknown;
  let failures = 0;
  let stopped = false;
  let underWay: { readonly abort: AbortController; readonly done: Promise<void> } | undefined;
  let cancelTimer = clock.schedule(look, 0);

  function untilDue(): Countdown {
    return new Countdown(clock, deadline.remainingMs() - 2 * keepAliveEveryMs);
  }

  function leftMs(): number {
    return deadline.remainingMs() - safetyMarginMs;
  }

  /** Runs before anything else that a timer or an answer brings. */
  function look(): void {
    cancelTimer();
    if (stopped || lost !== undefined) return;
    if (leftMs() <= 0) {
      lose(
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
      .then(onAnswer, onFailure)
      .finally(() => {
        underWay = undefined;
        look();
      });
    underWay = { abort, done };
  }

  function onAnswer(answer: AcquiredLease): void {
    // An answer that comes after the lease's own end extends nothing: somebody may have acted on that end.
    if (stopped || lost !== undefined || leftMs() <= 0) return;
    if (answer.deadline.remainingMs() > deadline.remainingMs()) deadline = answer.deadline;
    failures = 0;
    lastFailure = undefined;
    // At least half an interval, should the service ever answer with less than it promised.
    due = new Countdown(clock, Math.max(untilDue().remainingMs(), keepAliveEveryMs / 2));
  }

  function onFailure(error: OrchestratorError): void {
    if (stopped || lost !== undefined) return;
    lastFailure = error;
    if (isFinal(error)) lose(error);
    due = new Countdown(clock, Math.min(keepAliveEveryMs, backOffMs(failures, random)));
    failures += 1;
  }

  function lose(error: OrchestratorError): void {
    lost = error;
    options.onLost(error);
  }

  return {
    remainingMs: () => (mayBeTaken(lost) ? 0 : Math.max(0, deadline.remainingMs())),
    lostBecause: () => lost,
    stop: async () => {
      stopped = true;
      cancelTimer();
      underWay?.abort.abort();
      await underWay?.done;
      // Work that never let a timer run, or ended right after a suspension.
      if (lost === undefined && deadline.remainingMs() <= 0) {
        lost = new LeaseLostError('lease_lost', 'The lease may have lapsed before the work was done');
      }
    },
  };
}

/** A key whose lease an admin ended cools until the holder's own deadline; any other end may have freed it by now. */
function mayBeTaken(lost: OrchestratorError | undefined): boolean {
  return lost instanceof LeaseEndedError && lost.reason !== 'unblocked' && lost.reason !== 'deleted';
}

/** What the service will say again. All else may pass: the lease is held, and tried to be kept, to its end. */
function isFinal(error: OrchestratorError): boolean {
  return (
    error instanceof LeaseEndedError ||
    error instanceof UnauthenticatedError ||
    error instanceof ForbiddenError ||
    error instanceof InvalidRequestError
  );
}
