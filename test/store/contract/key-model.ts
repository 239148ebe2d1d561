import {
  type Key,
  type KeyState,
  keyStateAt,
  type LastLease,
  NEVER_EXPIRES,
  type Pause,
} from '../../../shared/domain/key.ts';
import type {
  Claim,
  ClaimResult,
  Extension,
  HeldLease,
  Lifetime,
  Release,
  SlotRange,
} from '../../../shared/domain/store.ts';

/** The rules of a key store once more, over a map and one call at a time: what a store under test is compared with. */
export class KeyModel {
  readonly keys = new Map<string, Key>();
  /** Every lease that was recorded as lapsed: its key and its fencing token. */
  readonly lapses: Pick<Key, 'keyId' | 'fencingToken'>[] = [];

  create(key: Key): void {
    this.keys.set(key.keyId, key);
  }

  /** The keys that a claim may pick. */
  inRange(claim: Claim, { from, to }: SlotRange): Key[] {
    return this.claimable(claim).filter((key) => key.state === 'free' && key.slot >= from && key.slot < to);
  }

  /** The keys that are free by now, the last used first. */
  claimable({ now, requestHash }: Pick<Claim, 'now' | 'requestHash'>): Key[] {
    return this.inState('free', now)
      .filter((key) => requestHash === undefined || key.requestHash !== requestHash)
      .toSorted((one, other) => other.freeAt - one.freeAt);
  }

  nextFreeAt(now: number): number | undefined {
    const times = this.visible(now).flatMap((key) => (key.paused === undefined ? [key.freeAt] : []));
    const next = Math.min(...times.filter((freeAt) => freeAt > now));
    return next === Number.POSITIVE_INFINITY ? undefined : next;
  }

