import { describe, expect, it } from 'vitest';
import { routes } from '../../../functions/routes.ts';
import type { CreatedClient } from '../../../shared/contract/clients.ts';
import type { HeldLease } from '../../../shared/contract/leases.ts';
import { DatabaseUnavailableError } from '../../../shared/domain/errors.ts';
import { encodeLeaseId } from '../../../shared/domain/lease-id.ts';
import { makeSample, routeNames } from '../../support/route-samples.ts';
import { scrapeMetrics } from '../../support/scrape-metrics.ts';
import { admin, otherWorker, useTestApi, viewer, worker } from '../../support/test-api.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

const KEY = { pool: expect.any(String), keyId: expect.any(String) };
const POOL = { pool: expect.any(String) };

/** What the line tells of a request that was served, beside who asked and how it ended. */
const ABOUT: Partial<Record<(typeof routeNames)[number], object>> = {
  createKeys: { ...POOL, count: 2 },
  listKeys: POOL,
  getKey: KEY,
  deleteKey: { keyId: expect.any(String) },
  patchKey: KEY,
  refreshKey: KEY,
  pauseKey: KEY,
  resumeKey: KEY,
  unblockKey: KEY,
  acquireLease: { ...KEY, holder: 'host-1', outcome: 'acquired' },
  getLease: KEY,
  keepAliveLease: { ...KEY, outcome: 'kept_alive' },
  releaseLease: { ...KEY, outcome: 'released', heldMs: expect.any(Number) },
  listTickets: POOL,
  getPool: POOL,
  getUsage: POOL,
  putPool: POOL,
  patchPool: POOL,
  refreshPool: POOL,
  deletePool: POOL,
};

