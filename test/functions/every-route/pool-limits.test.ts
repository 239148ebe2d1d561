import { beforeEach, describe, expect, it } from 'vitest';
import type { ListKeysResponse } from '../../../shared/contract/keys.ts';
import type { Lease, ListLeasesResponse } from '../../../shared/contract/leases.ts';
import type { Pool } from '../../../shared/contract/pools.ts';
import type { Caller } from '../../../shared/domain/client.ts';
import { makeSample, type RouteName, routeNames } from '../../support/route-samples.ts';
import { useTestApi, withoutValue } from '../../support/test-api.ts';

const limited: Caller = { clientId: 'client_limited', role: 'admin', pools: ['mine', 'ours'] };
const unlimited: Caller = { clientId: 'client_limited', role: 'admin' };

/** Routes that answer, but leave out what is of other pools. */
const filtering: RouteName[] = ['listLeases', 'listHolders', 'listPools', 'listUsage'];
const open: RouteName[] = ['getMe', 'getHealth'];

describe('a credential that is limited to some pools', () => {
  const api = useTestApi();

  beforeEach(async () => {
    for (const pool of ['mine', 'ours', 'theirs']) {
      await api.putPool(pool);
      await api.createKeys(2, pool);
    }
  });

  const outside = routeNames.filter((name) => !filtering.includes(name) && !open.includes(name));
  it.each(outside)('is refused with 403 by %s outside them, and nothing changes', async (name) => {
    const { method, path, options } = await makeSample(api, name, unlimited);
    const before = await api.dump();
    const answer = await api.call(method, path, { ...options, as: limited });
    expect(answer).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    expect(await api.dump()).toBe(before);
  });

  it.each(open)('may call %s', async (name) => {
    const { method, path, options, status } = await makeSample(api, name, unlimited);
    expect(await api.call(method, path, { ...options, as: limited })).toMatchObject({ status });
  });

  it('is refused for a pool that does not exist just as for one that does', async () => {
    for (const pool of ['theirs', 'nowhere']) {
      for (const [method, path, body] of [
        ['GET', `/v1/pools/${pool}`],
        ['DELETE', `/v1/pools/${pool}`],
        ['PUT', `/v1/pools/${pool}`, {}],
        ['PATCH', `/v1/pools/${pool}`, {}],
        ['POST', `/v1/pools/${pool}/refresh`],
        ['GET', `/v1/keys?pool=${pool}`],
        ['POST', '/v1/keys', { pool }],
        ['POST', '/v1/leases', { pool }],
      ] as const) {
        expect(await api.call(method, path, { as: limited, body })).toMatchObject({ status: 403 });
      }
    }
  });

  it('works within them', async () => {
    const keys = await api.call<ListKeysResponse>('GET', '/v1/keys?pool=mine', { as: limited });
    expect(keys.body.keys).toHaveLength(2);
    const lease = await api.call<Lease>('POST', '/v1/leases', { as: limited, body: { pool: 'ours' } });
    expect(lease.status).toBe(201);
    const path = `/v1/leases/${lease.body.leaseId}`;
    expect(await api.call('POST', `${path}/keep-alive`, { as: limited })).toMatchObject({ status: 200 });
    expect(await api.call('GET', `/v1/keys/${lease.body.keyId}`, { as: limited })).toMatchObject({
      status: 200,
    });
    expect(await api.call('DELETE', path, { as: limited })).toMatchObject({ status: 204 });
    expect(await api.call('PUT', '/v1/pools/mine', { as: limited })).toMatchObject({ status: 200 });
  });

  it('sees its own pools alone in the list, though others stand between them', async () => {
    const pages = await api.pages<Pool>('/v1/pools?limit=1', { as: limited });
    // No page is empty, and no cursor tells the name of another pool.
    expect(pages.map((page) => page.map(({ pool }) => pool))).toEqual([['mine'], ['ours']]);
  });

  it('sees its leases in its own pools alone', async () => {
    const mine = await api.acquire({ pool: 'mine' }, unlimited);
    await api.acquire({ pool: 'theirs' }, unlimited);
    const { body } = await api.call<ListLeasesResponse>('GET', '/v1/leases', { as: limited });
    expect(body.leases).toEqual([withoutValue(mine)]);
  });

  it('repeats no request that another credential of its client made elsewhere', async () => {
    const headers = { 'idempotency-key': 'job-1' };
    await api.call('POST', '/v1/leases', { as: unlimited, headers, body: { pool: 'theirs' } });
    const answer = await api.call('POST', '/v1/leases', { as: limited, headers, body: { pool: 'theirs' } });
    expect(answer).toMatchObject({ status: 403 });
  });

  it('that is limited to no pool at all may call nothing of any', async () => {
    const as: Caller = { ...limited, pools: [] };
    for (const path of ['/v1/pools/default', '/v1/keys', '/v1/clients']) {
      expect(await api.call('GET', path, { as })).toMatchObject({ status: 403 });
    }
    expect(await api.call('GET', '/v1/pools', { as })).toMatchObject({ status: 200, body: { pools: [] } });
  });
});
