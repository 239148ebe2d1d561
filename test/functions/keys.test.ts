import { describe, expect, it } from 'vitest';
import type { CreateKeysResponse, Key } from '../../shared/contract/keys.ts';
import { START, useTestApi, viewer, worker } from '../support/test-api.ts';

describe('POST /v1/keys', () => {
  const api = useTestApi();

  it('adds one free key to the default pool when the body is empty', async () => {
    const { status, body } = await api.call<CreateKeysResponse>('POST', '/v1/keys');
    expect(status).toBe(201);
    expect(body.keys).toEqual([
      {
        keyId: expect.stringMatching(/^key_[\w-]{22}$/),
        pool: 'default',
        state: 'free',
        fencingToken: START,
        createdAt: '2026-01-01T12:00:00.000Z',
        expiresAt: '2026-01-01T12:05:00.000Z',
        expiresInMs: 300_000,
      },
    ]);
    expect(await api.getKey(body.keys[0]?.keyId as string)).toEqual(body.keys[0]);
  });

  it('adds up to 1000 keys at once, each with an id of its own', async () => {
    const keys = await api.createKeys(1000);
    expect(new Set(keys.map((key) => key.keyId)).size).toBe(1000);
    const pool = await api.call('GET', '/v1/pools/default');
    expect(pool.body).toHaveProperty('counts.free', { count: 1000, relation: 'exact' });
  });

  it('adds keys that live as long as the policy of their pool says', async () => {
    await api.putPool('seats', { keyTtlSeconds: null });
    const [seat] = await api.createKeys(1, 'seats');
    expect(seat).toMatchObject({ pool: 'seats', expiresAt: null, expiresInMs: null });

    await api.putPool('short', { leaseSeconds: 1, keyTtlSeconds: 3 });
    const [short] = await api.createKeys(1, 'short');
    expect(short).toMatchObject({ expiresAt: '2026-01-01T12:00:03.000Z', expiresInMs: 3000 });
  });

  it('adds nothing to a pool that does not exist', async () => {
    const before = await api.dump();
    const answer = await api.call('POST', '/v1/keys', { body: { pool: 'nowhere' } });
    expect(answer).toMatchObject({ status: 404, body: { code: 'pool_not_found' } });
    expect(await api.dump()).toBe(before);
  });

  it('adds all of the keys or none when the pool would hold more than it may', async () => {
    await api.putPool('seats', { maxKeys: 3 });
    await api.createKeys(2, 'seats');
    const before = await api.dump();
    const answer = await api.call('POST', '/v1/keys', { body: { pool: 'seats', count: 2 } });
    expect(answer).toMatchObject({ status: 409, body: { code: 'pool_full' } });
    expect(await api.dump()).toBe(before);
    expect(await api.createKeys(1, 'seats')).toHaveLength(1);
  });

  it.each([0, -1, 1001, 1.5, 1e300, '3', true, [3], null])('refuses a count of %j', async (count) => {
    const before = await api.dump();
    const answer = await api.call('POST', '/v1/keys', { body: { count } });
    expect(answer.status).toBe(400);
    expect(answer.body.errors?.map(({ path }) => path)).toContain('count');
    expect(await api.dump()).toBe(before);
  });
});

describe.each(['GET', 'HEAD'])('%s /v1/keys/{keyId}', (method) => {
  const api = useTestApi();

  it('answers a free key', async () => {
    const [key] = await api.createKeys();
    const answer = await api.call<Key>(method, `/v1/keys/${key?.keyId}`, { as: viewer });
    expect(answer).toMatchObject({ status: 200, body: key });
  });

  it('answers who holds a key, and neither its lease id nor its value', async () => {
    await api.createKeys();
    const lease = await api.acquire({ holder: 'build-agent-7', leaseSeconds: 30 });
    api.now += 10_000;
    const answer = await api.call<Key>(method, `/v1/keys/${lease.keyId}`, { as: viewer });
    expect(answer.body).toEqual({
      keyId: lease.keyId,
      pool: 'default',
      state: 'leased',
      fencingToken: lease.fencingToken,
      createdAt: '2026-01-01T12:00:00.000Z',
      expiresAt: '2026-01-01T12:05:00.000Z',
      expiresInMs: 290_000,
      lease: {
        clientId: worker.clientId,
        holder: 'build-agent-7',
        acquiredAt: '2026-01-01T12:00:00.000Z',
        expiresAt: '2026-01-01T12:00:30.000Z',
        expiresInMs: 20_000,
      },
    });
  });

  it('answers how long a key still cools', async () => {
    await api.createKeys();
    const lease = await api.acquire({ leaseSeconds: 30 });
    api.now += 30_400;
    const answer = await api.call<Key>(method, `/v1/keys/${lease.keyId}`, { as: viewer });
    expect(answer.body).toMatchObject({ state: 'cooling', freeInMs: 600 });
    expect(answer.body).not.toHaveProperty('lease');
  });

  it('answers 404 for a key that never was, was deleted or has expired', async () => {
    const [deleted, expired] = await api.createKeys(2);
    await api.call('DELETE', `/v1/keys/${deleted?.keyId}`);
    const notFound = { status: 404, body: { code: 'key_not_found' } };
    expect(await api.call(method, '/v1/keys/key_never')).toMatchObject(notFound);
    expect(await api.call(method, `/v1/keys/${deleted?.keyId}`)).toMatchObject(notFound);
    api.now += 299_999;
    expect(await api.call(method, `/v1/keys/${expired?.keyId}`)).toMatchObject({ status: 200 });
    api.now += 1;
    expect(await api.call(method, `/v1/keys/${expired?.keyId}`)).toMatchObject(notFound);
  });
});

describe('POST /v1/keys/{keyId}/refresh', () => {
  const api = useTestApi();

  it("restarts the key's hard-expiration clock", async () => {
    const [key] = await api.createKeys();
    api.now += 299_999;
    const answer = await api.call('POST', `/v1/keys/${key?.keyId}/refresh`);
    expect(answer).toMatchObject({ status: 200, body: { keyId: key?.keyId, expiresInMs: 300_000 } });
    api.now += 299_999;
    expect(await api.getKey(key?.keyId as string)).toMatchObject({ expiresInMs: 1 });
  });

  it('leaves the lease of a leased key as it is', async () => {
    await api.createKeys();
    const lease = await api.acquire();
    api.now += 20_000;
    const answer = await api.call('POST', `/v1/keys/${lease.keyId}/refresh`);
    expect(answer.body).toMatchObject({
      state: 'leased',
      expiresInMs: 300_000,
      lease: { expiresInMs: 40_000 },
    });
  });

  it('gives the life that the policy has now, though it became shorter', async () => {
    const [key] = await api.createKeys();
    await api.putPool('default', { leaseSeconds: 1, keyTtlSeconds: 10 });
    api.now += 5_000;
    const answer = await api.call('POST', `/v1/keys/${key?.keyId}/refresh`);
    expect(answer.body).toMatchObject({ expiresInMs: 10_000 });
  });

  it('answers 404 from the hard expiration on', async () => {
    const [key] = await api.createKeys();
    api.now += 300_000;
    const answer = await api.call('POST', `/v1/keys/${key?.keyId}/refresh`);
    expect(answer).toMatchObject({ status: 404, body: { code: 'key_not_found' } });
  });
});
