import { describe, expect, it } from 'vitest';
import type { Client, SecretFields } from '../../../shared/domain/client.ts';
import { persistently } from '../../domain/support/persistently.ts';
import { NOW, SECOND } from './scene.ts';
import { type MakeStore, useStore } from './store-fixture.ts';

function makeClient(differing: Partial<Client> = {}): Client {
  return { clientId: 'ci', role: 'client', secretHash: 'hash', createdAt: NOW, ...differing };
}

export function describeClients(makeStore: MakeStore): void {
  describe('a client', () => {
    const test = useStore(makeStore);

    it('is found as it was put', async () => {
      const plain = makeClient();
      const full = makeClient({
        clientId: 'full',
        role: 'viewer',
        pools: ['a', 'b'],
        description: 'Ops’ screen',
      });
      const nowhere = makeClient({ clientId: 'nowhere', pools: [] });
      const rotated = makeClient({
        clientId: 'rotated',
        expiresAt: NOW + 3,
        oldSecret: { hash: 'old hash', expiresAt: NOW + 2 },
        rotatedAt: NOW + 1,
        lastUsedAt: NOW,
      });
      for (const client of [plain, full, nowhere, rotated]) {
        await test.store.clients.put(client);
        expect(await test.store.clients.get(client.clientId)).toEqual(client);
      }
      expect(await test.store.clients.get('unknown')).toBeNull();
    });

    it('is replaced as a whole', async () => {
      const oldSecret = { hash: 'old hash', expiresAt: NOW + 2 };
      const times = { expiresAt: NOW, rotatedAt: NOW, lastUsedAt: NOW };
      await test.store.clients.put(makeClient({ pools: ['a'], description: 'Old', oldSecret, ...times }));
      const replacement = makeClient({ role: 'admin', secretHash: 'another hash', createdAt: NOW + 1 });
      await test.store.clients.put(replacement);
      expect(await test.store.clients.get('ci')).toEqual(replacement);
    });

    it('is removed once', async () => {
      await test.store.clients.put(makeClient());
      expect(await test.store.clients.remove('ci', NOW)).toBe('removed');
      expect(await test.store.clients.get('ci')).toBeNull();
      expect(await test.store.clients.remove('ci', NOW)).toBe('not_found');
    });

    it('is listed by ascending id, page by page', async () => {
      const ids = ['B', '_', 'a', 'b'];
      for (const clientId of ids.toReversed()) await test.store.clients.put(makeClient({ clientId }));
      const list = async (page: { limit: number; after?: string }) =>
        (await test.store.clients.list(page)).map((client) => client.clientId);
      expect(await list({ limit: 10 })).toEqual(ids);
      expect(await list({ limit: 2 })).toEqual(['B', '_']);
      expect(await list({ limit: 2, after: '_' })).toEqual(['a', 'b']);
      expect(await list({ limit: 2, after: 'b' })).toEqual([]);
    });
  });

  describe('the secrets of a client', () => {
    const test = useStore(makeStore);
    const before = makeClient({ role: 'viewer', pools: ['a'], description: 'Screen', lastUsedAt: NOW });
    const full = {
      secretHash: 'second',
      expiresAt: NOW + 9,
      oldSecret: { hash: 'hash', expiresAt: NOW + 5 },
      rotatedAt: NOW + 1,
    };

    it('are replaced, all of them and nothing else', async () => {
      await test.store.clients.put(before);
      expect(await test.store.clients.rotate(before, full, NOW)).toBe('rotated');
      expect(await test.store.clients.get('ci')).toEqual({ ...before, ...full });
      const bare = { secretHash: 'third', rotatedAt: NOW + 2 };
      expect(await test.store.clients.rotate({ ...before, ...full }, bare, NOW)).toBe('rotated');
      expect(await test.store.clients.get('ci')).toEqual({ ...before, ...bare });
    });

    it.each([full, { secretHash: 'second' }])(
      'stay where the newest is another one than was found, or the client is gone',
      async (secrets) => {
        const found = { clientId: 'ci', secretHash: 'an earlier hash' };
        expect(await test.store.clients.rotate(found, secrets, NOW)).toBe('changed');
        for (const client of [before, makeClient({ role: 'admin' })]) {
          await test.store.clients.put(client);
          expect(await test.store.clients.rotate(found, secrets, NOW)).toBe('changed');
          expect(await test.store.clients.get('ci')).toEqual(client);
        }
      },
    );

    it('are replaced by one of those who found the same', async () => {
      const other = await test.another();
      await test.store.clients.put(before);
      const outcomes = await Promise.all(
        [1, 2, 3, 4].map((i) =>
          (i % 2 ? other : test.store).clients.rotate(before, { ...full, secretHash: `hash ${i}` }, NOW),
        ),
      );
      expect(outcomes.toSorted()).toEqual(['changed', 'changed', 'changed', 'rotated']);
      const secretHash = `hash ${outcomes.indexOf('rotated') + 1}`;
      expect(await test.store.clients.get('ci')).toMatchObject({ secretHash });
    });
  });

  describe('the last use of a client', () => {
    const test = useStore(makeStore);

    it('is noted, never goes back, and changes nothing else', async () => {
      const client = makeClient({ pools: ['a'] });
      await test.store.clients.put(client);
      for (const [noted, latest] of [
        [NOW, NOW],
        [NOW + 2, NOW + 2],
        [NOW + 1, NOW + 2],
      ] as const) {
        await test.store.clients.noteUse('ci', noted);
        expect(await test.store.clients.get('ci')).toEqual({ ...client, lastUsedAt: latest });
      }
    });

    it('makes no client of one that is gone', async () => {
      await test.store.clients.noteUse('ci', NOW);
      expect(await test.store.clients.get('ci')).toBeNull();
    });
  });

  describe('the last admin', () => {
    const test = useStore(makeStore);
    const EXPIRING = { secretHash: 'second', expiresAt: NOW + 9 };

    async function addAdmins(...ids: string[]): Promise<void> {
      for (const clientId of ids) await test.store.clients.put(makeClient({ clientId, role: 'admin' }));
    }

    it('is not removed, though others are', async () => {
      await addAdmins('a', 'b');
      const bystanders = [
        makeClient({ clientId: 'worker' }),
        makeClient({ clientId: 'viewer', role: 'viewer' }),
        makeClient({ clientId: 'limited', role: 'admin', pools: ['a'] }),
        makeClient({ clientId: 'nowhere', role: 'admin', pools: [] }),
        makeClient({ clientId: 'expiring', role: 'admin', expiresAt: NOW + 9 }),
      ];
      for (const client of bystanders) await test.store.clients.put(client);
      expect(await test.store.clients.remove('a', NOW)).toBe('removed');
      expect(await test.store.clients.remove('b', NOW)).toBe('last_admin');
      expect(await test.store.clients.get('b')).toMatchObject({ clientId: 'b', role: 'admin' });
      for (const { clientId } of bystanders) {
        expect(await test.store.clients.remove(clientId, NOW)).toBe('removed');
      }
      expect(await test.store.clients.remove('b', NOW)).toBe('last_admin');
    });

    it('is none that is limited to some pools', async () => {
      await test.store.clients.put(makeClient({ clientId: 'limited', role: 'admin', pools: ['a'] }));
      expect(await test.store.clients.remove('limited', NOW)).toBe('removed');
    });

    it('is not made to expire, though others are', async () => {
      await addAdmins('a', 'b');
      await test.store.clients.put(makeClient({ clientId: 'limited', role: 'admin', pools: ['a'] }));
      await test.store.clients.put(makeClient({ clientId: 'worker' }));
      const rotate = (clientId: string, secrets: SecretFields) =>
        test.store.clients.rotate({ clientId, secretHash: 'hash' }, secrets, NOW);
      expect(await rotate('a', EXPIRING)).toBe('rotated');
      const last = await test.store.clients.get('b');
      expect(await rotate('b', EXPIRING)).toBe('last_admin');
      expect(await test.store.clients.get('b')).toEqual(last);
      for (const clientId of ['limited', 'worker']) expect(await rotate(clientId, EXPIRING)).toBe('rotated');
      expect(await rotate('b', { secretHash: 'second' })).toBe('rotated');
      expect(await test.store.clients.remove('a', NOW)).toBe('removed');
      expect(await test.store.clients.remove('b', NOW)).toBe('last_admin');
    });

    it('can be removed once there is another', async () => {
      await addAdmins('a');
      expect(await test.store.clients.remove('a', NOW)).toBe('last_admin');
      await addAdmins('b');
      expect(await test.store.clients.remove('a', NOW)).toBe('removed');
    });

    it('stays, whoever removes another or makes it expire at once', async () => {
      const other = await test.another();
      for (let round = 0; round < 10; round++) {
        const ids = [1, 2, 3].map((i) => `admin-${round}-${i}`);
        await addAdmins(...ids);
        const left = (await test.store.clients.list({ limit: 100 })).map(({ clientId }) => clientId);
        const results = await Promise.all(
          left.map((clientId, i) =>
            persistently((): Promise<string> => {
              const { clients } = i % 2 ? other : test.store;
              const now = NOW + round * SECOND;
              if (i % 3 !== 1) return clients.remove(clientId, now);
              return clients.rotate({ clientId, secretHash: 'hash' }, EXPIRING, now);
            }),
          ),
        );
        const remaining = await test.store.clients.list({ limit: 100 });
        expect(remaining.filter(({ expiresAt }) => expiresAt === undefined)).not.toHaveLength(0);
        expect(results.filter((result) => result === 'removed')).toHaveLength(left.length - remaining.length);
        for (const { clientId, expiresAt } of remaining) {
          if (expiresAt !== undefined) await test.store.clients.remove(clientId, NOW);
        }
      }
    });
  });
}
