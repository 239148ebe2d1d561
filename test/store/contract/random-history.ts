import { expect } from 'vitest';
import type { Key } from '../../../shared/domain/key.ts';
import { poolReference } from '../../../shared/domain/pool.ts';
import type { Claim, ClaimResult, Store } from '../../../shared/domain/store.ts';
import { KeyModel } from './key-model.ts';
import type { Step } from './random-step.ts';
import {
  expectKey,
  KEY_LIFE_MS,
  lapsesOf,
  leaseOf,
  listAll,
  makeClaim,
  makeExtension,
  makeKey,
  makeRelease,
  NOW,
  SECOND,
  TOLERANCE_MS,
} from './scene.ts';

let histories = 0;

/** A history of one pool: each step is carried out by the store and by the model, which must agree. */
export class RandomHistory {
  readonly #store: Store;
  readonly #model = new KeyModel();
  readonly #name: string;
  readonly #pool: string;
  /** Keys as they were answered when they were leased or looked at. */
  readonly #seen: Key[] = [];
  /** Until when a key's holder relies on it: neither did it give up the lease, nor was it forced off. */
  readonly #promisedUntil = new Map<string, number>();
  #clock = NOW;

  constructor(store: Store) {
    histories += 1;
    this.#store = store;
    this.#name = `history-${histories}`;
    this.#pool = poolReference({ name: this.#name, generation: 1 });
  }

