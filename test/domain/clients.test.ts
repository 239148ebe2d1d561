import { describe, expect, it } from 'vitest';
import { hashSecret } from '../../shared/domain/client.ts';
import { authenticate } from '../../shared/domain/clients/authenticate.ts';
import { createClient } from '../../shared/domain/clients/create-client.ts';
import { deleteClient } from '../../shared/domain/clients/delete-client.ts';
import { listClients } from '../../shared/domain/clients/list-clients.ts';
import { keepAliveLease } from '../../shared/domain/leases/keep-alive-lease.ts';
import { describeOnEveryStore } from './support/every-store.ts';
import { FORBIDDEN } from './support/expected-errors.ts';
import { ADMIN, acquire, addKey } from './support/world.ts';

describeOnEveryStore((world) => {
  describe('a client', () => {
    it('is known by its credential from its creation to its revocation', async () => {
      const { client, credential } = await createClient(world.context, ADMIN, {
        role: 'client',
        pools: ['licences'],
        description: 'the build farm',
      });
      const { clientId } = client;

      expect(await authenticate(world.store.clients, credential)).toEqual({
        clientId,
        role: 'client',
        pools: ['licences'],
      });
      await deleteClient(world.context, ADMIN, clientId);
      expect(await authenticate(world.store.clients, credential)).toBeUndefined();
      await expect(deleteClient(world.context, ADMIN, clientId)).rejects.toMatchObject({
        code: 'client_not_found',
      });
    });

    it('is not known by anything else', async () => {
      const { client, credential } = await createClient(world.context, ADMIN, { role: 'viewer' });
      const other = await createClient(world.context, ADMIN, { role: 'admin' });
      const secret = credential.split('.')[1] as string;

      for (const wrong of [
        '',
        client.clientId,
        `${client.clientId}.${secret.slice(0, -1)}`,
        `${client.clientId}.${'A'.repeat(43)}`,
        `${client.clientId}.${client.secretHash}`,
        `${other.client.clientId}.${secret}`,
        `client_none.${secret}`,
      ]) {
        expect(await authenticate(world.store.clients, wrong)).toBeUndefined();
      }
      expect(await authenticate(world.store.clients, credential)).toEqual({
        clientId: client.clientId,
        role: 'viewer',
      });
    });

    it('is stored with the hash of its secret, never the secret', async () => {
      const { client, credential } = await createClient(world.context, ADMIN, { role: 'client' });
      const secret = credential.split('.')[1] as string;

      const stored = await world.store.clients.find(client.clientId);

      expect(stored).toEqual({
        clientId: client.clientId,
        role: 'client',
        secretHash: hashSecret(secret),
        createdAt: world.now,
      });
      expect(JSON.stringify(stored)).not.toContain(secret);
    });

    it('is listed by its id, page by page', async () => {
      const clientIds: string[] = [];
      for (let count = 0; count < 5; count += 1) {
        clientIds.push((await createClient(world.context, ADMIN, { role: 'client' })).client.clientId);
      }
      clientIds.sort();

      const first = await listClients(world.context, ADMIN, { limit: 3 });
      const second = await listClients(world.context, ADMIN, { limit: 3, after: first.next });

      expect(first.clients.map(({ clientId }) => clientId)).toEqual(clientIds.slice(0, 3));
      expect(second.clients.map(({ clientId }) => clientId)).toEqual(clientIds.slice(3));
      expect(second.next).toBeUndefined();
    });

    it('that is limited to some pools manages no clients, or it could make itself one that is not', async () => {
      const limited = { ...ADMIN, pools: ['licences'] };

      for (const operation of [
        () => createClient(world.context, limited, { role: 'admin' }),
        () => listClients(world.context, limited, { limit: 1 }),
        () => deleteClient(world.context, limited, 'client_none'),
      ]) {
        await expect(operation()).rejects.toMatchObject(FORBIDDEN);
      }
    });

    it('that is revoked leaves its leases to lapse', async () => {
      const { client, credential } = await createClient(world.context, ADMIN, { role: 'client' });
      const caller = await authenticate(world.store.clients, credential);
      await addKey(world.context);
      const { leaseId, keyId } = await acquire(world.context, caller ?? ADMIN);

      await deleteClient(world.context, ADMIN, client.clientId);

      expect(await world.store.keys.find(keyId, world.now)).toMatchObject({
        lease: { clientId: client.clientId },
      });
      expect(await keepAliveLease(world.context, caller ?? ADMIN, leaseId)).toMatchObject({ keyId });
    });
  });
});
