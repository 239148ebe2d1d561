import { describe, expect, it } from 'vitest';
import { routes } from '../../functions/routes.ts';
import type { Caller, CreatedClient } from '../../shared/contract/clients.ts';
import { DatabaseUnavailableError } from '../../shared/domain/errors.ts';
import { HEALTH_CACHE_MS } from '../../shared/domain/health.ts';
import type { Route } from '../../shared/http/route.ts';
import { useTestApi } from '../support/test-api.ts';

describe('GET /v1/health', () => {
  const api = useTestApi();

  it('answers 200 to anyone while the database answers', async () => {
    const answer = await api.call('GET', '/v1/health', { as: 'nobody' });
    expect(answer).toMatchObject({ status: 200, body: { status: 'ok', database: 'ok' } });
  });

  it('tells how long ago the last sweep began, and stays 200 when that is late', async () => {
    const ask = async (laterMs: number) => {
      api.now += laterMs;
      const { status, body } = await api.call('GET', '/v1/health', { as: 'nobody' });
      expect(status).toBe(200);
      return body;
    };
    expect(await ask(0)).toEqual({ status: 'ok', database: 'ok', schema: 'ok', sweep: 'late' });
    api.now += HEALTH_CACHE_MS;
    await api.functions.sweep({}, { getRemainingTimeInMillis: () => 50_000 });
    expect(await ask(0)).toMatchObject({ sweep: 'ok', lastSweepAgeMs: 0 });
    expect(await ask(180_000)).toMatchObject({ sweep: 'ok', lastSweepAgeMs: 180_000 });
    expect(await ask(1)).toMatchObject({ sweep: 'late', lastSweepAgeMs: 180_001 });
  });

  it('asks the database once in two seconds, and once at a time, however many ask', async () => {
    const asked: string[] = [];
    const { promise: reply, resolve: answer } = Promise.withResolvers<void>();
    api.fault = (verb) => {
      asked.push(verb);
      return reply;
    };
    const ask = () => api.call('GET', '/v1/health', { as: 'nobody' });
    const first = Promise.all(Array.from({ length: 20 }, ask));
    api.now += 10 * HEALTH_CACHE_MS;
    const second = Promise.all(Array.from({ length: 20 }, ask));
    answer();
    await Promise.all([first, second]);
    api.now += HEALTH_CACHE_MS - 1;
    await ask();
    expect(asked).toEqual(['getLastSweep', 'schemaState']);
    api.now += 1;
    await ask();
    expect(asked).toHaveLength(4);
  });

  it('answers 503 with Retry-After while the database does not, and 200 when it is back', async () => {
    api.fault = () => {
      throw new DatabaseUnavailableError({ cause: new Error('connect ECONNREFUSED 10.0.0.7:27017') });
    };
    const answer = await api.call('GET', '/v1/health', { as: 'nobody' });
    expect(answer).toMatchObject({
      status: 503,
      headers: { 'retry-after': '2' },
      body: { code: 'database_unavailable', retryAfterMs: 2000 },
    });
    expect(JSON.stringify(answer)).not.toContain('10.0.0.7');
    api.fault = undefined;
    expect(await api.call('GET', '/v1/health', { as: 'nobody' })).toMatchObject({ status: 503 });
    api.now += HEALTH_CACHE_MS;
    expect(await api.call('GET', '/v1/health', { as: 'nobody' })).toMatchObject({ status: 200 });
  });
});

describe('GET /v1/me', () => {
  const api = useTestApi();

  it.each<Caller>([
    { clientId: 'client_a', role: 'admin' },
    { clientId: 'client_b', role: 'client', pools: ['seats', 'cards'] },
    { clientId: 'client_c', role: 'viewer' },
  ])('answers whom the credential names: %o', async (caller) => {
    const answer = await api.call<Caller>('GET', '/v1/me', { as: caller });
    expect(answer).toMatchObject({ status: 200 });
    expect(answer.body).toEqual(caller);
  });

  it('answers what the function itself verified where the authorizer could not', async () => {
    const body = { role: 'viewer', pools: ['seats'] };
    const { credential, clientId } = (await api.call<CreatedClient>('POST', '/v1/clients', { body })).body;
    const headers = { authorization: `Bearer ${credential}` };
    const answer = await api.call<Caller>('GET', '/v1/me', { as: 'unverified', headers });
    expect(answer.body).toEqual({ ...body, clientId });
  });
});

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY'];

describe('what no route matches', () => {
  const api = useTestApi();

  it.each([
    '/v1',
    '/v1/',
    '/v1/key',
    '/v1/keys/',
    '/v1/keys/a/b',
    '/v1/keys/a/refresh/b',
    '/v2/keys',
    '/v1//keys',
  ])('answers 404 for %s, whatever the method and whoever asks', async (path) => {
    for (const method of METHODS) {
      const answer = await api.call(method, path, { as: 'nobody' });
      expect(answer).toMatchObject({ status: 404, body: { code: 'route_not_found' } });
      expect(answer.headers).not.toHaveProperty('allow');
    }
  });

  it.each([...new Set(Object.values<Route>(routes).map((route) => route.path))])(
    'answers 405 with the methods that %s allows',
    async (routePath) => {
      const allowed = Object.values<Route>(routes)
        .filter((route) => route.path === routePath)
        .flatMap((route) => route.methods);
      const path = routePath.replace(/\{\w+\}/, 'some-id');
      for (const method of METHODS.filter((candidate) => !(allowed as string[]).includes(candidate))) {
        const answer = await api.call(method, path, { as: 'nobody' });
        expect(answer).toMatchObject({ status: 405, body: { code: 'method_not_allowed' } });
        expect(answer.headers.allow?.split(', ').sort()).toEqual([...allowed].sort());
      }
    },
  );
});
