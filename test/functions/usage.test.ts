import { describe, expect, it } from 'vitest';
import type { ListUsageResponse, Usage } from '../../shared/contract/usage.ts';
import { START, useTestApi, viewer, worker } from '../support/test-api.ts';

const api = useTestApi();
const PATH = '/v1/pools/default/usage';
const at = new Date(START).toISOString();

const sweep = () => api.functions.sweep({}, { getRemainingTimeInMillis: () => 50_000 });

describe('GET /v1/pools/{pool}/usage', () => {
  it('answers the points, what would have been enough, and the keys that there are', async () => {
    await api.createKeys(2);
    await api.acquire();
    await sweep();
    const { status, body } = await api.call<Usage>('GET', `${PATH}?hours=1`, { as: viewer });
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        pool: 'default',
        from: new Date(START - 59 * 60_000).toISOString(),
        to: new Date(START + 60_000).toISOString(),
        stepMinutes: 1,
        resolutionMinutes: 1,
        keys: { count: 2, relation: 'exact' },
        totals: { minutes: 1, refusedMinutes: 0, peak: 1, p50: 1, p95: 1, p99: 1, p999: 1 },
        points: [
          {
            at,
            minutes: 1,
            refusedMinutes: 0,
            peak: 1,
            keys: 2,
            leased: 1,
            leastLeased: 1,
            free: 1,
            cooling: 0,
            waiting: 0,
          },
        ],
      },
    });
  });

  it('knows of a refusal at once', async () => {
    await api.call('POST', '/v1/leases', { as: worker, body: {} });
    const { body } = await api.call<Usage>('GET', PATH, { as: viewer });
    expect(body.points).toEqual([{ at, minutes: 1, refusedMinutes: 1 }]);
  });

  it.each([
    ['hours=0', 'hours'],
    ['hours=9601', 'hours'],
    ['hours=1.5', 'hours'],
    ['step=0', 'step'],
    ['hours=200&step=90', 'step'],
    ['hours=168&step=1', 'step'],
    ['limit=3', 'limit'],
  ])('refuses %s', async (query, path) => {
    const { status, body } = await api.call('GET', `${PATH}?${query}`);
    expect({ status, paths: body.errors?.map((issue) => issue.path) }).toEqual({
      status: 400,
      paths: [path],
    });
  });

  it('is 404 of a pool that is not there', async () => {
    expect(await api.call('GET', '/v1/pools/none/usage')).toMatchObject({
      status: 404,
      body: { code: 'pool_not_found' },
    });
  });
});

describe('GET /v1/usage', () => {
  it('answers page by page, each pool with its points', async () => {
    await api.putPool('licences');
    await sweep();
    const first = await api.call<ListUsageResponse>('GET', '/v1/usage?limit=1', { as: viewer });
    expect(first.body).toMatchObject({
      stepMinutes: 60,
      resolutionMinutes: 60,
      pools: [{ pool: 'default', points: [{ at, peak: 0 }] }],
    });
    const cursor = first.body.nextCursor as string;
    const second = await api.call<ListUsageResponse>('GET', `/v1/usage?limit=1&cursor=${cursor}`);
    expect(second.body.pools.map(({ pool }) => pool)).toEqual(['licences']);
    expect(second.body).not.toHaveProperty('nextCursor');
  });

  it.each(['hours=0', 'hours=169'])('refuses %s', async (query) => {
    expect(await api.call('GET', `/v1/usage?${query}`)).toMatchObject({ status: 400 });
  });
});
