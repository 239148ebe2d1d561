import { describe, expect, it } from 'vitest';
import { routes } from '../../../functions/routes.ts';
import type { CreatedClient } from '../../../shared/contract/clients.ts';
import { type HttpAnswer, send, useLocalServer } from '../../support/local-host.ts';
import { useTestApi } from '../../support/test-api.ts';

const PAGE = 'https://app.example.com';

describe('a page of another origin', () => {
  const api = useTestApi();
  const servers = useLocalServer();

  /** What a browser asks before a call that carries a credential. */
  const preflight = (port: number, origin = PAGE, path = '/v1/leases'): Promise<HttpAnswer> =>
    send(port, { method: 'OPTIONS', path, headers: { origin, 'access-control-request-method': 'POST' } });

  const corsHeadersOf = ({ headers }: HttpAnswer): string[] =>
    Object.keys(headers).filter((name) => name.startsWith('access-control-'));

  it('may not call unless its origin is allowed', async () => {
    const closed = await servers.start(api.functions);
    const open = await servers.start(api.functions, { corsOrigins: [PAGE] });
    for (const answer of [
      await preflight(closed),
      await preflight(open, 'https://evil.example'),
      await preflight(open, `${PAGE}.evil.example`),
      await preflight(open, 'null'),
      await send(open, { path: '/v1/health', headers: { origin: 'https://evil.example' } }),
      await send(open, { path: '/v1/health' }),
    ]) {
      expect(corsHeadersOf(answer)).toEqual([]);
    }
  });

  it('is told before it calls which methods and headers it may send, without a credential', async () => {
    const port = await servers.start(api.functions, { corsOrigins: ['http://localhost:5173', PAGE] });
    for (const path of ['/v1/leases', '/v1/keys/key_a?force=true']) {
      const answer = await preflight(port, PAGE, path);
      expect(answer).toMatchObject({
        status: 204,
        text: '',
        headers: {
          'access-control-allow-origin': PAGE,
          'access-control-allow-headers': 'authorization,content-type,idempotency-key,if-match,traceparent',
          'access-control-max-age': '3600',
          vary: 'origin',
        },
      });
      const allowed = answer.headers['access-control-allow-methods']?.split(',');
      expect(allowed).toEqual(
        expect.arrayContaining(Object.values(routes).flatMap(({ methods }) => [...methods])),
      );
    }
  });

  it('may read every answer, the gateway’s own too, with its Retry-After and X-Request-Id', async () => {
    const port = await servers.start(api.functions, { corsOrigins: [PAGE] });
    const { body: admin } = await api.call<CreatedClient>('POST', '/v1/clients', { body: { role: 'admin' } });
    const headers = { origin: PAGE, authorization: `Bearer ${admin.credential}` };
    const answers = [
      await send(port, { path: '/v1/pools', headers }),
      await send(port, { method: 'POST', path: '/v1/leases', headers }),
      await send(port, { path: '/v1/pools', headers: { ...headers, authorization: 'Bearer wrong' } }),
      await send(port, { path: '/v1/pools', headers: { origin: PAGE } }),
      await send(port, { path: '/v1/keys/%zz', headers }),
      await send(port, { path: '/v1/nothing', headers }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 409, 403, 401, 400, 404]);
    for (const answer of answers) {
      expect(answer.headers).toMatchObject({
        'access-control-allow-origin': PAGE,
        'access-control-expose-headers': 'retry-after,x-request-id',
      });
    }
  });

  it('may be any where all are allowed', async () => {
    const port = await servers.start(api.functions, { corsOrigins: ['*'] });
    const answer = await preflight(port, 'https://anybody.example');
    expect(answer).toMatchObject({ status: 204, headers: { 'access-control-allow-origin': '*' } });
    expect(answer.headers).not.toHaveProperty('vary');
  });

  it('asks with OPTIONS; OPTIONS by itself is a method like others', async () => {
    const port = await servers.start(api.functions, { corsOrigins: [PAGE] });
    expect(await send(port, { method: 'OPTIONS', path: '/v1/leases' })).toMatchObject({ status: 405 });
  });
});
