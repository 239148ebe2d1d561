import { describe, expect, it } from 'vitest';
import type { CreateKeysResponse } from '../../shared/contract/keys.ts';
import { START, useTestApi } from '../support/test-api.ts';

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
