import { describe, expect, it } from 'vitest';
import type { ListPoolsResponse, Pool } from '../../shared/contract/pools.ts';
import { useTestApi, viewer } from '../support/test-api.ts';

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
    api.now += 1_000;
    expect(await counts()).toEqual([4, 0, 1, 10_000]);
    api.now += 10_000;
    expect(await counts()).toEqual([5, 0, 0, null]);
    api.now += 300_000;
    expect(await counts()).toEqual([0, 0, 0, null]);
  });

  it('counts exactly to 10,000, and answers "at least" beyond', async () => {
    for (let thousand = 0; thousand < 10; thousand += 1) await api.createKeys(1000);
    expect((await get('default')).body.counts.free).toEqual({ count: 10_000, relation: 'exact' });
    await api.createKeys(1);
    expect((await get('default')).body.counts.free).toEqual({ count: 10_000, relation: 'atLeast' });
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
    const pages: Pool[][] = [];
    for (let query = '?limit=2'; query !== ''; ) {
      const { body } = await api.call<ListPoolsResponse>('GET', `/v1/pools${query}`, { as: viewer });
      pages.push(body.pools);
      query = body.nextCursor === undefined ? '' : `?limit=2&cursor=${body.nextCursor}`;
    }
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
