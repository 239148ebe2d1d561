import { describe, expect, it } from 'vitest';
import { type Caller, hashSecret } from '../../shared/domain/client.ts';
import {
  authenticate,
  type CreateClientRequest,
  createClient,
  deleteClient,
  listClients,
} from '../../shared/domain/clients.ts';
import { keepAliveLease } from '../../shared/domain/leases.ts';
import { describeOnEveryStore } from './support/every-store.ts';
import { FORBIDDEN, LAST_ADMIN, OWN_CREDENTIAL } from './support/expected-errors.ts';
import { persistently } from './support/persistently.ts';
import { ADMIN, acquire, addKey, toTime } from './support/world.ts';

const GENTLY = { force: false };
const BY_FORCE = { force: true };
const CLIENT_NOT_FOUND = { code: 'client_not_found' };

describeOnEveryStore((world) => {
  const create = (request: CreateClientRequest) => createClient(world.context, ADMIN, request);
  const createCaller = async (request: CreateClientRequest): Promise<Caller> => {
    const { credential } = await create(request);
    return (await authenticate(world.store.clients, credential)) as Caller;
  };
  const clientIds = async () =>
    (await world.store.clients.list({ limit: 100 })).map(({ clientId }) => clientId).sort();

  describe('a client', () => {
    it('is known by its credential from its creation to its revocation', async () => {
      const request = { role: 'client', pools: ['licences'], description: 'the build farm' } as const;
      const { credential, ...client } = await create({ ...request, pools: ['licences'] });
      const { clientId } = client;
      expect(client).toEqual({ ...request, clientId, createdAt: toTime(world.now) });

      expect(await authenticate(world.store.clients, credential)).toEqual({
        clientId,
        role: 'client',
        pools: ['licences'],
      });
      await deleteClient(world.context, ADMIN, clientId, GENTLY);
      expect(await authenticate(world.store.clients, credential)).toBeUndefined();
      await expect(deleteClient(world.context, ADMIN, clientId, GENTLY)).rejects.toMatchObject(
        CLIENT_NOT_FOUND,
      );
    });

    it('is not known by anything else', async () => {
      const { clientId, credential } = await create({ role: 'viewer' });
      const other = await create({ role: 'admin' });
      const secret = credential.split('.')[1] as string;

      for (const wrong of [
        '',
        clientId,
        `${clientId}.${secret.slice(0, -1)}`,
        `${clientId}.${'A'.repeat(43)}`,
        `${clientId}.${hashSecret(secret)}`,
        `${other.clientId}.${secret}`,
        `client_none.${secret}`,
      ]) {
        expect(await authenticate(world.store.clients, wrong)).toBeUndefined();
      }
      expect(await authenticate(world.store.clients, credential)).toEqual({ clientId, role: 'viewer' });
    });

    it('is stored with the hash of its secret, never the secret', async () => {
      const { clientId, credential } = await create({ role: 'client' });
      const secret = credential.split('.')[1] as string;

      const stored = await world.store.clients.get(clientId);

      expect(stored).toEqual({
        clientId,
        role: 'client',
        secretHash: hashSecret(secret),
        createdAt: world.now,
      });
      expect(JSON.stringify(stored)).not.toContain(secret);
    });

    it('is listed by its id, page by page', async () => {
      for (let count = 0; count < 5; count += 1) await create({ role: 'client' });
      const expected = await clientIds();

      const first = await listClients(world.context, ADMIN, { limit: 3 });
      const second = await listClients(world.context, ADMIN, { limit: 3, after: first.next });

      expect(first.clients.map(({ clientId }) => clientId)).toEqual(expected.slice(0, 3));
      expect(second.clients.map(({ clientId }) => clientId)).toEqual(expected.slice(3));
      expect(second.next).toBeUndefined();
    });

    it('that is limited to some pools manages no clients, or it could make itself one that is not', async () => {
      const limited = { ...ADMIN, pools: ['licences'] };

      for (const operation of [
        () => createClient(world.context, limited, { role: 'admin' }),
        () => listClients(world.context, limited, { limit: 1 }),
        () => deleteClient(world.context, limited, 'client_none', BY_FORCE),
      ]) {
        await expect(operation()).rejects.toMatchObject(FORBIDDEN);
      }
    });

    it('that is revoked leaves its leases to lapse', async () => {
      const caller = await createCaller({ role: 'client' });
      await addKey(world.context);
      const { leaseId, keyId } = await acquire(world.context, caller);

      await deleteClient(world.context, ADMIN, caller.clientId, GENTLY);

      expect(await world.store.keys.get(keyId, world.now)).toMatchObject({
        lease: { clientId: caller.clientId },
      });
      expect(await keepAliveLease(world.context, caller, leaseId)).toMatchObject({ keyId });
    });
  });

  describe('an admin', () => {
    it('revokes its own credential by force only', async () => {
      const admin = await createCaller({ role: 'admin' });
      const other = await createCaller({ role: 'admin' });

      await expect(deleteClient(world.context, admin, admin.clientId, GENTLY)).rejects.toMatchObject(
        OWN_CREDENTIAL,
      );
      expect(await clientIds()).toEqual([admin.clientId, other.clientId].sort());
      await deleteClient(world.context, admin, admin.clientId, BY_FORCE);
      expect(await clientIds()).toEqual([other.clientId]);
    });

    it('that is the last one without limits is revoked by nobody, by force neither', async () => {
      const last = await createCaller({ role: 'admin' });
      await create({ role: 'admin', pools: ['licences'] });
      await create({ role: 'client' });
      await create({ role: 'viewer' });
      const before = await clientIds();

      for (const caller of [last, ADMIN]) {
        await expect(deleteClient(world.context, caller, last.clientId, BY_FORCE)).rejects.toMatchObject(
          LAST_ADMIN,
        );
      }
      await expect(deleteClient(world.context, ADMIN, last.clientId, GENTLY)).rejects.toMatchObject(
        LAST_ADMIN,
      );
      expect(await clientIds()).toEqual(before);
      for (const clientId of before.filter((id) => id !== last.clientId)) {
        await deleteClient(world.context, last, clientId, GENTLY);
      }
      expect(await clientIds()).toEqual([last.clientId]);
    });

    it('is left when two admins revoke each other at the same moment', async () => {
      const other = await world.startProcess();
      for (let round = 0; round < 20; round += 1) {
        const [one, two] = [await createCaller({ role: 'admin' }), await createCaller({ role: 'admin' })];

        const outcomes = await Promise.allSettled([
          persistently(() => deleteClient(world.context, one, two.clientId, GENTLY)),
          persistently(() => deleteClient(other, two, one.clientId, GENTLY)),
        ]);

        const left = (await clientIds()).filter((id) => id === one.clientId || id === two.clientId);
        expect(left).not.toHaveLength(0);
        for (const outcome of outcomes) {
          if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject(LAST_ADMIN);
        }
        // So that the next round has two admins again.
        const viewer = { role: 'viewer', secretHash: '', createdAt: world.now } as const;
        for (const clientId of left) await world.store.clients.put({ clientId, ...viewer });
      }
    });
  });
});
