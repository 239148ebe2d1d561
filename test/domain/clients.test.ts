import { describe, expect, it } from 'vitest';
import { type Caller, type Client, hashSecret } from '../../shared/domain/client.ts';
import {
  ClientUses,
  type CreateClientRequest,
  createClient,
  deleteClient,
  authenticate as find,
  listClients,
  type RotateClientRequest,
  rotateClient,
  toCaller,
} from '../../shared/domain/clients.ts';
import { DatabaseUnavailableError } from '../../shared/domain/errors.ts';
import { keepAliveLease } from '../../shared/domain/leases.ts';
import { describeOnEveryStore } from './support/every-store.ts';
import { FORBIDDEN, LAST_ADMIN, OWN_CREDENTIAL } from './support/expected-errors.ts';
import { persistently } from './support/persistently.ts';
import { ADMIN, acquire, addKey, SECOND, toTime } from './support/world.ts';

const GENTLY = { force: false };
const BY_FORCE = { force: true };
const DAY_S = 86_400;
const HOUR = 3_600_000;
const CLIENT_NOT_FOUND = { code: 'client_not_found' };

describeOnEveryStore((world) => {
  const create = (request: CreateClientRequest) => createClient(world.context, ADMIN, request);
  const createCaller = async (request: CreateClientRequest): Promise<Caller> => {
    const { clientId, role } = await create(request);
    return { clientId, role, pools: request.pools };
  };
  const authenticate = async (credential: string): Promise<Caller | undefined> => {
    const client = await find(world.store.clients, credential, world.now);
    return client && toCaller(client);
  };
  const isGood = async (credential: string) => (await authenticate(credential)) !== undefined;
  const goodOf = (...credentials: string[]) => Promise.all(credentials.map(isGood));
  const rotate = async (clientId: string, request: Partial<RotateClientRequest> = {}) => {
    const rotated = await rotateClient(world.context, ADMIN, clientId, { keepOldSeconds: DAY_S, ...request });
    return rotated.credential;
  };
  const clientIds = async () =>
    (await world.store.clients.list({ limit: 100 })).map(({ clientId }) => clientId).sort();

  describe('a client', () => {
    it('is known by its credential from its creation to its revocation', async () => {
      const request = { role: 'client', pools: ['licences'], description: 'the build farm' } as const;
      const { credential, ...client } = await create({ ...request, pools: ['licences'] });
      const { clientId } = client;
      expect(client).toEqual({ ...request, clientId, createdAt: toTime(world.now) });

      expect(await authenticate(credential)).toEqual({
        clientId,
        role: 'client',
        pools: ['licences'],
      });
      await deleteClient(world.context, ADMIN, clientId, GENTLY);
      expect(await authenticate(credential)).toBeUndefined();
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
        expect(await authenticate(wrong)).toBeUndefined();
      }
      expect(await authenticate(credential)).toEqual({ clientId, role: 'viewer' });
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
        () => rotateClient(world.context, limited, 'client_none', { keepOldSeconds: 0 }),
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

  describe('a rotation', () => {
    it('gives a client a new secret, and leaves the old one good to its time and no longer', async () => {
      const { clientId, credential } = await create({ role: 'client', pools: ['licences'] });
      world.passTime(SECOND);
      const rotated = await rotateClient(world.context, ADMIN, clientId, { keepOldSeconds: 60 });
      expect(rotated).toEqual({
        clientId,
        role: 'client',
        pools: ['licences'],
        createdAt: toTime(world.now - SECOND),
        rotatedAt: toTime(world.now),
        oldSecretExpiresAt: toTime(world.now + 60 * SECOND),
        credential: expect.stringMatching(new RegExp(`^${clientId}\\.[\\w-]{43}$`)),
      });
      const caller = { clientId, role: 'client', pools: ['licences'] };
      for (const one of [credential, rotated.credential]) expect(await authenticate(one)).toEqual(caller);

      world.passTime(60 * SECOND - 1);
      expect(await goodOf(credential, rotated.credential)).toEqual([true, true]);
      world.passTime(1);
      expect(await goodOf(credential, rotated.credential)).toEqual([false, true]);
      const { clients } = await listClients(world.context, ADMIN, { limit: 1 });
      expect(clients[0]).not.toHaveProperty('oldSecretExpiresAt', expect.anything());
    });

    it('ends the old secret at once where it is to', async () => {
      const { clientId, credential } = await create({ role: 'client' });
      const second = await rotate(clientId);
      const third = await rotate(clientId, { keepOldSeconds: 0 });
      expect(await goodOf(credential, second, third)).toEqual([false, false, true]);
    });

    it('leaves two secrets good, however many there were', async () => {
      const { clientId, credential } = await create({ role: 'client' });
      const [second, third] = [await rotate(clientId), await rotate(clientId)];
      expect(await goodOf(credential, second, third)).toEqual([false, true, true]);
      const fourth = await rotate(clientId, { keepOldSeconds: 1 });
      expect(await goodOf(second, third, fourth)).toEqual([false, true, true]);
      world.passTime(SECOND);
      expect(await goodOf(second, third, fourth)).toEqual([false, false, true]);
    });

    it('keeps what the client is and what it holds', async () => {
      const { clientId, credential } = await create({ role: 'client', description: 'farm' });
      const caller = (await authenticate(credential)) as Caller;
      await addKey(world.context);
      const { leaseId, keyId } = await acquire(world.context, caller);
      const again = (await authenticate(await rotate(clientId, { keepOldSeconds: 0 }))) as Caller;
      expect(await keepAliveLease(world.context, again, leaseId)).toMatchObject({ keyId });
      expect(await world.store.clients.get(clientId)).toMatchObject({ description: 'farm' });
    });

    it('of no client is none', async () => {
      await expect(rotate('client_none')).rejects.toMatchObject(CLIENT_NOT_FOUND);
      expect(await world.store.clients.get('client_none')).toBeNull();
    });

    it('may be of the admin itself, the last one too', async () => {
      const admin = await createCaller({ role: 'admin' });
      const { credential } = await rotateClient(world.context, admin, admin.clientId, { keepOldSeconds: 0 });
      expect(await authenticate(credential)).toEqual(admin);
    });

    it('is one of several at once that come one after the other: the last two are good', async () => {
      const other = await world.startProcess();
      const { clientId, credential } = await create({ role: 'client' });
      const rotations = await Promise.all(
        [1, 2, 3, 4, 5].map((i) =>
          rotateClient(i % 2 ? other : world.context, ADMIN, clientId, { keepOldSeconds: 60 }),
        ),
      );
      const credentials = rotations.map((rotation) => rotation.credential);
      expect(new Set(credentials).size).toBe(5);
      expect((await goodOf(...credentials)).filter(Boolean)).toHaveLength(2);
      expect(await isGood(credential)).toBe(false);
    });

    it('that meets a revocation brings nobody back', async () => {
      const other = await world.startProcess();
      for (let round = 0; round < 10; round += 1) {
        const { clientId } = await create({ role: 'client' });
        const [rotated] = await Promise.allSettled([
          rotateClient(other, ADMIN, clientId, { keepOldSeconds: 60 }),
          deleteClient(world.context, ADMIN, clientId, GENTLY),
        ]);
        if (rotated.status === 'rejected') expect(rotated.reason).toMatchObject(CLIENT_NOT_FOUND);
        expect(await world.store.clients.get(clientId)).toBeNull();
      }
    });
  });

  describe('a credential that expires', () => {
    const expiring = { role: 'client', expiresInSeconds: 60 } as const;

    it('is refused from then on', async () => {
      const { credential, expiresAt } = await create(expiring);
      expect(expiresAt).toBe(toTime(world.now + 60 * SECOND));
      world.passTime(60 * SECOND - 1);
      expect(await isGood(credential)).toBe(true);
      world.passTime(1);
      expect(await isGood(credential)).toBe(false);
    });

    it('gets its time again by a rotation, while the old secret keeps its own end', async () => {
      const { clientId, credential } = await create(expiring);
      world.passTime(20 * SECOND);
      const second = await rotate(clientId);
      world.passTime(40 * SECOND);
      expect(await goodOf(credential, second)).toEqual([false, true]);
      world.passTime(20 * SECOND);
      expect(await isGood(second)).toBe(false);

      const third = await rotate(clientId);
      expect(await goodOf(second, third)).toEqual([false, true]);
      world.passTime(60 * SECOND);
      expect(await isGood(third)).toBe(false);
    });

    it('gets another time where one is asked for, or lasts', async () => {
      const { clientId, expiresAt } = await create({ role: 'client' });
      expect(expiresAt).toBeUndefined();
      const end = async () => (await world.store.clients.get(clientId))?.expiresAt;
      await rotate(clientId);
      expect(await end()).toBeUndefined();
      await rotate(clientId, { expiresInSeconds: 5 });
      expect(await end()).toBe(world.now + 5 * SECOND);
      await rotate(clientId, { expiresInSeconds: null });
      expect(await end()).toBeUndefined();
    });
  });

  describe('the last use', () => {
    const lastUsed = async (clientId: string) => (await world.store.clients.get(clientId))?.lastUsedAt;

    it('is noted to the hour, once in it', async () => {
      const { clientId } = await create({ role: 'client' });
      let writes = 0;
      const counted = {
        ...world.store.clients,
        noteUse: async (id: string, at: number) => {
          writes += 1;
          await world.store.clients.noteUse(id, at);
        },
      };
      const uses = new ClientUses();
      const use = async () => {
        const found = (await world.store.clients.get(clientId)) as Client;
        await uses.note(counted, found, world.now);
        return found;
      };
      const hour = world.now - (world.now % HOUR);
      const unused = await use();
      await use();
      await uses.note(counted, unused, world.now); // Read before the first was written.
      expect([writes, await lastUsed(clientId)]).toEqual([1, hour]);
      await new ClientUses().note(counted, (await world.store.clients.get(clientId)) as Client, world.now);
      expect(writes).toBe(1);
      world.passTime(HOUR);
      await use();
      await use();
      expect([writes, await lastUsed(clientId)]).toEqual([2, hour + HOUR]);
      const { clients } = await listClients(world.context, ADMIN, { limit: 1 });
      expect(clients).toMatchObject([{ lastUsedAt: toTime(hour + HOUR) }]);
    });

    it('that cannot be noted is nobody’s concern, and not tried again within the hour', async () => {
      const { clientId } = await create({ role: 'client' });
      const client = (await world.store.clients.get(clientId)) as Client;
      let tries = 0;
      const failing = {
        ...world.store.clients,
        noteUse: async () => {
          tries += 1;
          throw new DatabaseUnavailableError();
        },
      };
      const uses = new ClientUses();
      await uses.note(failing, client, world.now);
      await uses.note(failing, client, world.now);
      expect(tries).toBe(1);
      world.passTime(HOUR);
      await uses.note(failing, client, world.now);
      expect(tries).toBe(2);
    });
  });

  describe('an admin', () => {
    it('that expires is not the one that keeps the door open', async () => {
      const last = await createCaller({ role: 'admin' });
      const { clientId } = await create({ role: 'admin', expiresInSeconds: 60 });
      await expect(deleteClient(world.context, ADMIN, last.clientId, BY_FORCE)).rejects.toMatchObject(
        LAST_ADMIN,
      );
      await expect(rotate(last.clientId, { expiresInSeconds: 60 })).rejects.toMatchObject(LAST_ADMIN);
      await rotate(clientId, { expiresInSeconds: null });
      await rotate(last.clientId, { expiresInSeconds: 60 });
      await expect(deleteClient(world.context, ADMIN, clientId, BY_FORCE)).rejects.toMatchObject(LAST_ADMIN);
      await deleteClient(world.context, ADMIN, last.clientId, GENTLY);
    });

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
