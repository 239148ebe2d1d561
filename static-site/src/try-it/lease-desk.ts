import { effect, type ReadonlySignal, signal } from '@preact/signals';
import { LeaseEndedError } from '../../../client/sdk/errors.ts';
import type { AcquireLeaseRequest, HeldLease, Lease } from '../../../shared/contract/leases.ts';
import type { LeaseEndReason } from '../../../shared/contract/problems.ts';
import type { Answer, Api } from '../api/api.ts';
import { explainLeaseEnd, explainOutage } from '../api/explain-error.ts';
import { startPolling } from '../poll/start-polling.ts';
import { endSessionIfRejected } from '../session/session.ts';
import { nowMs } from '../time/clock.ts';
import { createLeaseLog, type LeaseLog } from './lease-log.ts';

/** How often the list of own leases is polled while the page is open, in milliseconds. */
const LIST_EVERY_MS = 4000;
const LIST_LIMIT = 100;
/** The pause before an automatic keep-alive that failed is repeated, in milliseconds. */
const RETRY_MS = 1000;

/** A lease of this client, as far as this page knows. */
export interface DeskLease {
  /** The value only where this page acquired it, or asked for it by itself. */
  readonly lease: Lease & Partial<HeldLease>;
  /** When it is over unless kept alive: counted on the monotonic clock from before the request was sent. */
  readonly deadline: number;
  /** When the request of the newest response was sent. */
  readonly sentAt: number;
  /** Set once it is over. */
  readonly ended?: LeaseEndReason;
  readonly isAutomatic: boolean;
}

export interface LeaseDesk {
  readonly leases: ReadonlySignal<readonly DeskLease[]>;
  readonly log: LeaseLog;
  /** Whether the list of leases was loaded. */
  readonly isListed: ReadonlySignal<boolean>;
  acquire(request: AcquireLeaseRequest): Promise<void>;
  keepAlive(leaseId: string): Promise<void>;
  release(leaseId: string): Promise<void>;
  setAutomatic(leaseId: string, isAutomatic: boolean): void;
  /** Takes an ended lease off the page. */
  forget(leaseId: string): void;
  /** Polls the leases, until the returned function is called. */
  watch(): () => void;
  stop(): void;
}