describe('the log', () => {
  const api = useTestApi();

  const lines = (): Record<string, unknown>[] =>
    api
      .logged()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  it.each(routeNames)('has one line for a request of %s: who, what and how it ended', async (name) => {
    const { method, path, options } = await makeSample(api, name, admin);
    const before = lines().length;
    const { status, headers } = await api.call(method, path, { ...options, as: admin });
    const [line, ...others] = lines().slice(before);
    expect(others).toEqual([]);
    expect(line).toEqual({
      level: 'INFO',
      message: 'request',
      service: 'token-orchestrator',
      timestamp: expect.any(String),
      sampling_rate: 0,
      requestId: headers['x-request-id'],
      route: `${method} ${routes[name].path}`,
      status,
      clientId: admin.clientId,
      callerIp: '203.0.113.9',
      durationMs: expect.any(Number),
      ...ABOUT[name],
    });
  });

  it('tells of an acquire, its keep-alives and its release: which key, whose, and for how long it was held', async () => {
    await api.putPool('seats', { cooldownSeconds: 10 });
    await api.createKeys(2, 'seats');
    const body = { pool: 'seats', holder: 'host-1' };
    const headers = { 'idempotency-key': 'request-1' };
    const acquire = () => api.call<HeldLease>('POST', '/v1/leases', { as: worker, body, headers });
    const { leaseId, keyId } = (await acquire()).body;
    await acquire();
    api.now += 5000;
    await api.call('POST', `/v1/leases/${leaseId}/keep-alive`, { as: worker });
    api.now += 2500;
    for (let i = 0; i < 2; i += 1)
      await api.call('DELETE', `/v1/leases/${leaseId}?outcome=cooldown`, { as: worker });
    await api.call('POST', `/v1/leases/${leaseId}/keep-alive`, { as: worker });
    const about = { pool: 'seats', keyId };
    const common = { clientId: worker.clientId, level: 'INFO', ...about };
    expect(lines().slice(-6)).toMatchObject([
      { ...common, status: 201, holder: 'host-1', outcome: 'acquired' },
      { ...common, status: 200, holder: 'host-1', outcome: 'repeated' },
      { ...common, status: 200, holder: 'host-1', outcome: 'kept_alive' },
      { ...common, status: 204, outcome: 'cooldown', heldMs: 7500 },
      { ...common, status: 204, outcome: 'release_repeated' },
      { ...common, status: 410, code: 'lease_ended', reason: 'released' },
    ]);
    expect(lines().at(-2)).not.toHaveProperty('heldMs');
  });

  it('names each key of several, who waits in a queue, and for how long somebody did', async () => {
    await api.putPool('seats', { fair: true });
    await api.createKeys(2, 'seats');
    const body = { pool: 'seats', count: 2, holder: 'host-1' };
    const { leases } = (await api.call<{ leases: HeldLease[] }>('POST', '/v1/leases', { as: worker, body }))
      .body;
    const wait = { as: otherWorker, body: { pool: 'seats', wait: true } };
    const { ticket } = (await api.call<{ ticket: string }>('POST', '/v1/leases', wait)).body;
    api.now += 700;
    await api.call('DELETE', `/v1/leases/${leases[0]?.leaseId}?outcome=discard`, { as: worker });
    await api.call('DELETE', `/v1/leases/${leases[1]?.leaseId}`, { as: worker });
    await api.call('POST', '/v1/leases', { as: otherWorker, body: { pool: 'seats', ticket } });
    const keyIds = leases.map(({ keyId }) => keyId);
    expect(lines().slice(-5)).toMatchObject([
      { pool: 'seats', keyIds, count: 2, holder: 'host-1', outcome: 'acquired' },
      { pool: 'seats', outcome: 'waiting', status: 202 },
      { pool: 'seats', outcome: 'discarded', heldMs: 700 },
      { pool: 'seats', outcome: 'released', heldMs: 700 },
      { pool: 'seats', outcome: 'acquired', waitedMs: 700, keyId: keyIds[1] },
    ]);
    expect(api.logged()).not.toContain(ticket);
  });

  it('says of a refusal whether the caller goes on asking, which is then not counted as one', async () => {
    await api.putPool('paused', { paused: true });
    await api.putPool('few', { maxLeasesPerClient: 1 });
    await api.createKeys(2, 'few');
    await api.acquire({ pool: 'few' });
    const pools = ['default', 'paused', 'few'];
    for (const wait of [true, true, undefined]) {
      for (const pool of pools) await api.call('POST', '/v1/leases', { as: worker, body: { pool, wait } });
    }
    const codes = ['no_key_available', 'pool_paused', 'lease_limit_reached'];
    const told = lines()
      .slice(-9)
      .map(({ pool, code, outcome }) => [pool, code, outcome]);
    const waiting = pools.map((pool, index) => [pool, codes[index], 'waiting']);
    expect(told).toEqual([...waiting, ...waiting, ...waiting.map(([pool, code]) => [pool, code, undefined])]);
    const mistaken = { pool: 'few', wait: true, leaseSeconds: 3600 };
    await api.call('POST', '/v1/leases', { as: worker, body: mistaken });
    expect(lines().at(-1)).toMatchObject({ code: 'invalid_request' });
    expect(lines().at(-1)).not.toHaveProperty('outcome');
    const scraped = await scrapeMetrics(api.metrics);
    for (const [index, pool] of pools.entries()) {
      const refusals = `token_orchestrator_refusals_total{code="${codes[index]}",pool="${pool}"}`;
      expect(scraped.get(refusals)).toBe(1);
      expect(scraped.get(`token_orchestrator_acquires_total{outcome="waiting",pool="${pool}"}`)).toBe(2);
    }
  });

  it('has the pool of a refusal where that exists, and never what the caller made up', async () => {
    await api.putPool('paused', { paused: true });
    await api.putPool('full', { maxKeys: 1 });
    await api.putPool('makes', { targetSize: 1 });
    await api.putPool('few', { maxLeasesPerClient: 1 });
    await api.createKeys(2, 'few');
    await api.acquire({ pool: 'few' });
    const ask = (pool: string) => api.call('POST', '/v1/leases', { as: worker, body: { pool } });
    for (const pool of ['default', 'paused', 'few']) await ask(pool);
    for (const pool of ['full', 'makes']) await api.call('POST', '/v1/keys', { body: { pool, count: 2 } });
    expect(lines().slice(-5)).toMatchObject([
      { code: 'no_key_available', pool: 'default' },
      { code: 'pool_paused', pool: 'paused' },
      { code: 'lease_limit_reached', pool: 'few' },
      { code: 'pool_full', pool: 'full' },
      { code: 'pool_full', pool: 'makes' },
    ]);
    const forged = encodeLeaseId({
      keyId: 'made-up-key',
      pool: 'default/000000000000001',
      proof: `1.${'x'.repeat(22)}`,
    });
    await ask('made-up-pool');
    await api.call('GET', '/v1/keys/made-up-key');
    await api.call('DELETE', `/v1/leases/${forged}`, { as: worker });
    await api.call('GET', '/v1/pools/made-up-pool', { as: { ...viewer, pools: ['seats'] } });
    expect(lines().slice(-4)).toMatchObject([
      { code: 'pool_not_found' },
      { code: 'key_not_found' },
      { status: 410 },
      { code: 'forbidden' },
    ]);
    expect(api.logged()).not.toContain('made-up');
  });

  it.each<[string, string, string | undefined]>([
    ['a trace', `00-${TRACE}-00f067aa0ba902b7-01`, TRACE],
    ['a trace of a later version', `01-${TRACE}-00f067aa0ba902b7-01-what-comes`, TRACE],
    ['no trace id', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`, undefined],
    ['no span id', `00-${TRACE}-${'0'.repeat(16)}-01`, undefined],
    ['the version that is none', `ff-${TRACE}-00f067aa0ba902b7-01`, undefined],
    ['more than this version has', `00-${TRACE}-00f067aa0ba902b7-01-more`, undefined],
    ['upper case', `00-${TRACE.toUpperCase()}-00f067aa0ba902b7-01`, undefined],
    ['two headers in one', `00-${TRACE}-00f067aa0ba902b7-01,00-${TRACE}-00f067aa0ba902b7-01`, undefined],
    ['something else', 'made-up', undefined],
  ])(
    'has the trace of a traceparent, and of one with %s what the standard says',
    async (_, traceparent, traceId) => {
      await api.call('GET', '/v1/me', { headers: { traceparent } });
      expect(lines().at(-1)?.traceId).toBe(traceId);
    },
  );

  it('names the client of a credential that the function verified itself', async () => {
    const body = { role: 'client' };
    const { credential, clientId } = (await api.call<CreatedClient>('POST', '/v1/clients', { body })).body;
    await api.call('GET', '/v1/me', { as: 'unverified', headers: { authorization: `Bearer ${credential}` } });
    expect(lines().at(-1)).toMatchObject({ status: 200, clientId });
  });

  it('has the code of what lies beneath a database that does not answer', async () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    api.fault = () => {
      throw new DatabaseUnavailableError({ cause: new Error('No server', { cause: refused }) });
    };
    await api.call('GET', '/v1/keys');
    expect(lines().slice(-2)).toMatchObject([
      {
        level: 'ERROR',
        message: 'database unavailable',
        reason: 'Error: No server',
        causeCode: 'ECONNREFUSED',
      },
      { level: 'INFO', status: 503, code: 'database_unavailable' },
    ]);
    api.fault = () => {
      throw new Error('nobody foresaw this');
    };
    await api.call('GET', '/v1/keys');
    expect(lines().at(-1)).toMatchObject({ status: 500, code: 'internal' });
  });

  it.each([
    ['198.51.100.10, 203.0.113.9', '198.51.100.10'],
    ['192.0.2.66, 198.51.100.10, 203.0.113.9', '198.51.100.10'],
    ['2001:db8:85a3::8a2e:370:7334,203.0.113.9', '2001:db8:85a3::8a2e:370:7334'],
    ['203.0.113.9', '203.0.113.9'],
    ['<script>, 203.0.113.9', '203.0.113.9'],
    ['', '203.0.113.9'],
  ])('has the caller’s address, also behind CloudFront, of X-Forwarded-For: %s', async (header, expected) => {
    await api.call('GET', '/v1/health', { headers: { 'x-forwarded-for': header } });
    expect(lines()).toMatchObject([{ callerIp: expected }]);
  });

  it('has the code of a refusal, and nothing of what was refused', async () => {
    await api.call('POST', '/v1/keys', { body: { pool: 'Secret pool', value: 'a secret value' } });
    await api.call('POST', '/v1/keys', { rawBody: '{"a secret value": tru' });
    await api.call('GET', '/v1/leases/not-a-lease-id-at-all?secret-parameter=1', { as: worker });
    await api.call('GET', '/v1/secret-path', { as: 'nobody' });
    expect(lines().map((line) => [line.status, line.code])).toEqual([
      [400, 'invalid_request'],
      [400, 'invalid_request'],
      [400, 'invalid_request'],
      [404, 'route_not_found'],
    ]);
    expect(api.logged()).not.toMatch(/secret|not-a-lease-id/i);
  });

  it('has no credential that was refused', async () => {
    const secret = 'x'.repeat(43);
    const headers = { authorization: `Bearer client_a.${secret}` };
    await api.call('GET', '/v1/keys', { as: 'unverified', headers });
    await api.functions.authorize({ identitySource: [`Bearer client_a.${secret}`] });
    expect(api.logged()).not.toContain(secret);
  });
});
