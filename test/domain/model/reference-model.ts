import type { LeaseEndReason } from '../../../shared/domain/errors.ts';
import { type Key, keyStateAt, liveLeaseAt } from '../../../shared/domain/key.ts';
import { decodeLeaseId, type LeaseId } from '../../../shared/domain/lease-id.ts';
import { KeyModel } from '../../store/contract/key-model.ts';
import { SECOND, TOLERANCE } from '../support/world.ts';

export const MODEL_LEASE = 10 * SECOND;
export const MODEL_KEY_LIFE = 30 * SECOND;
/** What a caller is told to wait where no key is leased or cooling. */
const EMPTY_POOL_RETRY = 5 * SECOND;

/** What an operation on a lease finds. */
export type Finding = 'live' | 'forbidden' | LeaseEndReason;

/** What an acquire asked for. */
interface Asked {
  readonly clientId: string;
  /** Client and idempotency key. */
  readonly request: string | undefined;
  readonly leaseSeconds: number | undefined;
}

/** One pool as the rules describe it, in the plainest way: one thing after the other, in memory. */
export class ReferenceModel {
  now: number;
  readonly store = new KeyModel();
  /** Every lease that was ever given. */
  readonly leaseIds: string[] = [];
  /** The request hash that a client's idempotency key stands for, and the lease length that a body asks for. */
  readonly #hashes = new Map<string, string>();
  readonly #lengths = new Map<string, number | undefined>();

  constructor(now: number) {
    this.now = now;
  }

  keys(): Key[] {
    return [...this.store.keys.values()];
  }

  visibleKeys(): Key[] {
    return this.store.visible(this.now);
  }

  isVisible({ keyId }: Key): boolean {
    return this.visibleKeys().some((key) => key.keyId === keyId);
  }

  /** The key on which the lease of an earlier request with this idempotency key stands, or stood last. */
  carrierOf(request: string | undefined): Key | null {
    const hash = request && this.#hashes.get(request);
    return hash === undefined ? null : this.store.confirmRequest(hash);
  }

  /** The lease length that the request asked for whose hash the key carries. */
  lengthAskedOf({ requestBody }: Key): number | undefined {
    return this.#lengths.get(requestBody ?? '');
  }

  retryAfterMs(): number {
    const nextFreeAt = this.store.nextFreeAt(this.now);
    return nextFreeAt === undefined ? EMPTY_POOL_RETRY : nextFreeAt - this.now;
  }

  /** What every key is like that is created now; slots and ids are random. */
  newKey(): Partial<Key> {
    const { now } = this;
    return {
      state: 'free',
      fencingToken: now,
      createdAt: now,
      freeAt: now - TOLERANCE,
      expiresAt: now + MODEL_KEY_LIFE,
    };
  }

  /** Leases the key; what an acquire chose by itself is taken from the key as it is stored. */
  acquire(key: Key, leaseId: string, stored: Key, asked: Asked): void {
    const { clientId, request, leaseSeconds } = asked;
    const { requestHash, requestBody } = request === undefined ? ({} as Partial<Key>) : stored;
    const { proof, pool, leaseMs } = readLeaseId(leaseId);
    const lease = { id: proof, clientId, acquiredAt: this.now, expiresAt: this.now + leaseMs };
    const claim = { pool, now: this.now, lease, ...this.#endsAfter(leaseMs), requestHash, requestBody };
    if (request !== undefined) {
      this.#hashes.set(request, requestHash as string);
      this.#lengths.set(requestBody as string, leaseSeconds);
    }
    this.store.reclaim(key, claim);
    this.leaseIds.push(leaseId);
  }

  extend(leaseId: string, clientId: string): Key | null {
    const { keyId, pool, proof, leaseMs } = readLeaseId(leaseId);
    const { now } = this;
    const held = { keyId, pool, leaseId: proof, clientId, now };
    return this.store.extend({ ...held, leaseExpiresAt: now + leaseMs, ...this.#endsAfter(leaseMs) });
  }

  release(leaseId: string, clientId: string): void {
    const { keyId, pool, proof } = readLeaseId(leaseId);
    const { now } = this;
    const held = { keyId, pool, leaseId: proof, clientId, now };
    this.store.release({ ...held, freeAt: now - TOLERANCE, discard: false, forget: false });
  }

  #endsAfter(leaseMs: number): { freeAt: number; keyExpiresAt: number } {
    const freeAt = this.now + leaseMs + TOLERANCE;
    return { freeAt, keyExpiresAt: Math.max(this.now + MODEL_KEY_LIFE, freeAt) };
  }

  refresh({ keyId }: Key): Key | null {
    return this.store.refresh({ keyId, now: this.now, keyExpiresAt: this.now + MODEL_KEY_LIFE });
  }

  /** What a client that names this lease finds; a lapse that is found is written down. */
  find(leaseId: string, clientId: string): Finding {
    const { keyId, proof } = readLeaseId(leaseId);
    const key = this.store.keys.get(keyId);
    if (key?.lease?.id === proof) {
      if (key.lease.clientId !== clientId) return 'forbidden';
      return liveLeaseAt(this.recordLapse(key), this.now) === undefined ? 'lapsed' : 'live';
    }
    if (key?.lastLease?.id !== proof) return 'unknown';
    return key.lastLease.clientId === clientId ? key.lastLease.reason : 'forbidden';
  }

  /** Writes down that the lease on the key has lapsed, if so; the key as it is then. */
  recordLapse({ keyId, lease }: Key): Key {
    if (lease !== undefined) this.store.recordLapse({ keyId, leaseId: lease.id, now: this.now });
    return this.store.keys.get(keyId) as Key;
  }

  /** The key as it is then; undefined: it was free. A key that cools stays as it is unless it is freed early. */
  unblock(found: Key, isForced: boolean): Key | undefined {
    const key = this.recordLapse(found);
    if (keyStateAt(key, this.now) === 'free') return undefined;
    return this.store.unblock(key, this.#freeAtAfter(key, isForced)) as Key;
  }

  delete(found: Key, isForced: boolean): void {
    const key = this.recordLapse(found);
    this.store.delete(key, this.#freeAtAfter(key, isForced));
  }

  /** When a key is free whose lease an admin ends. */
  #freeAtAfter(key: Key, isForced: boolean): number {
    return isForced ? Math.min(key.freeAt, this.now - TOLERANCE) : key.freeAt;
  }

  /** Returns how many lapsed leases it found. */
  sweep(): number {
    const lapsed = this.keys().filter((key) => key.lease !== undefined && key.freeAt <= this.now);
    for (const key of lapsed) this.recordLapse(key);
    this.store.removeExpired(this.now);
    return lapsed.length;
  }
}

export function readLeaseId(leaseId: string): LeaseId {
  return decodeLeaseId(leaseId) as LeaseId;
}
