import { describe, expect, it } from 'vitest';
import type { Client } from '../../../shared/domain/client.ts';
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
      for (const client of [plain, full, nowhere]) {
        await test.store.clients.put(client);
        expect(await test.store.clients.get(client.clientId)).toEqual(client);
      }
      expect(await test.store.clients.get('unknown')).toBeNull();
    });

    it('is replaced as a whole', async () => {
      await test.store.clients.put(makeClient({ pools: ['a'], description: 'Old' }));
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
  describe('the last admin', () => {
    const test = useStore(makeStore);

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

    it('can be removed once there is another', async () => {
      await addAdmins('a');
      expect(await test.store.clients.remove('a', NOW)).toBe('last_admin');
      await addAdmins('b');
      expect(await test.store.clients.remove('a', NOW)).toBe('removed');
    });

    it('stays, whoever removes whom at once', async () => {
      const other = await test.another();
      for (let round = 0; round < 10; round++) {
        const ids = [1, 2, 3].map((i) => `admin-${round}-${i}`);
        await addAdmins(...ids);
        const left = (await test.store.clients.list({ limit: 100 })).map(({ clientId }) => clientId);
        const results = await Promise.all(
          left.map((clientId, i) =>
            persistently(() => (i % 2 ? other : test.store).clients.remove(clientId, NOW + round * SECOND)),
          ),
        );
        const remaining = await test.store.clients.list({ limit: 100 });
        expect(remaining.length).toBeGreaterThanOrEqual(1);
        expect(results.filter((result) => result === 'removed')).toHaveLength(left.length - remaining.length);
      }
    });
  });
}