  /** A claim of exactly this key. */
  reclaim(found: Key, claim: Claim): ClaimResult {
    const key = this.#asFound(found);
    if (key === undefined || !this.claimable(claim).includes(key)) return null;
    const [refusal] = this.refusalsOf(claim, key);
    if (refusal !== undefined) return refusal;
    const { requestHash, requestBody, clientSeat } = claim;
    return this.#write({
      ...this.#lapse(key),
      state: 'leased',
      lease: claim.lease,
      freeAt: claim.freeAt,
      expiresAt: Math.max(key.expiresAt, claim.keyExpiresAt),
      fencingToken: key.fencingToken + 1,
      requestHash,
      requestBody,
      clientSeat,
    });
  }

  /** What stands on another key than this one, so that the claim is refused; where there are two, a store may tell either. */
  refusalsOf({ requestHash, clientSeat }: Claim, { keyId }: Key): ('repeated' | 'client_seat_taken')[] {
    const others = [...this.keys.values()].filter((key) => key.keyId !== keyId);
    const isRepeated = requestHash !== undefined && others.some((key) => key.requestHash === requestHash);
    const isTaken = clientSeat !== undefined && others.some((key) => key.clientSeat === clientSeat);
    return [
      ...(isRepeated ? (['repeated'] as const) : []),
      ...(isTaken ? (['client_seat_taken'] as const) : []),
    ];
  }

  confirmRequest(requestHash: string): Key | null {
    return [...this.keys.values()].find((key) => key.requestHash === requestHash) ?? null;
  }

  extend(extension: Extension): Key | null {
    const key = this.#held(extension);
    if (key?.lease === undefined) return null;
    return this.#write({
      ...key,
      lease: { ...key.lease, expiresAt: Math.max(key.lease.expiresAt, extension.leaseExpiresAt) },
      freeAt: Math.max(key.freeAt, extension.freeAt),
      expiresAt: Math.max(key.expiresAt, extension.keyExpiresAt),
    });
  }

  release(release: Release): { acquiredAt: number } | null {
    const key = this.#held(release);
    if (key?.lease === undefined) return null;
    const { freeAt, discard, forget } = release;
    const { requestHash, requestBody, ...ended } = endLease(key, 'released');
    const request = discard || forget ? {} : { requestHash, requestBody };
    const expiresAt = discard ? freeAt : Math.max(key.expiresAt, freeAt);
    this.#write({ ...ended, ...request, state: discard ? 'deleted' : 'free', freeAt, expiresAt });
    return { acquiredAt: key.lease.acquiredAt };
  }

  recordLapse({ keyId, leaseId, now }: { keyId: string; leaseId: string; now: number }): boolean {
    const key = this.keys.get(keyId);
    if (key?.lease?.id !== leaseId || key.lease.expiresAt > now) return false;
    this.#write({ ...this.#lapse(key), state: 'free' });
    return true;
  }

  recordLapses(now: number): number {
    const leased = [...this.keys.values()].filter((key) => key.lease !== undefined);
    return leased.filter((key) => this.recordLapse({ keyId: key.keyId, leaseId: key.lease?.id ?? '', now }))
      .length;
  }

  unblock(found: Key, freeAt: number): Key | null {
    const key = this.#asFound(found);
    return key === undefined ? null : this.#write({ ...endLease(key, 'unblocked'), state: 'free', freeAt });
  }

  delete(found: Key, freeAt: number): boolean {
    const key = this.#asFound(found);
    if (key === undefined) return false;
    const gone = { state: 'deleted', requestHash: undefined, requestBody: undefined } as const;
    this.#write({ ...endLease(key, 'deleted'), ...gone, freeAt, expiresAt: freeAt });
    return true;
  }

  pause({ keyId, now, paused }: { keyId: string; now: number; paused: Pause }): Key | null {
    const key = this.visible(now).find((visible) => visible.keyId === keyId);
    if (key === undefined || key.paused !== undefined) return null;
    return this.#write({ ...key, paused, expiresAt: NEVER_EXPIRES });
  }

  resume(found: Key, expiresAt: number): Key | null {
    const key = this.#asFound(found);
    if (key?.paused === undefined || key.paused.at !== found.paused?.at) return null;
    return this.#write({ ...key, paused: undefined, expiresAt });
  }

  refresh({ keyId, now, keyExpiresAt }: { keyId: string; now: number; keyExpiresAt: number }): Key | null {
    const key = this.visible(now).find((visible) => visible.keyId === keyId);
    return key === undefined
      ? null
      : this.#write({ ...key, expiresAt: Math.max(key.expiresAt, keyExpiresAt) });
  }

  applyLifetime({ now, expiresAt, latest }: Lifetime): { moved: number; complete: boolean } {
    let moved = 0;
    let complete = true;
    for (const key of this.visible(now).filter(
      ({ value, paused }) => value === undefined && paused === undefined,
    )) {
      const isLate = key.expiresAt > latest;
      if (isLate && key.freeAt > expiresAt) complete = false;
      else if (isLate || key.expiresAt < expiresAt) {
        this.#write({ ...key, expiresAt });
        moved += 1;
      }
    }
    return { moved, complete };
  }

  removeExpired(now: number): void {
    for (const key of this.keys.values()) if (key.expiresAt <= now) this.keys.delete(key.keyId);
  }

  visible(now: number): Key[] {
    return [...this.keys.values()].filter((key) => key.state !== 'deleted' && key.expiresAt > now);
  }

  inState(state: KeyState, now: number): Key[] {
    return this.visible(now).filter((key) => keyStateAt(key, now) === state);
  }

  #lapse(key: Key): Key {
    const { keyId, fencingToken, lease } = key;
    if (lease !== undefined) this.lapses.push({ keyId, fencingToken });
    return endLease(key, 'lapsed');
  }

  #asFound(found: Key): Key | undefined {
    const key = this.keys.get(found.keyId);
    const stands =
      key?.state === found.state &&
      key.state !== 'deleted' &&
      key.fencingToken === found.fencingToken &&
      key.freeAt === found.freeAt &&
      key.lease?.id === found.lease?.id;
    return stands ? key : undefined;
  }

  #held({ keyId, pool, leaseId, clientId, now }: HeldLease): Key | undefined {
    const key = this.visible(now).find((visible) => visible.keyId === keyId && visible.pool === pool);
    const isHolder = key?.lease?.id === leaseId && key.lease.clientId === clientId;
    return isHolder && keyStateAt(key, now) === 'leased' ? key : undefined;
  }

  #write(key: Key): Key {
    this.keys.set(key.keyId, key);
    return key;
  }
}

function endLease({ lease, ...key }: Key, reason: LastLease['reason']): Key {
  return lease === undefined
    ? key
    : { ...key, clientSeat: undefined, lastLease: { id: lease.id, clientId: lease.clientId, reason } };
}
