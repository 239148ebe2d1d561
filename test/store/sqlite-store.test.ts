import { describe, expect, it } from 'vitest';
import type { Store } from '../../shared/domain/store.ts';
import {
  addKey,
  addKeys,
  addLeasedKey,
  expectKey,
  LEASE_END,
  makeClaim,
  makeKey,
  NOW,
  POOL,
  SECOND,
} from './contract/scene.ts';
import { makeSqliteStore } from './sqlite-fixture.ts';
import { describeStoreContract } from './store-contract.ts';

describeStoreContract('the SQLite store', makeSqliteStore);

it('a claim looks at a hundred keys at the most; the second step of an acquire finds what it leaves', async () => {
  const { store, dispose } = await makeSqliteStore();
  const cooling = Array.from({ length: 99 }, () => makeKey({ slot: 0.1, freeAt: NOW + SECOND }));
  await addKeys(store, cooling);
  const first = await addKey(store, { slot: 0.8 });
  const second = await addKey(store, { slot: 0.9 });
  const claim = () => store.keys.claim(makeClaim(NOW), { from: 0, to: 1 });
  expect(expectKey(await claim()).keyId).toBe(first.keyId);
  await addKey(store, { slot: 0.1, freeAt: NOW + SECOND });
  expect(await claim()).toBeNull();
  const { keys } = await store.keys.listClaimable({ pool: POOL, now: NOW, limit: 16 });
  expect(keys).toEqual([second]);
  await dispose();
});

describe('a page of keys of which none matches', () => {
  const page = { pool: POOL, now: NOW, limit: 10, search: 'nothing' };
  const lease = (id: number) => ({ ...makeClaim(NOW).lease, id: `lease_${id}` });

  /** As many keys of a stored state as one page walks past, and one more; the slot where it ends. */
  async function addTooMany(store: Store, state: 'free' | 'leased', from: number): Promise<number> {
    const keys = Array.from({ length: 2001 }, (_, i) => {
      const slot = from + i / 10_000;
      return state === 'free'
        ? makeKey({ slot })
        : makeKey({ slot, state, freeAt: LEASE_END, lease: lease(i) });
    });
    await addKeys(store, keys);
    return keys[1999]?.slot ?? 0;
  }

  it.each<('free' | 'leased')[]>([['free'], ['leased'], ['free', 'leased'], ['leased', 'free']])(
    'ends after 2,000 keys that are stored as %s',
    async (first, second) => {
      const { store, dispose } = await makeSqliteStore();
      const next = await addTooMany(store, first, 0);
      if (second !== undefined) await addTooMany(store, second, 0.1);
      expect(await store.keys.list(page)).toEqual({ keys: [], next });
      await dispose();
    },
  );

  it('walks past no free ones where leased ones are asked for', async () => {
    const { store, dispose } = await makeSqliteStore();
    await addTooMany(store, 'free', 0);
    const leased = await addLeasedKey(store, { slot: 0.9 });
    expect(await store.keys.list({ ...page, search: undefined, state: 'leased' })).toEqual({
      keys: [leased],
    });
    expect(await store.keys.list({ ...page, state: 'cooling' })).toMatchObject({ next: expect.any(Number) });
    await dispose();
  });
});
