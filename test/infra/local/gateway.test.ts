import { beforeEach, describe, expect, it } from 'vitest';
import { routes } from '../../../functions/routes.ts';
import type { CreatedClient } from '../../../shared/contract/clients.ts';
import { problemSchema } from '../../../shared/contract/problems.ts';
import { type HttpAnswer, type HttpRequest, send, useLocalServer } from '../../support/local-host.ts';
import { makeSample, routeNames } from '../../support/route-samples.ts';
import { useTestApi } from '../../support/test-api.ts';

describe('the local gateway', () => {
  const api = useTestApi();
  const servers = useLocalServer();
  let port: number;
  let admin: CreatedClient;

  beforeEach(async () => {
    port = await servers.start(api.functions);
    admin = (await api.call<CreatedClient>('POST', '/v1/clients', { body: { role: 'admin' } })).body;
  });

  /** A request with the admin's credential. */
  const call = (request: HttpRequest): Promise<HttpAnswer> =>
    send(port, { ...request, headers: { authorization: `Bearer ${admin.credential}`, ...request.headers } });

  const expectFixed = (answer: HttpAnswer, status: number, message: string): void => {
    expect(answer).toMatchObject({ status, headers: { 'content-type': 'application/json' } });
    expect(JSON.parse(answer.text)).toEqual({ message });
    expect(answer.headers).not.toHaveProperty('x-request-id');
  };

  it.each(routeNames)(
    'takes a request of %s to its function, with its body, query and path',
    async (name) => {
      const { method, path, options, status } = await makeSample(api, name, admin);
      const answer = await call({
        method,
        path,
        headers: { 'content-type': 'application/json' },
        ...(options.body !== undefined && { body: JSON.stringify(options.body) }),
      });
      expect(answer).toMatchObject({ status, headers: { 'cache-control': 'no-store' } });
      const malformed = await call({ method, path: `${path}${path.includes('?') ? '&' : '?'}unknown=1` });
      expect(malformed.status).toBe(400);
      expect(problemSchema.parse(JSON.parse(malformed.text)).errors).toContainEqual({
        path: 'unknown',
        message: 'Unknown field',
      });
    },
  );

  it.each(routeNames.filter((name) => routes[name].access !== 'anyone'))(
    'answers for %s as API Gateway does: 401 without a credential, 403 with a wrong one',
    async (name) => {
      const { method, path } = await makeSample(api, name, admin);
      const before = await api.dump();
      expectFixed(await send(port, { method, path }), 401, 'Unauthorized');
      expectFixed(await call({ method, path, headers: { authorization: '' } }), 401, 'Unauthorized');
      for (const authorization of ['Bearer x', `Bearer ${admin.clientId}.${'x'.repeat(43)}`, 'Basic eDp5']) {
        expectFixed(await call({ method, path, headers: { authorization } }), 403, 'Forbidden');
      }
      expect(await api.dump()).toBe(before);
    },
  );

  it('asks for no credential on the health route', async () => {
    const answer = await send(port, { path: '/v1/health' });
    expect(answer).toMatchObject({ status: 200, text: expect.stringContaining('"status":"ok"') });
  });

  it.each([
    ['GET', '/v1', 404],
    ['GET', '/v1?x=1', 404],
    ['GET', '/v1/', 404],
    ['POST', '/v1/nothing', 404],
    ['PATCH', '/v1/keys', 405],
    ['OPTIONS', '/v1/keys', 405],
    ['PUT', '/v1/keys/key_a', 405],
    ['POST', '/v1/health', 405],
  ])(
    'answers %s %s with %i from the function for what is unmatched, credential or not',
    async (method, path, status) => {
      for (const answer of [await send(port, { method, path }), await call({ method, path })]) {
        expect(answer).toMatchObject({ status, headers: { 'content-type': 'application/problem+json' } });
        expect(problemSchema.parse(JSON.parse(answer.text)).status).toBe(status);
        expect(answer.headers.allow === undefined).toBe(status === 404);
      }
    },
  );

  it('answers HEAD with the headers of GET and no body', async () => {
    const [key] = await api.createKeys();
    const path = `/v1/keys/${key?.keyId}`;
    const get = await call({ path });
    const head = await call({ method: 'HEAD', path });
    expect(head).toMatchObject({ status: 200, text: '' });
    expect(head.headers['content-length']).toBe(String(Buffer.byteLength(get.text)));
    expect(head.headers['content-type']).toBe('application/json');
    expect(await call({ method: 'HEAD', path: '/v1/keys/key_x' })).toMatchObject({ status: 404, text: '' });
    expect(await call({ method: 'HEAD', path: '/v1/pools' })).toMatchObject({ status: 200, text: '' });
    expect(await send(port, { method: 'HEAD', path })).toMatchObject({ status: 401, text: '' });
  });

  it('gives each request an id of its own, in the header and in the problem', async () => {
    const answers = await Promise.all([1, 2, 3].map(() => call({ path: '/v1/keys/key_x' })));
    const ids = answers.map((answer) => answer.headers['x-request-id']);
    expect(new Set(ids).size).toBe(3);
    expect(answers.map((answer) => JSON.parse(answer.text).requestId)).toEqual(ids);
  });

  it('decodes a path once, and answers 400 where it cannot', async () => {
    const [key] = await api.createKeys();
    const encoded = Array.from(key?.keyId ?? '')
      .map((letter) => `%${letter.charCodeAt(0).toString(16)}`)
      .join('');
    expect(await call({ path: `/v1/keys/${encoded}` })).toMatchObject({ status: 200 });
    expect(await call({ path: `/v1/keys/${encoded.replaceAll('%', '%25')}` })).toMatchObject({ status: 400 });
    for (const path of [
      '/v1/keys/%',
      '/v1/keys/%zz',
      '/v1/keys/%ff',
      '/v1/keys/%c3%28',
      '/v1/pools/%E0%A4%A',
    ]) {
      expectFixed(await call({ path }), 400, 'Bad Request');
    }
    for (const path of ['/v1/keys/a%2Fb', '/v1/keys/%2e%2e', '/v1/keys/a%00', '/v1/keys/%20']) {
      const answer = await call({ path });
      expect(problemSchema.parse(JSON.parse(answer.text))).toMatchObject({ errors: [{ path: 'keyId' }] });
    }
  });

  it('decodes a query, and joins what is repeated, which no parameter takes', async () => {
    await api.createKeys(3);
    const list = async (query: string) => (await call({ path: `/v1/keys?${query}` })).status;
    expect(await list('search=key%5F&limit=2')).toBe(200);
    expect(await list('limit=%32')).toBe(200);
    expect(await list('limit=2&limit=2')).toBe(400);
    expect(await list('limit=+2')).toBe(400);
    expect(await list('search=%zz')).toBe(200);
    expect(await list('?limit=2')).toBe(400);
    expect(await list('__proto__=1')).toBe(400);
    expect(await list('constructor=1')).toBe(400);
    expect(await list('')).toBe(200);
    expect(await list('&&')).toBe(200);
  });
});
