import { describe, expect, it } from 'vitest';
import type { Client } from '../../../shared/domain/client.ts';
import { NOW } from './scene.ts';
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
        expect(await test.store.clients.find(client.clientId)).toStrictEqual(client);
      }
      expect(await test.store.clients.find('unknown')).toBeNull();
    });

    it('is replaced as a whole', async () => {
      await test.store.clients.put(makeClient({ pools: ['a'], description: 'Old' }));
      const replacement = makeClient({ role: 'admin', secretHash: 'another hash', createdAt: NOW + 1 });
      await test.store.clients.put(replacement);
      expect(await test.store.clients.find('ci')).toStrictEqual(replacement);
    });

    it('is removed once', async () => {
      await test.store.clients.put(makeClient());
      expect(await test.store.clients.remove('ci')).toBe(true);
      expect(await test.store.clients.find('ci')).toBeNull();
      expect(await test.store.clients.remove('ci')).toBe(false);
    });

    it('is listed by ascending id, page by page', async () => {
      const ids = ['B', '_', 'a', 'b'];
      for (const clientId of ids.toReversed()) await test.store.clients.put(makeClient({ clientId }));
      const list = async (page: { limit: number; after?: string }) =>
        (await test.store.clients.list(page)).map((client) => client.clientId);
      expect(await list({ limit: 10 })).toStrictEqual(ids);
      expect(await list({ limit: 2 })).toStrictEqual(['B', '_']);
      expect(await list({ limit: 2, after: '_' })).toStrictEqual(['a', 'b']);
      expect(await list({ limit: 2, after: 'b' })).toStrictEqual([]);
    });
  });
}