  async take(step: Step): Promise<void> {
    this.#clock += step.afterMs;
    await this.#carryOut(step, this.#clock + step.skewMs - step.lateMs);
    for (const key of this.#model.keys.values()) {
      expect(await this.#store.keys.getStored(key.keyId)).toEqual(key);
      expect(key.expiresAt).toBeGreaterThanOrEqual(key.freeAt);
      const leaseEnd = key.lease?.expiresAt ?? Number.NEGATIVE_INFINITY;
      expect(key.freeAt).toBeGreaterThanOrEqual(leaseEnd + TOLERANCE_MS);
    }
  }

  /** What is listed, counted and found agrees too, from before this moment until the keys have expired. */
  async compareReads(): Promise<void> {
    for (let now = this.#clock - 60 * SECOND; now < this.#clock + 2 * KEY_LIFE_MS; now += 17 * SECOND) {
      const query = { pool: this.#pool, now, limit: 1000 };
      const inState = { free: 0, leased: 0, cooling: 0, paused: 0 };
      for (const state of ['free', 'leased', 'cooling', 'paused'] as const) {
        const expected = this.#model.inState(state, now);
        inState[state] = expected.length;
        expect(idsOf(await listAll(this.#store, { ...query, state }))).toEqual(idsOf(expected));
      }
      const nextFreeAt = this.#model.nextFreeAt(now);
      expect(await this.#store.keys.count(query)).toEqual({ ...inState, nextFreeAt });
      const lapsed = [...this.#model.keys.values()].filter(
        (key) => key.lease !== undefined && key.freeAt <= now,
      );
      const found = await this.#store.keys.listLapsed({ ...query, pools: [this.#pool] });
      expect(idsOf(found)).toEqual(idsOf(lapsed));
    }
  }

  async #carryOut(step: Step, now: number): Promise<void> {
    const { keys } = this.#store;
    const model = this.#model;
    if (step.verb === 'create' || model.keys.size === 0) return this.#create(step, now);
    const found = await this.#look(step);
    const freeAt = step.force ? Math.min(found.freeAt, now - TOLERANCE_MS) : found.freeAt;
    switch (step.verb) {
      case 'claim':
        return this.#claim(step, now);
      case 'acquire':
        return this.#acquire(step, now);
      case 'reclaim': {
        const claim = this.#makeClaim(step, now);
        return this.#expectGrant(await keys.reclaim(found, claim), model.reclaim(found, claim), claim, found);
      }
      case 'refresh': {
        const query = { keyId: found.keyId, now, keyExpiresAt: now + KEY_LIFE_MS };
        return expect(await keys.refresh(query)).toEqual(model.refresh(query));
      }
      case 'pause': {
        const paused = { at: now, by: 'admin', reason: step.request };
        const query = { keyId: found.keyId, now, paused };
        return expect(await keys.pause(query)).toEqual(model.pause(query));
      }
      case 'resume': {
        const keyExpiresAt = Math.max(now + KEY_LIFE_MS, found.freeAt);
        return expect(await keys.resume(found, keyExpiresAt)).toEqual(model.resume(found, keyExpiresAt));
      }
      case 'unblock': {
        const unblocked = await keys.unblock(found, freeAt);
        expect(unblocked).toEqual(model.unblock(found, freeAt));
        if (unblocked !== null && step.force) this.#promisedUntil.delete(found.keyId);
        return;
      }
      case 'delete':
        return expect(await keys.delete(found, freeAt)).toBe(model.delete(found, freeAt));
      case 'recordLapses': {
        const lapses = lapsesOf(...model.keys.values());
        return expect(await keys.recordLapses({ lapses, now })).toBe(model.recordLapses(now));
      }
      case 'applyLifetime': {
        const expiresAt = now + step.leaseMs;
        const query = { pool: this.#pool, now, expiresAt, latest: expiresAt + TOLERANCE_MS, limit: 10_000 };
        return expect(await keys.applyLifetime(query)).toEqual(model.applyLifetime(query));
      }
      case 'removeExpired':
        await keys.removeExpired({ now, limit: 10_000 });
        return model.removeExpired(now);
      default:
        return found.lease === undefined ? undefined : this.#useLease(step, found, now);
    }
  }

  /** What a holder does, or what is done about its lease. */
  async #useLease(step: Step, key: Key, now: number): Promise<void> {
    const { keys } = this.#store;
    if (step.verb === 'extend') {
      const leaseExpiresAt = now + step.leaseMs;
      const extension = makeExtension(key, now, { leaseExpiresAt, freeAt: leaseExpiresAt + TOLERANCE_MS });
      const extended = await keys.extend(extension);
      expect(extended).toEqual(this.#model.extend(extension));
      if (extended !== null) this.#promisedUntil.set(key.keyId, leaseOf(extended).expiresAt);
    } else if (step.verb === 'release') {
      const { outcome } = step;
      const release = makeRelease(key, now, {
        ...(outcome === 'rest' && { freeAt: now + step.leaseMs }),
        discard: outcome === 'discard',
        forget: outcome === 'forget',
      });
      const released = await keys.release(release);
      expect(released).toEqual(this.#model.release(release));
      if (released !== null) this.#promisedUntil.delete(key.keyId);
    } else {
      const query = { keyId: key.keyId, leaseId: leaseOf(key).id, now };
      expect(await keys.recordLapse(query)).toBe(this.#model.recordLapse(query));
    }
  }

  async #create({ slot, hasValue }: Step, now: number): Promise<void> {
    const times = {
      fencingToken: now,
      createdAt: now,
      freeAt: now - TOLERANCE_MS,
      expiresAt: now + KEY_LIFE_MS,
    };
    const value = hasValue ? 'sealed' : undefined;
    const key = makeKey({ pool: this.#pool, slot, value, ...times });
    expect(await this.#store.keys.create([key], null)).toBe('created');
    this.#model.create(key);
  }

  /** Acquire's first step. Which one of the claimable keys it takes is the store's affair. */
  async #claim(step: Step, now: number): Promise<void> {
    const claim = this.#makeClaim(step, now);
    const range = { from: step.slot, to: step.slot + 0.5 };
    const claimable = this.#model.inRange(claim, range);
    const claimed = await this.#store.keys.claim(claim, range);
    const expected =
      claimed === null || typeof claimed === 'string' ? claimable[0] : find(claimable, claimed);
    this.#expectGrant(
      claimed,
      expected === undefined ? null : this.#model.reclaim(expected, claim),
      claim,
      expected,
    );
  }

  /** Acquire's second step: any key that is free by now, whatever is stored of it. */
  async #acquire(step: Step, now: number): Promise<void> {
    const claim = this.#makeClaim(step, now);
    const { requestHash } = claim;
    const query = { pool: this.#pool, now, requestHash, limit: 16 };
    const { keys: found, nextFreeAt } = await this.#store.keys.listClaimable(query);
    const expected = this.#model.claimable(query).slice(0, 16);
    expect(found.map((key) => key.freeAt)).toEqual(expected.map((key) => key.freeAt));
    expect(nextFreeAt).toBe(expected.length === 0 ? this.#model.nextFreeAt(now) : undefined);
    const chosen = found[step.which % found.length];
    if (chosen === undefined) return;
    this.#expectGrant(
      await this.#store.keys.reclaim(chosen, claim),
      this.#model.reclaim(chosen, claim),
      claim,
      chosen,
    );
  }

  /** Rule 1, without the model: nobody gets a key before all that was promised to others is over. */
  #expectGrant(granted: ClaimResult, expected: ClaimResult, claim: Claim, found: Key | undefined): void {
    const refusals =
      typeof expected === 'string' && found ? this.#model.refusalsOf(claim, found) : [expected];
    expect(refusals).toContainEqual(granted);
    if (granted === null || typeof granted === 'string') return;
    const { acquiredAt, expiresAt } = leaseOf(granted);
    const promisedUntil = this.#promisedUntil.get(granted.keyId) ?? Number.NEGATIVE_INFINITY;
    expect(acquiredAt).toBeGreaterThanOrEqual(promisedUntil + TOLERANCE_MS);
    this.#promisedUntil.set(granted.keyId, expiresAt);
    const earlier = this.#seen.filter(
      (key) => key.keyId === granted.keyId && key.lease?.id !== granted.lease?.id,
    );
    for (const { fencingToken } of earlier) expect(granted.fencingToken).toBeGreaterThan(fencingToken);
    this.#seen.push(granted);
  }

  /** A key as it stands, or as it was seen at some earlier time. */
  async #look({ which, isFresh }: Step): Promise<Key> {
    if (!isFresh && this.#seen.length > 0) return this.#seen[which % this.#seen.length] as Key;
    const keyIds = [...this.#model.keys.keys()];
    const key = expectKey(await this.#store.keys.getStored(keyIds[which % keyIds.length] as string));
    if (key.state !== 'deleted') this.#seen.push(key);
    return key;
  }

  #makeClaim({ leaseMs, request, clientNumber }: Step, now: number): Claim {
    const { lease } = makeClaim(now);
    return {
      pool: this.#pool,
      now,
      lease: { ...lease, expiresAt: now + leaseMs },
      freeAt: now + leaseMs + TOLERANCE_MS,
      keyExpiresAt: now + KEY_LIFE_MS,
      requestHash: request && `${this.#name} ${request}`,
      requestBody: request,
      clientSeat: clientNumber === undefined ? undefined : `${this.#name}.${clientNumber}`,
    };
  }
}

function idsOf(keys: readonly { keyId: string }[]): string[] {
  return keys.map((key) => key.keyId).toSorted();
}

function find(keys: readonly Key[], wanted: Key): Key {
  const key = keys.find((candidate) => candidate.keyId === wanted.keyId);
  if (key === undefined) throw new Error(`${wanted.keyId} was not to be had`);
  return key;
}
