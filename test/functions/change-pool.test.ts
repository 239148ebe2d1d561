import { describe, expect, it } from 'vitest';
import type { Pool, PutPoolRequest } from '../../shared/contract/pools.ts';
import { useTestApi } from '../support/test-api.ts';

describe('PUT /v1/pools/{pool}', () => {
  const api = useTestApi();
  const put = (pool: string, body?: unknown) => api.call<Pool>('PUT', `/v1/pools/${pool}`, { body });

  it('creates a pool with the default policy when the body is empty', async () => {
    const nothing = { count: 0, relation: 'exact' };
    const answer = await put('seats');
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      pool: 'seats',
      leaseSeconds: 60,
      keyTtlSeconds: 300,
      maxKeys: null,
      targetSize: null,
      maxLeaseSeconds: null,
      cooldownSeconds: 0,
      maxLeasesPerClient: null,
      fair: false,
      agingSeconds: 60,
      paused: false,
      counts: { free: nothing, leased: nothing, cooling: nothing, paused: nothing },
      waiting: nothing,
      nextFreeInMs: null,
      createdAt: '2026-01-01T12:00:00.000Z',
      updatedAt: '2026-01-01T12:00:00.000Z',
    });
  });

  it('replaces the policy of a pool that exists, with the default for what is left out', async () => {
    await put('seats', { leaseSeconds: 10, keyTtlSeconds: null, maxKeys: 5, paused: true });
    await api.createKeys(1, 'seats');
    api.now += 1000;
    const answer = await put('seats', { leaseSeconds: 20 });
    expect(answer).toMatchObject({
      status: 200,
      body: {
        leaseSeconds: 20,
        keyTtlSeconds: 300,
        maxKeys: null,
        paused: false,
        counts: { free: { count: 1 } },
        createdAt: '2026-01-01T12:00:00.000Z',
        updatedAt: '2026-01-01T12:00:01.000Z',
      },
    });
  });

  it('takes effect for the next acquire of this process', async () => {
    await put('seats');
    await api.createKeys(2, 'seats');
    expect(await api.acquire({ pool: 'seats' })).toMatchObject({ expiresInMs: 60_000 });
    await put('seats', { leaseSeconds: 5 });
    expect(await api.acquire({ pool: 'seats' })).toMatchObject({ expiresInMs: 5_000 });
  });

  it('refuses a key life that a lease and the clock tolerance could outlast', async () => {
    const before = await api.dump();
    for (const keyTtlSeconds of [9, 10, 11]) {
      const answer = await put('seats', { leaseSeconds: 10, keyTtlSeconds });
      expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: 'keyTtlSeconds' }] } });
    }
    expect(await api.dump()).toBe(before);
    expect(await put('seats', { leaseSeconds: 10, keyTtlSeconds: 12 })).toMatchObject({ status: 201 });
  });

  it.each<[keyof PutPoolRequest, unknown]>([
    ['leaseSeconds', 0],
    ['leaseSeconds', 86_401],
    ['leaseSeconds', 1.5],
    ['leaseSeconds', null],
    ['leaseSeconds', '60'],
    ['keyTtlSeconds', 0],
    ['keyTtlSeconds', 315_360_001],
    ['keyTtlSeconds', '300'],
    ['maxKeys', -1],
    ['maxKeys', 1_000_001],
    ['maxKeys', {}],
    ['paused', 'false'],
    ['paused', 0],
    ['paused', null],
  ])('refuses %s of %j', async (path, value) => {
    const before = await api.dump();
    const answer = await put('seats', { [path]: value });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path }] } });
    expect(await api.dump()).toBe(before);
  });

  it.each([
    'UPPER',
    '-dash',
    '.dot',
    '_low',
    'a%20b',
    'a%2Fb',
    'a%00',
    '%F0%9F%98%80',
    'a'.repeat(64),
    '__proto__',
  ])('refuses the name %s', async (name) => {
    const before = await api.dump();
    expect(await put(name)).toMatchObject({ status: 400, body: { errors: [{ path: 'pool' }] } });
    expect(await api.dump()).toBe(before);
  });

  it.each(['a', '9', 'a.b_c-d', 'constructor', 'a'.repeat(63)])('takes the name %s', async (name) => {
    expect(await put(name)).toMatchObject({ status: 201, body: { pool: name } });
    expect(await put(name)).toMatchObject({ status: 200 });
  });
});

