import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createClient } from '../../../client/sdk/create-client.ts';
import {
  ForbiddenError,
  InvalidRequestError,
  KeyNotLeasedError,
  LeaseChangedError,
  LeaseEndedError,
  NotFoundError,
  type OrchestratorError,
  PoolChangedError,
  PoolFullError,
  UnauthenticatedError,
} from '../../../client/sdk/errors.ts';
import { eventually } from '../../support/eventually.ts';
import { useHost } from '../../support/host-process.ts';
import { makePool } from '../support/make-pool.ts';

const host = useHost();

describe('leases', () => {
  test('withLease holds a key that nobody else gets, and frees it', async () => {
    const client = host.client();
    const pool = await makePool(client);
    const result = await client.withLease({ pool, holder: 'me' }, async (lease, signal) => {
      expect(signal.aborted).toBe(false);
      expect(lease).toMatchObject({ pool, holder: 'me', value: lease.keyId });
      expect(lease.remainingMs()).toBeGreaterThan(0);
      await expect(client.acquire({ pool })).rejects.toMatchObject({ code: 'no_key_available' });
      return lease.keyId;
    });
    const next = await client.acquire({ pool });
    expect(next.keyId).toBe(result);
  });

  test('fencing tokens grow', async () => {
    const client = host.client();
    const pool = await makePool(client);
    const tokens: number[] = [];
    for (let turn = 0; turn < 3; turn++) {
      await client.withLease({ pool }, (lease) => tokens.push(lease.fencingToken));
    }
    expect(tokens).toEqual([...tokens].sort((a, b) => a - b));
    expect(new Set(tokens).size).toBe(3);
  });

  test('acquire, keepAlive and release by hand', async () => {
    const client = host.client();
    const pool = await makePool(client);
    const lease = await client.acquire({ pool, leaseSeconds: 30 });
    expect(await client.keepAlive(lease.leaseId)).toMatchObject({
      leaseId: lease.leaseId,
      keyId: lease.keyId,
    });
    expect(await client.leases.get(lease.leaseId)).toMatchObject({ leaseId: lease.leaseId });
    const { leases } = await client.leases.list({ limit: 200 });
    expect(leases.map(({ leaseId }) => leaseId)).toContain(lease.leaseId);
    await client.release(lease.leaseId);
    await expect(client.keepAlive(lease.leaseId)).rejects.toMatchObject({
      code: 'lease_ended',
      reason: 'released',
      status: 410,
    });
    await expect(client.release(lease.leaseId)).resolves.toBeUndefined();
  });

  test('holders are listed, and the leases of one ended', async () => {
    const client = host.client();
    const pool = await makePool(client, { keys: 3 });
    const [first, second] = [await client.acquire({ pool, holder: 'a' }), await client.acquire({ pool })];
    const { clientId } = first;
    const page = await client.holders.list({ pool, limit: 1 });
    expect(page.holders).toMatchObject([{ keyId: first.keyId, clientId, holder: 'a' }]);
    const rest = await client.holders.list({ pool, limit: 1, cursor: page.nextCursor });
    expect(rest.holders).toMatchObject([{ keyId: second.keyId }]);
    const [ended] = await client.holders.end({ client: clientId, pool, holder: 'A' });
    expect(ended).toMatchObject({ keyId: first.keyId, fencingToken: first.fencingToken });
    expect(await client.keys.get(first.keyId)).toMatchObject({ state: 'cooling' });
    await client.holders.end({ client: clientId, pool }, { force: true });
    expect(await client.keys.get(second.keyId)).toMatchObject({ state: 'free' });
    expect((await client.holders.list({ pool })).holders).toEqual([]);
  });

  test('ending the leases of a client leaves alone what ended by itself meanwhile, and fails where it may not', async () => {
    const client = host.client();
    const pool = await makePool(client, { keys: 3 });
    const [released, again, held] = [
      await client.acquire({ pool }),
      await client.acquire({ pool }),
      await client.acquire({ pool }),
    ];
    let isFirst = true;
    const late = createClient({
      ...{ url: host.url, credential: host.credential },
      fetch: async (url, init) => {
        if (init?.method === 'POST' && isFirst) {
          isFirst = false;
          await client.release(released.leaseId);
          await client.release(again.leaseId);
          await client.acquire({ pool });
        }
        return fetch(url, init);
      },
    });
    const ended = await late.holders.end({ client: held.clientId, pool });
    expect(ended.map(({ keyId }) => keyId)).toEqual([held.keyId]);
    expect((await client.holders.list({ pool })).holders).toHaveLength(1);
    const { credential } = await client.clients.create({ role: 'viewer' });
    const viewer = createClient({ url: host.url, credential });
    await expect(viewer.holders.end({ client: held.clientId, pool })).rejects.toThrow(ForbiddenError);
  });

  test('waits for a key that somebody releases', async () => {
    const client = host.client();
    const pool = await makePool(client);
    const first = await client.acquire({ pool });
    let asked = 0;
    const waiting = createClient({
      ...{ url: host.url, credential: host.credential },
      fetch: async (url, init) => {
        const answer = await fetch(url, init);
        asked += 1;
        return answer;
      },
    });
    const second = waiting.acquire({ pool, waitMs: 20_000 });
    await eventually(async () => asked >= 2);
    await client.release(first.leaseId);
    expect((await second).keyId).toBe(first.keyId);
  });

  test('an unblocked lease ends its work', async () => {
    const client = host.client();
    const pool = await makePool(client, { leaseSeconds: 2 });
    const held = client.withLease({ pool }, async (lease, signal) => {
      await host.client().keys.unblock(lease);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    });
    await expect(held).rejects.toThrow(LeaseEndedError);
    await expect(held).rejects.toMatchObject({ reason: 'unblocked' });
  });

  test('many at once share few keys, and no two ever hold the same', async () => {
    const client = host.client();
    const pool = await makePool(client, { keys: 3 });
    const holders = new Map<string, number>();
    let most = 0;
    const work = async (): Promise<void> => {
      await client.withLease({ pool, waitMs: 20_000 }, async ({ keyId }) => {
        holders.set(keyId, (holders.get(keyId) ?? 0) + 1);
        most = Math.max(most, ...holders.values());
        await setImmediate();
        holders.set(keyId, (holders.get(keyId) ?? 0) - 1);
      });
    };
    await Promise.all(Array.from({ length: 20 }, work));
    expect(most).toBe(1);
    expect(holders.size).toBeGreaterThan(1);
  });
});

