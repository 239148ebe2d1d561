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
      paused: false,
      counts: { free: nothing, leased: nothing, cooling: nothing },
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
