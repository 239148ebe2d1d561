import { describe, expect, it } from 'vitest';
import { addKeys, makeKey, NOW, OTHER_POOL, SECOND, stored } from './scene.ts';
import { type MakeStore, useStore } from './store-fixture.ts';

export function describeCreate(makeStore: MakeStore): void {
  describe('create', () => {
    const test = useStore(makeStore);

    it('stores every key as it was given', async () => {
      const plain = makeKey({ slot: 0.123456789012345 });
      const imported = makeKey({ value: 'se"cr\'et ☃', expiresAt: Date.UTC(9999, 0, 1) });
      await addKeys(test.store, [plain, imported]);
      expect(await test.store.keys.find(plain.keyId, NOW)).toStrictEqual(plain);
      expect(await test.store.keys.find(imported.keyId, NOW)).toStrictEqual(imported);
    });

    it('accepts no keys at all', async () => {
      expect(await test.store.keys.create([], { maxKeys: 0, now: NOW })).toBe(true);
    });

    it('fills a pool up to maxKeys and not beyond, all or none', async () => {
      const { keys } = test.store;
      expect(await keys.create([makeKey(), makeKey()], { maxKeys: 3, now: NOW })).toBe(true);
      const [third, fourth] = [makeKey(), makeKey()];
      expect(await keys.create([third, fourth], { maxKeys: 3, now: NOW })).toBe(false);
      expect(await keys.recall(third.keyId)).toBeNull();
      expect(await keys.create([third], { maxKeys: 3, now: NOW })).toBe(true);
      expect(await keys.create([fourth], { maxKeys: 3, now: NOW })).toBe(false);
    });

    it('counts the keys of this pool only', async () => {
      await addKeys(test.store, [makeKey({ pool: OTHER_POOL })]);
      expect(await test.store.keys.create([makeKey()], { maxKeys: 1, now: NOW })).toBe(true);
    });

    it('gives the seat of an expired key away, with no sweep', async () => {
      await addKeys(test.store, [makeKey({ expiresAt: NOW + SECOND })]);
      expect(await test.store.keys.create([makeKey()], { maxKeys: 1, now: NOW + SECOND - 1 })).toBe(false);
      expect(await test.store.keys.create([makeKey()], { maxKeys: 1, now: NOW + SECOND })).toBe(true);
    });

    it('keeps the seat of a deleted key while it cools', async () => {
      const key = makeKey();
      await addKeys(test.store, [key]);
      const freeAt = NOW + 5 * SECOND;
      // Its holder's deadline would be `freeAt`.
      expect(await test.store.keys.delete(await stored(test.store, key), freeAt)).toBe(true);
      expect(await test.store.keys.create([makeKey()], { maxKeys: 1, now: freeAt - 1 })).toBe(false);
      expect(await test.store.keys.create([makeKey()], { maxKeys: 1, now: freeAt })).toBe(true);
    });

    it('never passes maxKeys, however many create at once', async () => {
      const stores = [test.store, await test.another()];
      const created = await Promise.all(
        Array.from({ length: 24 }, (_, i) =>
          stores[i % 2]?.keys.create([makeKey(), makeKey()], { maxKeys: 10, now: NOW }),
        ),
      );
      const visible = await test.store.keys.list({ pool: makeKey().pool, now: NOW, limit: 100 });
      expect(visible).toHaveLength(2 * created.filter(Boolean).length);
      expect(visible.length).toBeLessThanOrEqual(10);
    });

    it('goes on to fill a pool after creates that were refused', async () => {
      const { keys } = test.store;
      const pairs = Array.from({ length: 8 }, () => [makeKey(), makeKey()]);
      await Promise.all(pairs.map((pair) => keys.create(pair, { maxKeys: 5, now: NOW })));
      // At most one of the two single keys may still fit, depending on how many pairs got in.
      for (let i = 0; i < 5; i++) await keys.create([makeKey()], { maxKeys: 5, now: NOW });
      expect(await keys.list({ pool: makeKey().pool, now: NOW, limit: 100 })).toHaveLength(5);
    });
  });
}
