import { describe, expect, it } from 'vitest';
import { routes } from '../../../functions/routes.ts';
import { makeSample, routeNames } from '../../support/route-samples.ts';
import { admin, useTestApi, worker } from '../../support/test-api.ts';

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
    expect(lines().slice(before)).toEqual([
      {
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
      },
    ]);
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
