import { describe, expect, it } from 'vitest';
import type { Key } from '../../../shared/domain/key.ts';
import { poolReference } from '../../../shared/domain/pool.ts';
import type { Seats } from '../../../shared/domain/store.ts';
import { persistently } from '../../domain/support/persistently.ts';
import {
  ALL_SLOTS,
  addKey,
  addKeys,
  addLeasedKey,
  expectKey,
  FREE_AGAIN,
  GENERATION,
  KEY_LIFE_MS,
  listAll,
  makeClaim,
  makeKey,
  makeSeats,
  NAME,
  NOW,
  OTHER_POOL,
  POOL,
  SECOND,
  TOLERANCE_MS,
} from './scene.ts';
import { type MakeStore, useStore } from './store-fixture.ts';

/** The generation before that of POOL. */
const FORMER = poolReference({ name: NAME, generation: GENERATION - 1 });

/** The generation after that of POOL. */
const LATER = poolReference({ name: NAME, generation: GENERATION + 1 });

export function describeCreate(makeStore: MakeStore): void {
  describe('create', () => {
    const test = useStore(makeStore);

    it('stores every key as it was given', async () => {
      const plain = makeKey({ slot: 0.123456789012345 });
      const imported = makeKey({ value: 'se"cr\'et ☃', expiresAt: Date.UTC(9999, 0, 1) });
      await addKeys(test.store, [plain, imported]);
      expect(await test.store.keys.get(plain.keyId, NOW)).toEqual(plain);
      expect(await test.store.keys.get(imported.keyId, NOW)).toEqual(imported);
    });

    it('accepts no keys at all', async () => {
      expect(await test.store.keys.create([], makeSeats(0))).toBe('created');
    });

    it('fills a pool up to maxKeys and not beyond, all or none', async () => {
      const { keys } = test.store;
      expect(await keys.create([makeKey(), makeKey()], makeSeats(3))).toBe('created');
      const [third, fourth] = [makeKey(), makeKey()];
      expect(await keys.create([third, fourth], makeSeats(3))).toBe('full');
      expect(await keys.getStored(third.keyId)).toBeNull();
      expect(await keys.create([third], makeSeats(3))).toBe('created');
      expect(await keys.create([fourth], makeSeats(3))).toBe('full');
    });

    it('adds nothing to a pool that holds more keys than seats', async () => {
      await addKeys(test.store, [makeKey(), makeKey(), makeKey()]);
      expect(await test.store.keys.create([makeKey()], makeSeats(2))).toBe('full');
    });

    it('gives a key to the very next acquire, also one whose clock is within the tolerance behind', async () => {
      const key = await addKey(test.store);
      expect(await test.store.keys.claim(makeClaim(NOW - TOLERANCE_MS - 1), ALL_SLOTS)).toBeNull();
      const claimed = await test.store.keys.claim(makeClaim(NOW - TOLERANCE_MS), ALL_SLOTS);
      expect(expectKey(claimed).keyId).toBe(key.keyId);
    });

    it('never passes maxKeys, however many create at once', async () => {
      const stores = [test.store, await test.another()];
      const created = await Promise.all(
        Array.from({ length: 24 }, (_, i) =>
          persistently(async () => stores[i % 2]?.keys.create([makeKey(), makeKey()], makeSeats(10))),
        ),
      );
      const visible = await listAll(test.store, { pool: POOL, now: NOW });
      expect(visible.length).toBeGreaterThanOrEqual(
        2 * created.filter((result) => result === 'created').length,
      );
      expect(visible.length).toBeLessThanOrEqual(10);
    });

    it('goes on to fill a pool after creates that were refused', async () => {
      const { keys } = test.store;
      const create = (added: Key[]) => persistently(() => keys.create(added, makeSeats(5)));
      await Promise.all(Array.from({ length: 8 }, () => create([makeKey(), makeKey()])));
      // At most one of the two single keys may still fit, depending on how many pairs got in.
      for (let i = 0; i < 5; i++) await create([makeKey()]);
      expect(await listAll(test.store, { pool: POOL, now: NOW })).toHaveLength(5);
    });
  });

  describe('a seat', () => {
    const test = useStore(makeStore);

    /** Whether one more key may be created. It is deleted at once, and takes no seat then. */
    async function hasSeat(seats: Seats): Promise<boolean> {
      const key = makeKey();
      const created = (await test.store.keys.create([key], seats)) === 'created';
      if (created) await test.store.keys.delete(key, key.freeAt);
      return created;
    }

    /** From when on the only seat is free, which these keys take until then. */
    async function expectFreeFrom(time: number, differing: Partial<Seats> = {}): Promise<void> {
      expect(await hasSeat(makeSeats(1, time - 1, differing))).toBe(false);
      expect(await hasSeat(makeSeats(1, time, differing))).toBe(true);
    }

    it('is taken by keys of this pool only', async () => {
      await addKey(test.store, { pool: OTHER_POOL });
      expect(await hasSeat(makeSeats(1))).toBe(true);
    });

    it('is that of an expired key until the tolerance after it, with no sweep', async () => {
      const { expiresAt } = await addKey(test.store, { expiresAt: NOW + SECOND });
      // A host whose clock is behind may lease it until then.
      await expectFreeFrom(expiresAt + TOLERANCE_MS + 1);
    });

    it('is that of a leased key, even when its lease is over', async () => {
      const key = await addLeasedKey(test.store);
      expect(await hasSeat(makeSeats(2))).toBe(true);
      await expectFreeFrom(key.expiresAt + TOLERANCE_MS + 1);
    });

    it('is that of a deleted key while it cools', async () => {
      const key = await addLeasedKey(test.store);
      await test.store.keys.delete(key, FREE_AGAIN);
      await expectFreeFrom(FREE_AGAIN);
    });

    describe.each([
      ['of the generation before', FORMER],
      ['of an early generation', poolReference({ name: NAME, generation: 0 })],
    ])('%s', (_, pool) => {
      it('is taken by a leased key until its holder’s deadline has passed', async () => {
        await addLeasedKey(test.store, { pool, expiresAt: NOW + 2 * KEY_LIFE_MS });
        await expectFreeFrom(FREE_AGAIN);
        await expectFreeFrom(NOW + 2 * KEY_LIFE_MS + TOLERANCE_MS + 1, { countFormerFree: true });
      });

      it('is taken by a cooling key', async () => {
        await addKey(test.store, { pool, freeAt: NOW + SECOND });
        await expectFreeFrom(NOW + SECOND);
      });

      it('is taken by a deleted key while it cools', async () => {
        const key = await addLeasedKey(test.store, { pool });
        await test.store.keys.delete(key, FREE_AGAIN);
        await expectFreeFrom(FREE_AGAIN);
        await expectFreeFrom(FREE_AGAIN, { countFormerFree: true });
      });

      it('is taken by a free key only as long as a process may still lease it', async () => {
        await addKey(test.store, { pool });
        expect(await hasSeat(makeSeats(1))).toBe(true);
        expect(await hasSeat(makeSeats(1, NOW, { countFormerFree: true }))).toBe(false);
        await expectFreeFrom(NOW + KEY_LIFE_MS + TOLERANCE_MS + 1, { countFormerFree: true });
      });
    });

    it('is counted over all generations together', async () => {
      await addLeasedKey(test.store, { pool: FORMER });
      await addLeasedKey(test.store, { pool: poolReference({ name: NAME, generation: 2 }) });
      await addKey(test.store);
      await addKey(test.store, { pool: LATER });
      for (const countFormerFree of [false, true]) {
        expect(await hasSeat(makeSeats(4, NOW, { countFormerFree }))).toBe(false);
        expect(await hasSeat(makeSeats(5, NOW, { countFormerFree }))).toBe(true);
      }
    });

    it('is taken by a key of a later generation: the pool was cleared since it was read', async () => {
      const key = await addLeasedKey(test.store, { pool: LATER });
      expect(await hasSeat(makeSeats(2))).toBe(true);
      await expectFreeFrom(key.expiresAt + TOLERANCE_MS + 1);
      const deleted = await addLeasedKey(test.store, { pool: LATER });
      await test.store.keys.delete(deleted, FREE_AGAIN);
      await expectFreeFrom(key.expiresAt + TOLERANCE_MS + 1);
    });

    it('is not taken by a pool whose name sorts beside', async () => {
      for (const name of ['defaul', 'default-2', 'default.2', 'default0']) {
        await addLeasedKey(test.store, { pool: poolReference({ name, generation: 1 }) });
      }
      await addKey(test.store);
      expect(await hasSeat(makeSeats(2, NOW, { countFormerFree: true }))).toBe(true);
    });
  });
}
