import { describe, expect, it } from 'vitest';
import { type Key, NEVER_EXPIRES } from '../../../shared/domain/key.ts';
import { anEvent } from './event-contract.ts';
import {
  ALL_SLOTS,
  addKey,
  addLeasedKey,
  expectKey,
  FREE_AGAIN,
  KEY_LIFE_MS,
  LEASE_END,
  lapsesOf,
  listAll,
  makeClaim,
  makeExtension,
  makeRelease,
  NOW,
  POOL,
  SECOND,
  stored,
} from './scene.ts';
import { type MakeStore, useStore } from './store-fixture.ts';

const PAUSED = { at: NOW, by: 'admin', reason: 'in repair' };
const LATER = NOW + SECOND;

export function describePauses(makeStore: MakeStore): void {
  describe('a pause', () => {
    const test = useStore(makeStore);
    const pause = ({ keyId }: Key, now = NOW, paused = PAUSED) =>
      test.store.keys.pause({ keyId, now, paused });
    const addPausedKey = async (differing: Partial<Key> = {}) =>
      expectKey(await pause(await addKey(test.store, differing)));
    const listClaimable = (now: number) => test.store.keys.listClaimable({ pool: POOL, now, limit: 9 });
    const count = (now: number) => test.store.keys.count({ pool: POOL, now, limit: 9 });

    it('takes a key out of service, without an end to its life, and changes nothing else', async () => {
      const key = await addKey(test.store);
      const note = anEvent('paused');
      const paused = await test.store.keys.pause({ keyId: key.keyId, now: NOW, paused: PAUSED, note });
      expect(paused).toEqual({ ...key, paused: PAUSED, expiresAt: NEVER_EXPIRES });
      expect(await stored(test.store, key)).toEqual(paused);
      expect(await test.store.keys.listNoted({ limit: 9 })).toEqual([{ keyId: key.keyId, notes: [note] }]);
    });

    it('is refused of a key that is paused, deleted, expired or unknown', async () => {
      const paused = await addPausedKey();
      expect(await pause(paused, LATER, { ...PAUSED, at: LATER })).toBeNull();
      expect(await stored(test.store, paused)).toEqual(paused);
      const deleted = await addKey(test.store);
      await test.store.keys.delete(deleted, FREE_AGAIN);
      expect(await pause(deleted)).toBeNull();
      const expired = await addKey(test.store);
      expect(await pause(expired, NOW + KEY_LIFE_MS)).toBeNull();
      expect((await stored(test.store, expired)).paused).toBeUndefined();
      expect(await pause({ ...expired, keyId: 'unknown' })).toBeNull();
    });

    it('keeps the key from every claim, also from one that found it before', async () => {
      const found = await addKey(test.store);
      const paused = expectKey(await pause(found));
      expect(await test.store.keys.claim(makeClaim(LATER), ALL_SLOTS)).toBeNull();
      expect(await listClaimable(LATER)).toEqual({ keys: [], nextFreeAt: undefined });
      for (const key of [found, paused]) {
        expect(await test.store.keys.reclaim(key, makeClaim(LATER))).toBeNull();
      }
      const other = await addKey(test.store);
      expect((await listClaimable(LATER)).keys).toEqual([other]);
      expect(await test.store.keys.claim(makeClaim(LATER), ALL_SLOTS)).toMatchObject({ keyId: other.keyId });
    });

    it('keeps a leased key from claims once its lease has lapsed, before and after that is recorded', async () => {
      const leased = await addLeasedKey(test.store);
      const paused = expectKey(await pause(leased));
      expect(await listClaimable(NOW)).toEqual({ keys: [], nextFreeAt: undefined });
      for (const isRecorded of [false, true]) {
        if (isRecorded) await test.store.keys.recordLapses({ lapses: lapsesOf(paused), now: FREE_AGAIN });
        const key = await stored(test.store, paused);
        expect(key.lease === undefined).toBe(isRecorded);
        expect(await test.store.keys.claim(makeClaim(FREE_AGAIN), ALL_SLOTS)).toBeNull();
        expect((await listClaimable(FREE_AGAIN)).keys).toEqual([]);
        expect(await test.store.keys.reclaim(key, makeClaim(FREE_AGAIN))).toBeNull();
        expect(await count(FREE_AGAIN)).toEqual({ free: 0, leased: 0, cooling: 0, paused: 1 });
      }
    });

    it('leaves the lease to its holder, who keeps it alive and releases it', async () => {
      const leased = await addLeasedKey(test.store);
      await pause(leased);
      expect(await count(NOW)).toEqual({ free: 0, leased: 1, cooling: 0, paused: 0 });
      const extended = await test.store.keys.extend(makeExtension(leased, LATER));
      expect(extended).toMatchObject({ paused: PAUSED, expiresAt: NEVER_EXPIRES });
      expect(await test.store.keys.release(makeRelease(leased, LATER))).not.toBeNull();
      expect(await stored(test.store, leased)).toMatchObject({ state: 'free', paused: PAUSED });
      expect(await test.store.keys.claim(makeClaim(LATER), ALL_SLOTS)).toBeNull();
    });

    it('is a state of its own in lists and counts, once no live lease stands on the key', async () => {
      const leased = await addLeasedKey(test.store, { slot: 0.1 });
      await pause(leased);
      const free = await addPausedKey({ slot: 0.2 });
      const cooling = await addPausedKey({ slot: 0.3, freeAt: FREE_AGAIN });
      const deleted = await addPausedKey();
      await test.store.keys.delete(deleted, NOW);
      const elsewhere = await addKey(test.store, { slot: 0.4 });
      const idsOf = async (state: 'free' | 'leased' | 'cooling' | 'paused', now: number) =>
        (await listAll(test.store, { pool: POOL, now, state })).map(({ keyId }) => keyId);
      for (const now of [NOW, LEASE_END, FREE_AGAIN]) {
        const isLive = now < LEASE_END;
        const paused = [...(isLive ? [] : [leased]), free, cooling].map(({ keyId }) => keyId);
        expect(await idsOf('paused', now)).toEqual(paused);
        expect(await idsOf('leased', now)).toEqual(isLive ? [leased.keyId] : []);
        expect(await idsOf('free', now)).toEqual([elsewhere.keyId]);
        expect(await idsOf('cooling', now)).toEqual([]);
        const leasedCount = isLive ? 1 : 0;
        expect(await count(now)).toEqual({ free: 1, leased: leasedCount, cooling: 0, paused: paused.length });
      }
    });

    it('keeps the key from hard expiration and a changed lifetime, until it is resumed', async () => {
      const key = await addPausedKey();
      const lifetime = {
        pool: POOL,
        now: LATER,
        expiresAt: LATER + SECOND,
        latest: LATER + SECOND,
        limit: 9,
      };
      expect(await test.store.keys.applyLifetime(lifetime)).toEqual({ moved: 0, complete: true });
      await test.store.keys.removeExpired({ now: NOW + 9 * KEY_LIFE_MS, limit: 9 });
      expect(await stored(test.store, key)).toEqual(key);
      await test.store.keys.resume(key, LATER + KEY_LIFE_MS);
      expect(await test.store.keys.applyLifetime(lifetime)).toEqual({ moved: 1, complete: true });
    });

    it('keeps a key beyond the target size from removal', async () => {
      const key = await addPausedKey({ seat: 3 });
      const query = { pool: POOL, below: 1, now: LATER, limit: 9 };
      expect(await test.store.keys.removeBeyond(query)).toBe(0);
      await test.store.keys.resume(key, LATER + KEY_LIFE_MS);
      expect(await test.store.keys.removeBeyond(query)).toBe(1);
    });

    it('ends with a resume: the key is to be had again, and expires when that says', async () => {
      const key = await addPausedKey();
      const note = anEvent('resumed');
      const expected = { ...key, paused: undefined, expiresAt: LATER + KEY_LIFE_MS };
      expect(await test.store.keys.resume(key, LATER + KEY_LIFE_MS, note)).toEqual(expected);
      expect(await stored(test.store, key)).toEqual(expected);
      expect(await test.store.keys.listNoted({ limit: 9 })).toEqual([{ keyId: key.keyId, notes: [note] }]);
      expect(await test.store.keys.claim(makeClaim(LATER), ALL_SLOTS)).toMatchObject({ keyId: key.keyId });
    });

    it('is not ended by a resume of a key that has changed since, or that is not paused', async () => {
      const leased = await addLeasedKey(test.store);
      const resume = (found: Key) => test.store.keys.resume(found, NOW + KEY_LIFE_MS);
      expect(await resume(leased)).toBeNull();
      const gone = await addPausedKey();
      await test.store.keys.delete(gone, FREE_AGAIN);
      expect(await resume(await stored(test.store, gone))).toBeNull();
      expect(await resume({ ...leased, paused: PAUSED })).toBeNull();
      const first = expectKey(await pause(leased));
      // By a lease's end that the resume does not know, the key would expire too early.
      const extended = expectKey(await test.store.keys.extend(makeExtension(leased, LATER)));
      expect(await resume(first)).toBeNull();
      await resume(extended);
      const second = expectKey(await pause(leased, LATER, { ...PAUSED, at: LATER }));
      expect(await resume(extended)).toBeNull();
      expect(await stored(test.store, leased)).toEqual(second);
    });
  });
}
