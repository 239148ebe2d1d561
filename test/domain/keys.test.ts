import { describe, expect, it } from 'vitest';
import { createKeys } from '../../shared/domain/create-keys.ts';
import { deleteKey, getKey, type ListKeysRequest, listKeys, refreshKey } from '../../shared/domain/keys.ts';
import { describeOnEveryStore } from './support/every-store.ts';
import { FORBIDDEN } from './support/expected-errors.ts';
import { ADMIN, ALICE, acquire, addKeys, KEY_LIFE } from './support/world.ts';

describeOnEveryStore((world) => {
  const pagesOf = async (request: Partial<ListKeysRequest>) => {
    const pages: string[][] = [];
    for (let after: number | undefined; ; ) {
      const page = await listKeys(world.context, ADMIN, { pool: 'default', limit: 3, ...request, after });
      pages.push(page.keys.map((key) => key.keyId));
      if (page.next === undefined) return pages;
      after = page.next;
    }
  };

  describe('created keys', () => {
    it('are free, and each has an id of its own of 128 random bits', async () => {
      const { keys } = await createKeys(world.context, ADMIN, { pool: 'default', count: 100 });

      expect(new Set(keys.map((key) => key.keyId)).size).toBe(100);
      for (const key of keys) {
        expect(key).toMatchObject({ state: 'free', pool: 'default', expiresInMs: KEY_LIFE });
        expect(key.keyId).toMatch(/^key_[A-Za-z0-9_-]{22}$/);
        expect(key).not.toHaveProperty('value');
      }
    });

    it('are their own value when they are leased', async () => {
      await addKeys(world.context, 1);
      const { keyId, value } = await acquire(world.context, ALICE);

      expect(value).toBe(keyId);
    });
  });

  describe('a list of keys', () => {
    it('holds every key once, page by page', async () => {
      const keyIds = await addKeys(world.context, 10);
      await acquire(world.context, ALICE);

      const pages = await pagesOf({});

      expect(pages.map((page) => page.length)).toEqual([3, 3, 3, 1]);
      expect(pages.flat().sort()).toEqual(keyIds.sort());
    });

    it('can be limited to a state', async () => {
      await addKeys(world.context, 8);
      const leased: string[] = [];
      for (let count = 0; count < 4; count += 1) leased.push((await acquire(world.context, ALICE)).keyId);

      expect((await pagesOf({ state: 'leased' })).flat().sort()).toEqual(leased.sort());
      expect((await pagesOf({ state: 'free' })).flat()).toHaveLength(4);
      expect((await pagesOf({ state: 'cooling' })).flat()).toEqual([]);
    });

    it('holds every key of a rare state or search once, though a page walks past a few thousand only', async () => {
      for (let thousand = 0; thousand < 5; thousand += 1) await addKeys(world.context, 1000);
      const leased: string[] = [];
      for (let count = 0; count < 20; count += 1) {
        leased.push((await acquire(world.context, ALICE, { holder: 'build agent' })).keyId);
      }

      for (const request of [{ state: 'leased' }, { search: 'build agent' }] as const) {
        const pages = await pagesOf(request);
        expect(pages.flat().sort()).toEqual(leased.sort());
        expect(Math.max(...pages.map((page) => page.length))).toBe(3);
      }
      expect((await pagesOf({ limit: 200 })).flat()).toHaveLength(5000);
      expect((await pagesOf({ search: 'no such text' })).flat()).toEqual([]);
    });

    it('can be searched for a part of an id or of a holder', async () => {
      const keyIds = await addKeys(world.context, 5);
      const { keyId } = await acquire(world.context, ALICE, { holder: 'build-agent-7' });
      const wanted = keyIds[2] as string;

      expect((await pagesOf({ search: wanted.slice(6, 20) })).flat()).toEqual([wanted]);
      expect((await pagesOf({ search: 'AGENT-7' })).flat()).toEqual([keyId]);
      expect((await pagesOf({ search: 'agent-8' })).flat()).toEqual([]);
    });
  });

  it('a credential that is limited to some pools sees and changes no keys of others', async () => {
    const [keyId] = (await addKeys(world.context, 1)) as [string];
    const limited = { ...ADMIN, pools: ['licences'] };

    for (const operation of [
      () => createKeys(world.context, limited, { pool: 'default', count: 1 }),
      () => listKeys(world.context, limited, { pool: 'default', limit: 1 }),
      () => getKey(world.context, limited, keyId),
      () => refreshKey(world.context, limited, keyId),
      () => deleteKey(world.context, limited, keyId, { force: true }),
    ]) {
      await expect(operation()).rejects.toMatchObject(FORBIDDEN);
    }
    expect(await getKey(world.context, ADMIN, keyId)).toMatchObject({ keyId });
  });
});