/** Holds leases as a program would: keeps them alive on request or by itself, and notices when they are over. */
export function createLeaseDesk(api: Api): LeaseDesk {
  const leases = signal<readonly DeskLease[]>([]);
  const isListed = signal(false);
  const log = createLeaseLog();
  const timers = new Map<string, ReturnType<typeof setTimeout>>();

  const find = (leaseId: string): DeskLease | undefined =>
    leases.peek().find(({ lease }) => lease.leaseId === leaseId);
  const change = (leaseId: string, changed: Partial<DeskLease>): void => {
    leases.value = leases
      .peek()
      .map((held) => (held.lease.leaseId === leaseId ? { ...held, ...changed } : held));
  };

  /** Stores a response about a lease. An older one never shortens the deadline of a newer one. */
  const take = ({ body: lease, sentAt }: Answer<DeskLease['lease']>): void => {
    const known = find(lease.leaseId);
    const deadline = sentAt + lease.expiresInMs;
    if (known === undefined) {
      leases.value = [{ lease, deadline, sentAt, isAutomatic: false }, ...leases.peek()];
    } else if (sentAt >= known.sentAt) {
      const { ended: _, ...rest } = known;
      const fresh = {
        ...rest,
        lease: { ...known.lease, ...lease },
        sentAt,
        deadline: Math.max(deadline, known.deadline),
      };
      leases.value = leases.peek().map((held) => (held.lease.leaseId === lease.leaseId ? fresh : held));
    }
  };

  const end = (leaseId: string, reason: LeaseEndReason): void => {
    clearTimeout(timers.get(leaseId));
    const known = find(leaseId);
    if (known === undefined || known.ended !== undefined) return;
    change(leaseId, { ended: reason, isAutomatic: false });
    log.add(reason === 'released' ? 'good' : 'bad', explainLeaseEnd(reason), known.lease.keyId);
  };

  const endIfOver = (leaseId: string, error: unknown): boolean => {
    if (!(error instanceof LeaseEndedError)) return false;
    if (find(leaseId)?.ended === undefined) end(leaseId, error.reason);
    return true;
  };

  const keepAlive = async (leaseId: string): Promise<void> => {
    try {
      const answer = await api.keepAliveLease(leaseId);
      take(answer);
      log.add(
        'good',
        `Kept alive for another ${Math.round(answer.body.expiresInMs / 1000)} s`,
        answer.body.keyId,
      );
      if (find(leaseId)?.isAutomatic) schedule(leaseId);
    } catch (error) {
      endSessionIfRejected(error);
      if (endIfOver(leaseId, error)) {
        log.add(
          'bad',
          `Keep-alive answered 410 lease_ended, reason ${(error as LeaseEndedError).reason}`,
          find(leaseId)?.lease.keyId,
        );
      }
      throw error;
    }
  };

  const schedule = (leaseId: string): void => {
    clearTimeout(timers.get(leaseId));
    const held = find(leaseId);
    if (held === undefined) return;
    const due = held.sentAt + held.lease.keepAliveEveryMs;
    timers.set(
      leaseId,
      setTimeout(() => void beat(leaseId), Math.max(0, due - performance.now())),
    );
  };

  const beat = async (leaseId: string): Promise<void> => {
    const held = find(leaseId);
    if (held === undefined || held.ended !== undefined || !held.isAutomatic) return;
    try {
      await keepAlive(leaseId);
    } catch (error) {
      if (find(leaseId)?.ended !== undefined) return;
      log.add('bad', explainOutage(error), held.lease.keyId);
      timers.set(
        leaseId,
        setTimeout(() => void beat(leaseId), RETRY_MS),
      );
    }
  };

  /** A lease that is missing in the list is over. Reading it returns why. */
  const askWhy = async (leaseId: string): Promise<void> => {
    try {
      take(await api.getLease(leaseId));
    } catch (error) {
      endIfOver(leaseId, error);
    }
  };

  const list = async (abort: AbortSignal): Promise<void> => {
    try {
      const { body, sentAt } = await api.listLeases(LIST_LIMIT, abort);
      if (abort.aborted) return;
      for (const lease of body.leases)
        if (find(lease.leaseId)?.ended === undefined) take({ body: lease, sentAt });
      isListed.value = true;
      if (body.nextCursor !== undefined) return;
      const listed = new Set(body.leases.map(({ leaseId }) => leaseId));
      const missing = leases.peek().filter((held) => held.ended === undefined && held.sentAt < sentAt);
      for (const { lease } of missing) if (!listed.has(lease.leaseId)) await askWhy(lease.leaseId);
    } catch (error) {
      if (!abort.aborted) endSessionIfRejected(error);
      throw error;
    }
  };

  // The holder's own clock decides: at the deadline the lease counts as lost, whatever the service may say later.
  const stopWatchingDeadlines = effect(() => {
    const now = nowMs.value;
    for (const { lease, deadline, ended } of leases.peek()) {
      if (ended === undefined && deadline <= now) end(lease.leaseId, 'lapsed');
    }
  });

  return {
    leases,
    log,
    isListed,
    acquire: async (request) => {
      const answer = await api.acquireLease(request);
      take(answer);
      log.add('good', `Acquired a key of ${answer.body.pool}`, answer.body.keyId);
    },
    keepAlive,
    release: async (leaseId) => {
      try {
        await api.releaseLease(leaseId);
        end(leaseId, 'released');
      } catch (error) {
        endSessionIfRejected(error);
        endIfOver(leaseId, error);
        throw error;
      }
    },
    setAutomatic: (leaseId, isAutomatic) => {
      change(leaseId, { isAutomatic });
      if (isAutomatic) schedule(leaseId);
      else clearTimeout(timers.get(leaseId));
    },
    forget: (leaseId) => {
      leases.value = leases.peek().filter(({ lease }) => lease.leaseId !== leaseId);
    },
    watch: () => {
      const polling = startPolling({ everyMs: () => LIST_EVERY_MS, ask: list });
      return () => polling.stop();
    },
    stop: () => {
      stopWatchingDeadlines();
      for (const timer of timers.values()) clearTimeout(timer);
    },
  };
}