describe('admin calls', () => {
  test('keys', async () => {
    const client = host.client();
    const pool = await makePool(client, { keys: 0 });
    const { keys } = await client.keys.create({ pool, count: 3 });
    expect(keys).toHaveLength(3);
    const keyId = keys[0]?.keyId ?? '';
    const page = await client.keys.list({ pool, limit: 2 });
    expect(page.keys).toHaveLength(2);
    const rest = await client.keys.list({ pool, limit: 2, cursor: page.nextCursor });
    expect([...page.keys, ...rest.keys].map((key) => key.keyId).sort()).toEqual(
      keys.map((key) => key.keyId).sort(),
    );
    const free = await client.keys.get(keyId);
    expect(free).toMatchObject({ keyId, state: 'free' });
    expect(await client.keys.refresh(keyId)).toMatchObject({ keyId });
    expect(await client.keys.pause(keyId, { reason: 'in repair' })).toMatchObject({
      state: 'paused',
      paused: { reason: 'in repair' },
    });
    expect((await client.keys.list({ pool, state: 'paused' })).keys).toMatchObject([{ keyId }]);
    expect(await client.keys.resume(keyId)).toMatchObject({ state: 'free' });
    await expect(client.keys.unblock(free)).rejects.toThrow(KeyNotLeasedError);
    const lease = await client.acquire({ pool, holder: 'h-1' });
    expect((await client.keys.list({ pool, state: 'leased' })).keys).toMatchObject([{ keyId: lease.keyId }]);
    expect((await client.keys.list({ pool, search: 'h-' })).keys).toMatchObject([{ keyId: lease.keyId }]);
    expect(await client.keys.unblock(lease)).toMatchObject({ state: 'cooling' });
    expect(await client.keys.unblock(lease, { force: true })).toMatchObject({ state: 'free' });
    await client.keys.delete(await client.keys.get(keyId));
    await expect(client.keys.get(keyId)).rejects.toThrow(NotFoundError);
  });

  test('an ending leaves the lease alone that came after the key was looked at', async () => {
    const client = host.client();
    const pool = await makePool(client);
    const first = await client.acquire({ pool });
    const seen = await client.keys.get(first.keyId);
    await client.release(first.leaseId);
    const second = await client.acquire({ pool });
    for (const force of [false, true]) {
      await expect(client.keys.unblock(seen, { force })).rejects.toThrow(LeaseChangedError);
      await expect(client.keys.delete(seen, { force })).rejects.toThrow(LeaseChangedError);
    }
    expect((await client.keepAlive(second.leaseId)).remainingMs()).toBeGreaterThan(0);
    expect(await client.keys.unblock(second, { force: true })).toMatchObject({ state: 'free' });
    expect(await client.keys.unblock(second, { force: true })).toMatchObject({ state: 'free' });
    expect(second.remainingMs()).toBe(0);
  });

  test('pools', async () => {
    const client = host.client();
    const pool = await makePool(client, { keys: 2 });
    expect(await client.pools.get(pool)).toMatchObject({ counts: { free: { count: 2, relation: 'exact' } } });
    expect((await client.pools.list({ limit: 200 })).pools.map((item) => item.pool)).toContain(pool);
    const { updatedAt } = await client.pools.update(pool, { maxKeys: 2 });
    expect(await client.pools.get(pool)).toMatchObject({ keyTtlSeconds: null, maxKeys: 2 });
    await client.pools.update(pool, { paused: true }, { expectedUpdatedAt: updatedAt });
    await expect(
      client.pools.update(pool, { paused: false }, { expectedUpdatedAt: updatedAt }),
    ).rejects.toThrow(PoolChangedError);
    await client.pools.refresh(pool);
    await eventually(async () => {
      const created = await client.keys.create({ pool }).catch((error: unknown) => error);
      return created instanceof PoolFullError;
    });
    await client.pools.delete(pool);
    await eventually(
      async () => (await client.pools.get(pool).catch((error) => error)) instanceof NotFoundError,
    );
  });

  test('events are followed over a restart of the service, and from where another program stopped', async () => {
    const client = host.client();
    const pool = await makePool(client, { keys: 0 });
    const { next } = await client.events.list({ pool, tail: 1 });
    const stop = new AbortController();
    const counts: (number | undefined)[] = [];
    const outages: (string | undefined)[] = [];
    let place: string | undefined;
    const following = (async () => {
      const onOutage = (error?: OrchestratorError): void => void outages.push(error?.code);
      const options = { pool, after: next, signal: stop.signal, pollMs: 20, onOutage };
      for await (const { count, after } of client.events.follow(options)) {
        counts.push(count);
        place = after;
      }
    })();
    const make = (count: number) => client.keys.create({ pool, count });
    await make(1);
    await eventually(async () => counts.length === 1);
    await host.kill();
    await eventually(async () => outages.length === 1);
    await host.start();
    for (const count of [2, 3]) await make(count);
    await eventually(async () => counts.length === 3);
    stop.abort();
    await following;
    expect(counts).toEqual([1, 2, 3]);
    expect(outages).toEqual(['unreachable', undefined]);

    await make(4);
    for await (const { count } of client.events.follow({ pool, after: place })) {
      expect(count).toBe(4);
      break;
    }
    expect((await client.events.list({ pool, type: 'key.created' })).events).toMatchObject([
      { count: 1 },
      { count: 2 },
      { count: 3 },
      { count: 4 },
    ]);
  });

  test('clients, and what their roles allow', async () => {
    const client = host.client();
    const { credential, clientId } = await client.clients.create({ role: 'viewer', description: 'looks' });
    const viewer = createClient({ url: host.url, credential });
    expect((await viewer.pools.list()).pools).not.toHaveLength(0);
    await expect(viewer.keys.create({})).rejects.toThrow(ForbiddenError);
    const { clients } = await client.clients.list({ limit: 200 });
    expect(clients).toContainEqual(
      expect.objectContaining({ clientId, role: 'viewer', description: 'looks' }),
    );
    expect(await viewer.me()).toEqual({ clientId, role: 'viewer' });
    const rotated = await client.clients.rotate(clientId, { keepOldSeconds: 0 });
    expect(await createClient({ url: host.url, credential: rotated.credential }).me()).toMatchObject({
      clientId,
    });
    await client.clients.delete(clientId);
    await expect(client.clients.delete(clientId)).rejects.toThrow(NotFoundError);
    const { clientId: own } = await client.me();
    await expect(client.clients.delete(own)).rejects.toMatchObject({
      code: expect.stringMatching(/^(own_credential|last_admin)$/),
    });
  });

  test('a wrong credential, and a mistake in the request', async () => {
    const wrong = createClient({ url: host.url, credential: 'client_x.wrong' });
    await expect(wrong.acquire()).rejects.toThrow(ForbiddenError);
    await expect(host.client().keys.create({ count: 1001 })).rejects.toMatchObject({
      constructor: InvalidRequestError,
      errors: [{ path: 'count' }],
    });
    const nobody = createClient({
      url: host.url,
      credential: 'a.b',
      fetch: (url, { headers: { authorization: _, ...headers }, ...init }) =>
        fetch(url, { ...init, headers }),
    });
    await expect(nobody.acquire()).rejects.toThrow(UnauthenticatedError);
  });
});
