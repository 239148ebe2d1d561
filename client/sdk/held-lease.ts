import type { HeldLease as AcquiredLease, Lease } from '../../shared/contract/leases.ts';
import type { LeaseEndReason } from '../../shared/contract/problems.ts';
import type { Countdown } from './clock.ts';
import { LeaseEndedError, LeaseLostError, type OrchestratorError, UnexpectedAnswerError } from './errors.ts';
import type { Outcome } from './leases.ts';

/** What is known here about the time of a lease that you hold. */
export interface LeaseTime {
  /**
   * Milliseconds for which the key is certainly yours if no keep-alive comes, counted on this machine's own clocks from
   * before the lease was asked for; 0 as soon as this client knows that the lease is over or was lost.
   */
  remainingMs(): number;
  /**
   * For work that blocks the event loop, where no signal can be aborted: call it between two steps.
   * @throws LeaseEndedError or LeaseLostError when the lease is over or was lost
   */
  throwIfLost(): void;
  /**
   * Milliseconds in which to stop: until then nobody else gets the key. It is the rest of the lease, also when it was
   * lost by our own clocks, or when an admin ended it (without force: the key cools until then); 0 after any other end.
   */
  graceMs(): number;
}

/** A lease of yours, as a keep-alive answers it: without the key's value. */
export interface KeptLease extends Lease, LeaseTime {}

/** A lease of yours, with what it gives you. */
export interface HeldLease extends AcquiredLease, LeaseTime {
  /** How `withLease` releases it: `ok` unless told; `cooldown` lets the key rest, `discard` deletes it for good. */
  releaseAs(outcome: Outcome): void;
}

/** What this client knows about the time of one lease. */
export class LeaseTerm {
  readonly lease: Lease | AcquiredLease;
  /** How it is to be released. */
  outcome: Outcome | undefined;
  /** Set while the lease is kept alive: checks the time, and is told of the end. */
  keeper: { look(): void; onEnd(error: OrchestratorError): void } | undefined;
  #deadline: Countdown;
  #endedBy: OrchestratorError | undefined;

  constructor(lease: Lease | AcquiredLease, deadline: Countdown) {
    this.lease = lease;
    this.#deadline = deadline;
  }

  /** Why the lease is over or lost; undefined while it is neither. Final. */
  get endedBy(): OrchestratorError | undefined {
    return this.#endedBy;
  }

  extend(deadline: Countdown): void {
    if (deadline.remainingMs() > this.#deadline.remainingMs()) this.#deadline = deadline;
  }

  end(error: OrchestratorError): void {
    if (this.#endedBy !== undefined) return;
    this.#endedBy = error;
    this.keeper?.onEnd(error);
  }

  /** Milliseconds until the lease could lapse, whatever became of it. */
  untilDeadlineMs(): number {
    return Math.max(0, this.#deadline.remainingMs());
  }

  /** The lease as it was acquired, with what is known about it here. */
  toHeldLease(): HeldLease {
    return {
      ...(this.lease as AcquiredLease),
      ...this.time(),
      releaseAs: (outcome) => {
        this.outcome = outcome;
      },
    };
  }

  time(): LeaseTime {
    return {
      remainingMs: () => (this.#endedBy === undefined ? this.untilDeadlineMs() : 0),
      throwIfLost: () => {
        this.keeper?.look();
        if (this.#endedBy !== undefined) throw this.#endedBy;
        if (this.untilDeadlineMs() === 0) {
          throw new LeaseLostError('lease_lost', 'The lease was not kept alive in time');
        }
      },
      graceMs: () => (this.#isKeyKept() ? this.untilDeadlineMs() : 0),
    };
  }

  #isKeyKept(): boolean {
    const error = this.#endedBy;
    return !(error instanceof LeaseEndedError) || error.reason === 'unblocked' || error.reason === 'deleted';
  }
}

/** The live leases of one client. Whichever call learns that a lease is over, all who hold it see it. */
export class HeldLeases {
  readonly #terms = new Map<string, LeaseTerm>();

  /** A lease that was acquired or extended. */
  hold(lease: Lease | AcquiredLease, deadline: Countdown): LeaseTerm {
    const known = this.#terms.get(lease.leaseId);
    if (known !== undefined) {
      known.extend(deadline);
      return known;
    }
    // Leases that were left to lapse are never ended: drop them here.
    for (const [leaseId, term] of this.#terms) {
      if (term.untilDeadlineMs() === 0) this.#terms.delete(leaseId);
    }
    const term = new LeaseTerm(lease, deadline);
    this.#terms.set(lease.leaseId, term);
    return term;
  }

  end(leaseId: string, error: OrchestratorError): void {
    const term = this.#terms.get(leaseId);
    this.#terms.delete(leaseId);
    term?.end(error);
  }

  /** A call of this client ended all leases that match. */
  endMatching(matches: (lease: Lease) => boolean, reason: LeaseEndReason): void {
    for (const { lease } of [...this.#terms.values()]) {
      if (matches(lease)) this.end(lease.leaseId, endedHere(reason));
    }
  }
}

/** The lease was ended by a call of this client. */
export function endedHere(reason: LeaseEndReason): LeaseEndedError {
  return new LeaseEndedError(`The lease is over (${reason})`, reason);
}

/** How long the lease was when it began, in milliseconds: shorter where the pool's `maxLeaseSeconds` ends it. */
export function lengthMsOf({ keepAliveEveryMs, expiresAt, maxExpiresAt, expiresInMs }: Lease): number {
  return expiresAt === maxExpiresAt ? expiresInMs : 3 * keepAliveEveryMs;
}

/** The url may be that of some other service. @throws UnexpectedAnswerError */
export function checkLease(lease: Lease | undefined): void {
  if (
    typeof lease?.leaseId !== 'string' ||
    !Number.isFinite(lease.expiresInMs) ||
    !Number.isFinite(lease.keepAliveEveryMs)
  ) {
    throw new UnexpectedAnswerError('unexpected_answer', 'The response is not a lease: check the url');
  }
}
