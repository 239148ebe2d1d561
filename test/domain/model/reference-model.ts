import type { LeaseEndReason } from '../../../shared/domain/errors.ts';
import type { KeyState } from '../../../shared/domain/key.ts';
import { SECOND, TOLERANCE } from '../support/world.ts';

export const MODEL_LEASE = 10 * SECOND;
export const MODEL_KEY_LIFE = 30 * SECOND;
/** What a caller is told to wait where no key is leased or cooling. */
const EMPTY_POOL_RETRY = 5 * SECOND;

interface ModelLease {
  readonly leaseId: string;
  readonly clientId: string;
  readonly leaseMs: number;
  expiresAt: number;
}

export interface ModelKey {
  readonly keyId: string;
  token: number;
  freeAt: number;
  expiresAt: number;
  isDeleted: boolean;
  lease?: ModelLease | undefined;
  last?: { leaseId: string; clientId: string; reason: LeaseEndReason } | undefined;
  /** Client and idempotency key of the latest acquire. */
  request?: string | undefined;
}

/** What an operation on a lease finds. */
export type Finding = 'live' | 'forbidden' | LeaseEndReason;

/** One pool as the rules describe it, in the plainest way: one thing after the other, in memory. */
export class ReferenceModel {
  now: number;
  readonly keys = new Map<string, ModelKey>();
  /** Every lease that was ever given, by id. */
  readonly leases = new Map<string, { keyId: string; clientId: string }>();

  constructor(now: number) {
    this.now = now;
  }

  visibleKeys(): ModelKey[] {
    return [...this.keys.values()].filter((key) => this.isVisible(key));
  }

  isVisible(key: ModelKey | undefined): key is ModelKey {
    return key !== undefined && !key.isDeleted && key.expiresAt > this.now;
  }

  isLive(key: ModelKey): boolean {
    return key.lease !== undefined && key.lease.expiresAt > this.now;
  }

  stateOf(key: ModelKey): KeyState {
    if (this.isLive(key)) return 'leased';
    return key.freeAt > this.now ? 'cooling' : 'free';
  }

  carrierOf(request: string | undefined): ModelKey | undefined {
    return request === undefined ? undefined : [...this.keys.values()].find((key) => key.request === request);
  }

  claimableKeys(): ModelKey[] {
    return this.visibleKeys().filter((key) => key.freeAt <= this.now);
  }

  retryAfterMs(): number {
    const waits = this.visibleKeys().map((key) => key.freeAt - this.now);
    return waits.length === 0 ? EMPTY_POOL_RETRY : Math.min(...waits);
  }

  create(keyId: string): void {
    const { now } = this;
    this.keys.set(keyId, {
      keyId,
      token: now,
      freeAt: now,
      expiresAt: now + MODEL_KEY_LIFE,
      isDeleted: false,
    });
  }

  acquire(key: ModelKey, lease: Omit<ModelLease, 'expiresAt'>, token: number, request?: string): void {
    this.end(key, 'lapsed');
    key.lease = { ...lease, expiresAt: 0 };
    key.token = token;
    key.request = request;
    this.leases.set(lease.leaseId, { keyId: key.keyId, clientId: lease.clientId });
    this.extend(key, key.lease);
  }

  extend(key: ModelKey, lease: ModelLease): void {
    lease.expiresAt = Math.max(lease.expiresAt, this.now + lease.leaseMs);
    key.freeAt = Math.max(key.freeAt, lease.expiresAt + TOLERANCE);
    this.refresh(key);
  }

  refresh(key: ModelKey): void {
    key.expiresAt = Math.max(key.expiresAt, this.now + MODEL_KEY_LIFE, key.freeAt);
  }

  /** What a client that names this lease finds; a lapse that is found is written down. */
  find(leaseId: string, clientId: string): Finding {
    const key = this.keys.get(this.leases.get(leaseId)?.keyId ?? '');
    if (key?.lease?.leaseId === leaseId) {
      if (key.lease.clientId !== clientId) return 'forbidden';
      if (this.isLive(key)) return 'live';
      this.end(key, 'lapsed');
      return 'lapsed';
    }
    if (key?.last?.leaseId !== leaseId) return 'unknown';
    return key.last.clientId === clientId ? key.last.reason : 'forbidden';
  }

  /** Ends the lease that stands on the key, if any. */
  end(key: ModelKey, reason: LeaseEndReason): void {
    if (key.lease === undefined) return;
    key.last = { leaseId: key.lease.leaseId, clientId: key.lease.clientId, reason };
    key.lease = undefined;
  }

  /** When a key is free whose lease an admin ends. */
  freeAtAfter(key: ModelKey, isForced: boolean): number {
    return isForced ? Math.min(key.freeAt, this.now) : key.freeAt;
  }

  delete(key: ModelKey, isForced: boolean): void {
    this.end(key, 'deleted');
    key.isDeleted = true;
    key.freeAt = this.freeAtAfter(key, isForced);
    key.expiresAt = key.freeAt;
    key.request = undefined;
  }

  /** Answers how many lapsed leases it found. */
  sweep(): number {
    let lapsed = 0;
    for (const key of this.keys.values()) {
      if (key.lease !== undefined && key.freeAt <= this.now) {
        this.end(key, 'lapsed');
        lapsed += 1;
      }
      if (key.expiresAt <= this.now) this.keys.delete(key.keyId);
    }
    return lapsed;
  }
}