describe('PATCH /v1/pools/{pool}', () => {
  const api = useTestApi();
  const patch = (pool: string, body?: unknown) => api.call<Pool>('PATCH', `/v1/pools/${pool}`, { body });
  const policy = { leaseSeconds: 10, keyTtlSeconds: null, maxKeys: 5, paused: true };

  it.each([{ leaseSeconds: 20 }, { keyTtlSeconds: 600 }, { maxKeys: null }, { paused: false }, {}])(
    'changes what it names and nothing else: %o',
    async (change) => {
      await api.putPool('seats', policy);
      api.now += 1000;
      const answer = await patch('seats', change);
      expect(answer).toMatchObject({
        status: 200,
        body: { pool: 'seats', ...policy, ...change, updatedAt: '2026-01-01T12:00:01.000Z' },
      });
      expect(await api.call('GET', '/v1/pools/seats')).toMatchObject({ body: answer.body });
    },
  );

  it('answers 404 for a pool that never was or was deleted, and makes none', async () => {
    await api.putPool('gone');
    await api.call('DELETE', '/v1/pools/gone');
    const before = await api.dump();
    for (const pool of ['never', 'gone']) {
      expect(await patch(pool, policy)).toMatchObject({ status: 404, body: { code: 'pool_not_found' } });
    }
    expect(await api.dump()).toBe(before);
  });

  it('refuses what contradicts the fields that stay', async () => {
    await api.putPool('seats', { leaseSeconds: 10, keyTtlSeconds: 20 });
    const before = await api.dump();
    const answer = await patch('seats', { leaseSeconds: 20 });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: 'keyTtlSeconds' }] } });
    expect(await api.dump()).toBe(before);
  });
});

describe.each(['PUT', 'PATCH'])('%s /v1/pools/{pool} with expectedUpdatedAt', (method) => {
  const api = useTestApi();
  const change = (expectedUpdatedAt: unknown, maxKeys = 1) =>
    api.call<Pool>(method, '/v1/pools/default', { body: { maxKeys, expectedUpdatedAt } });

  it('changes the pool that was read, and answers 409 where it was changed since', async () => {
    const { body: read } = await api.call<Pool>('GET', '/v1/pools/default');
    const changed = await change(read.updatedAt);
    expect(changed).toMatchObject({ status: 200, body: { maxKeys: 1 } });
    const before = await api.dump();
    expect(await change(read.updatedAt, 2)).toMatchObject({ status: 409, body: { code: 'pool_changed' } });
    expect(await api.dump()).toBe(before);
    expect(await change(changed.body.updatedAt, 2)).toMatchObject({ status: 200, body: { maxKeys: 2 } });
  });

  it.each(['', 'now', '2026-01-01', '2026-01-01T12:00:00', '2026-13-01T12:00:00Z', 1767268800000, null])(
    'refuses %j, which is no time',
    async (time) => {
      const answer = await change(time);
      expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: 'expectedUpdatedAt' }] } });
    },
  );
});

describe('POST /v1/pools/{pool}/refresh', () => {
  const api = useTestApi();

  it("restarts the hard-expiration clock of all the pool's keys", async () => {
    await api.putPool('other');
    const [first, second] = await api.createKeys(2);
    const [elsewhere] = await api.createKeys(1, 'other');
    api.now += 200_000;
    const answer = await api.call('POST', '/v1/pools/default/refresh');
    expect(answer).toMatchObject({ status: 202, body: undefined });
    for (const key of [first, second]) {
      expect(await api.getKey(key?.keyId as string)).toMatchObject({ expiresInMs: 300_000 });
    }
    expect(await api.getKey(elsewhere?.keyId as string)).toMatchObject({ expiresInMs: 100_000 });
  });

  it('answers 404 for a pool that does not exist', async () => {
    const answer = await api.call('POST', '/v1/pools/never/refresh');
    expect(answer).toMatchObject({ status: 404, body: { code: 'pool_not_found' } });
  });
});
