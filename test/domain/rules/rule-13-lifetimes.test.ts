import { describe, expect, it } from 'vitest';
import { type Key, NEVER_EXPIRES } from '../../../shared/domain/key.ts';
import { deleteKey, getKey, refreshKey, unblockKey } from '../../../shared/domain/keys.ts';
import { keepAliveLease } from '../../../shared/domain/leases.ts';
import { POOL_CACHE_MS } from '../../../shared/domain/pool-directory.ts';
import { patchPool, refreshPool } from '../../../shared/domain/pools.ts';
import { sweep } from '../../../shared/domain/sweep.ts';
import { describeOnEveryStore } from '../support/every-store.ts';
import { KEY_NOT_FOUND } from '../support/expected-errors.ts';
import { interruptAfter } from '../support/interrupt.ts';
import {
  ADMIN,
  ALICE,
  acquire,
  addKey,
  addKeys,
  BOB,
  carriedOutLate,
  KEY_LIFE,
  LEASE,
  SECOND,
  setPolicy,
  TOLERANCE,
} from '../support/world.ts';

const POOL = 'licences';
/** Until then a process may go by the policy as it was, and what it sent may be carried out. */
const SETTLED = 2 * POOL_CACHE_MS + TOLERANCE;

describeOnEveryStore((world) => {
  const sweepNow = () => sweep(world.context, () => true);
  const stored = async (keyId: string) => (await world.store.keys.getStored(keyId)) as Key;
  const isNoted = async () => (await world.store.pools.get(POOL))?.refreshedAt !== undefined;
  const hold = () => acquire(world.context, ALICE, { pool: POOL });
  const changeLife = (keyTtlSeconds: number | null, context = world.context) =>
    patchPool(context, ADMIN, POOL, { policy: { keyTtlSeconds } });
  /** Where the keys of a pool expire that was given this life, and nobody used since. */
  const expirationOf = (keyTtlSeconds: number | null, changedAt: number) =>
    keyTtlSeconds === null ? NEVER_EXPIRES : changedAt + keyTtlSeconds * SECOND;

  describe.each<[from: number | null, to: number | null]>([
    [300, null],
    [null, 300],
    [300, 600],
    [600, 300],
  ])('Rule 13: a key life that is changed from %s to %s seconds', (from, to) => {
    it.each<[string, (keyId: string) => Promise<unknown>]>([
      ['free', async () => undefined],
      ['leased', hold],
      [
        'cooling',
        async (keyId) => {
          await hold();
          await unblockKey(world.context, ADMIN, keyId, { force: false });
        },
      ],
      [
        'lapsed',
        async () => {
          await hold();
          world.passTime(LEASE);
        },
      ],
    ])('holds for a %s key at once, and after the sweeps', async (_state, use) => {
      await setPolicy(world.context, { keyTtlSeconds: from }, POOL);
      const keyId = await addKey(world.context, POOL);
      await use(keyId);
      world.passTime(10 * SECOND);
      const changedAt = world.now;

      await changeLife(to);

      expect((await stored(keyId)).expiresAt).toBe(expirationOf(to, changedAt));
      for (const passed of [0, SECOND, SETTLED]) {
        world.passTime(passed);
        await sweepNow();
        expect((await stored(keyId)).expiresAt).toBe(expirationOf(to, changedAt));
      }
      expect(await isNoted()).toBe(false);
    });

    it('holds within one sweep where the change itself did not get to the keys', async () => {
      await setPolicy(world.context, { keyTtlSeconds: from }, POOL);
      const keyId = await addKey(world.context, POOL);
      const changedAt = world.now;
      const failing = interruptAfter(world.context, 'pools.update', () => {
        throw new Error('The process ends here');
      });
      await expect(changeLife(to, failing)).rejects.toThrow('ends here');
      world.passTime(30 * SECOND);

      await sweepNow();

      expect((await stored(keyId)).expiresAt).toBe(expirationOf(to, changedAt));
    });

    it('holds for keys that a process used which goes by the old one', async () => {
      await setPolicy(world.context, { keyTtlSeconds: from }, POOL);
      const keyIds = await addKeys(world.context, 4, POOL);
      const other = await world.startProcess();
      const { keyId: kept, leaseId } = await acquire(other, BOB, { pool: POOL });
      const sentAt = world.now + POOL_CACHE_MS - 1;
      const changedAt = world.now;
      await changeLife(to);
      world.passTime(SETTLED - 2);

      const late = carriedOutLate(other, sentAt);
      await keepAliveLease(late, BOB, leaseId);
      const { keyId: leased } = await acquire(late, BOB, { pool: POOL });
      const refreshed = keyIds.find((keyId) => keyId !== kept && keyId !== leased) as string;
      await refreshKey(late, ADMIN, refreshed);
      await sweepNow();
      expect(await isNoted()).toBe(true);
      world.passTime(2);
      await sweepNow();

      for (const keyId of keyIds) {
        const { expiresAt } = await stored(keyId);
        const latest = expirationOf(to, Math.max(sentAt, world.now));
        expect(expiresAt).toBeGreaterThanOrEqual(expirationOf(to, changedAt));
        expect(expiresAt).toBeLessThanOrEqual(latest + TOLERANCE);
      }
      expect(await isNoted()).toBe(false);
    });
  });

  describe('Rule 13: a shorter key life', () => {
    it('ends no key under a live lease, however long that is, and reaches the key when it is over', async () => {
      await setPolicy(world.context, { leaseSeconds: 1000, keyTtlSeconds: null }, POOL);
      const keyIds = await addKeys(world.context, 2, POOL);
      const { leaseId, keyId } = await hold();
      const free = keyIds.find((each) => each !== keyId) as string;
      await patchPool(world.context, ADMIN, POOL, { policy: { leaseSeconds: 60, keyTtlSeconds: 300 } });

      for (let passed = 0; passed < 900; passed += 100) {
        world.passTime(100 * SECOND);
        await sweepNow();
        expect(await getKey(world.context, ADMIN, keyId)).toMatchObject({ state: 'leased' });
      }
      expect(await world.store.keys.getStored(free)).toBeNull();
      expect(await keepAliveLease(world.context, ALICE, leaseId)).toMatchObject({
        expiresInMs: 1000 * SECOND,
      });
      world.passTime(1000 * SECOND - 1);
      expect(await getKey(world.context, ADMIN, keyId)).toMatchObject({ state: 'leased' });

      world.passTime(1 + TOLERANCE);
      await sweepNow();
      await expect(getKey(world.context, ADMIN, keyId)).rejects.toMatchObject(KEY_NOT_FOUND);
      await sweepNow();
      expect(await isNoted()).toBe(false);
    });

    it('that is taken back while a sweep is under way ends no key', async () => {
      await setPolicy(world.context, { leaseSeconds: 1000, keyTtlSeconds: null }, POOL);
      await addKey(world.context, POOL);
      await hold();
      await patchPool(world.context, ADMIN, POOL, { policy: { leaseSeconds: 60, keyTtlSeconds: 300 } });
      world.passTime(400 * SECOND);
      const keyId = await addKey(world.context, POOL);
      const slow = interruptAfter(world.context, 'keys.listLapsed', () => changeLife(null));

      await sweep(slow, () => true);

      world.passTime(KEY_LIFE);
      expect(await getKey(world.context, ADMIN, keyId)).toMatchObject({ expiresAt: null });
    });
  });

  describe('the refresh of a pool', () => {
    it('refreshes all of 1,200 keys before the first of them expires', async () => {
      await setPolicy(world.context, {}, POOL);
      const keyIds = [
        ...(await addKeys(world.context, 1000, POOL)),
        ...(await addKeys(world.context, 200, POOL)),
      ];
      world.passTime(KEY_LIFE - 1);

      await refreshPool(world.context, ADMIN, POOL);

      world.passTime(1);
      for (const keyId of keyIds) expect((await stored(keyId)).expiresAt).toBe(world.now - 1 + KEY_LIFE);
      await sweepNow();
      world.passTime(KEY_LIFE - 2);
      expect(await getKey(world.context, ADMIN, keyIds[0] as string)).toMatchObject({ expiresInMs: 1 });
    });

    it('brings no key back that has expired or was deleted, and leaves other pools alone', async () => {
      await setPolicy(world.context, {}, POOL);
      const [expired, other] = [await addKey(world.context, POOL), await addKey(world.context)];
      world.passTime(KEY_LIFE - SECOND);
      const deleted = await addKey(world.context, POOL);
      await deleteKey(world.context, ADMIN, deleted, { force: false });
      world.passTime(SECOND);
      const before = await Promise.all([expired, deleted, other].map(stored));

      await refreshPool(world.context, ADMIN, POOL);

      expect(await Promise.all([expired, deleted, other].map(stored))).toEqual(before);
    });

    it('shortens no life, and is forgotten when it is done', async () => {
      await setPolicy(world.context, {}, POOL);
      const keyId = await addKey(world.context, POOL);
      const behind = await world.startProcess({ clockAheadMs: -900 });
      await refreshPool(world.context, ADMIN, POOL);

      await refreshPool(behind, ADMIN, POOL);

      expect((await stored(keyId)).expiresAt).toBe(world.now + KEY_LIFE);
      expect(await isNoted()).toBe(true);
      world.passTime(SETTLED);
      await sweepNow();
      expect(await isNoted()).toBe(false);
      expect((await stored(keyId)).expiresAt).toBe(world.now - SETTLED + KEY_LIFE);
    });
  });
});
