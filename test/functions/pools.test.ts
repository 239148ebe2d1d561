import { describe, expect, it } from 'vitest';
import type { ListPoolsResponse, Pool } from '../../shared/contract/pools.ts';
import { useTestApi, viewer, worker } from '../support/test-api.ts';

describe('GET /v1/pools/{pool}', () => {
  const api = useTestApi();
  const get = (pool: string) => api.call<Pool>('GET', `/v1/pools/${pool}`, { as: viewer });

  it('counts the free, leased and cooling keys at the moment of the call', async () => {
    await api.createKeys(5);
    await api.acquire({ leaseSeconds: 10 });
    const { keyId } = await api.acquire({ leaseSeconds: 20 });
    await api.call('POST', `/v1/keys/${keyId}/unblock`);
    const counts = async () => {
      const { body } = await get('default');
      const { free, leased, cooling } = body.counts;
      return [free.count, leased.count, cooling.count, body.nextFreeInMs];
    };
    expect(await counts()).toEqual([3, 1, 1, 11_000]);
    api.now += 10_000;
    expect(await counts()).toEqual([3, 0, 2, 1_000]);
    api.now += 2_000;
    expect(await counts()).toEqual([4, 0, 1, 9_000]);
    api.now += 9_000;
    expect(await counts()).toEqual([5, 0, 0, null]);
    api.now += 300_000;
    expect(await counts()).toEqual([0, 0, 0, null]);
  });

  it('answers a count that is up to two seconds old, but knows of keys that were just added', async () => {
    const counts = async () => (await get('default')).body.counts;
    await api.createKeys(2);
    expect(await counts()).toMatchObject({ free: { count: 2 }, leased: { count: 0 } });
    await api.acquire();
    api.now += 1_999;
    expect(await counts()).toMatchObject({ free: { count: 2 }, leased: { count: 0 } });
    api.now += 1;
    expect(await counts()).toMatchObject({ free: { count: 1 }, leased: { count: 1 } });
    await api.createKeys(2);
    expect(await counts()).toMatchObject({ free: { count: 3 }, leased: { count: 1 } });
  });

  it('answers 404 for a pool that never was or was deleted', async () => {
    await api.putPool('gone');
    await api.call('DELETE', '/v1/pools/gone');
    for (const name of ['never', 'gone']) {
      expect(await get(name)).toMatchObject({ status: 404, body: { code: 'pool_not_found' } });
    }
  });
});

describe('GET /v1/pools', () => {
  const api = useTestApi();

  it('answers the default pool, which always exists', async () => {
    const { body } = await api.call<ListPoolsResponse>('GET', '/v1/pools', { as: viewer });
    expect(body.pools.map((pool) => pool.pool)).toEqual(['default']);
  });

  it('pages through the pools by name, without a gap or a repeat, with their counts', async () => {
    for (const name of ['e', 'a', 'c', 'b', 'gone']) await api.putPool(name);
    await api.call('DELETE', '/v1/pools/gone');
    await api.createKeys(2, 'c');
    const pages = await api.pages<Pool>('/v1/pools?limit=2', { as: viewer });
    expect(pages.map((page) => page.map((pool) => [pool.pool, pool.counts.free.count]))).toEqual([
      [
        ['a', 0],
        ['b', 0],
      ],
      [
        ['c', 2],
        ['default', 0],
      ],
      [['e', 0]],
    ]);
  });

  it('ends where the last page is full', async () => {
    await api.putPool('z');
    const { body } = await api.call<ListPoolsResponse>('GET', '/v1/pools?limit=2');
    expect(body.pools).toHaveLength(2);
    expect(body).not.toHaveProperty('nextCursor');
  });
});

describe('DELETE /v1/pools/{pool}', () => {
  const api = useTestApi();

  it('deletes a pool with its keys, and ends their leases', async () => {
    await api.putPool('seats');
    const [key] = await api.createKeys(2, 'seats');
    const { leaseId } = await api.acquire({ pool: 'seats' });
    expect(await api.call('DELETE', '/v1/pools/seats')).toMatchObject({ status: 202, body: undefined });

    const noPool = { status: 404, body: { code: 'pool_not_found' } };
    expect(await api.call('GET', '/v1/pools/seats')).toMatchObject(noPool);
    expect(await api.call('DELETE', '/v1/pools/seats')).toMatchObject(noPool);
    expect(await api.call('GET', '/v1/keys?pool=seats')).toMatchObject(noPool);
    expect(await api.call('POST', '/v1/leases', { body: { pool: 'seats' } })).toMatchObject(noPool);
    expect(await api.call('GET', `/v1/keys/${key?.keyId}`)).toMatchObject({ status: 404 });
    const ended = { status: 410, body: { code: 'lease_ended', reason: 'deleted' } };
    expect(await api.call('POST', `/v1/leases/${leaseId}/keep-alive`, { as: worker })).toMatchObject(ended);
    expect(await api.call('DELETE', `/v1/leases/${leaseId}`, { as: worker })).toMatchObject(ended);
    expect(await api.call('GET', `/v1/leases/${leaseId}`, { as: worker })).toMatchObject(ended);
  });

  it('makes room for a new pool of the same name that has none of the old keys', async () => {
    await api.putPool('seats');
    const [old] = await api.createKeys(2, 'seats');
    await api.call('DELETE', '/v1/pools/seats');
    expect(await api.call('PUT', '/v1/pools/seats')).toMatchObject({ status: 201 });
    expect(await api.call('GET', '/v1/keys?pool=seats')).toMatchObject({ body: { keys: [] } });
    expect(await api.call('GET', `/v1/keys/${old?.keyId}`)).toMatchObject({ status: 404 });
  });

  it('empties the default pool, which goes on with its policy', async () => {
    await api.putPool('default', { leaseSeconds: 5 });
    await api.createKeys(3);
    const { leaseId } = await api.acquire();
    expect(await api.call('DELETE', '/v1/pools/default')).toMatchObject({ status: 202 });
    expect(await api.call('GET', '/v1/pools/default')).toMatchObject({
      status: 200,
      body: { leaseSeconds: 5, counts: { free: { count: 0 }, leased: { count: 0 } } },
    });
    const keptAlive = await api.call('POST', `/v1/leases/${leaseId}/keep-alive`, { as: worker });
    expect(keptAlive).toMatchObject({ status: 410, body: { reason: 'deleted' } });
    await api.createKeys(1);
    expect(await api.acquire()).toMatchObject({ pool: 'default' });
  });
});
