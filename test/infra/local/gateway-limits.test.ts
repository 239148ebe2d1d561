import { once } from 'node:events';
import { connect } from 'node:net';
import { beforeEach, describe, expect, it } from 'vitest';
import type { CreatedClient } from '../../../shared/contract/clients.ts';
import { DatabaseUnavailableError } from '../../../shared/domain/errors.ts';
import { type HttpAnswer, type HttpRequest, send, useLocalServer } from '../../support/local-host.ts';
import { useTestApi } from '../../support/test-api.ts';

const MAX_REQUEST_BYTES = 10 * 1024 * 1024;

describe('the local gateway', () => {
  const api = useTestApi();
  const servers = useLocalServer();
  let port: number;
  let monotonicMs: number;
  let authorization: string;

  beforeEach(async () => {
    monotonicMs = 0;
    port = await servers.start(api.functions, { monotonicNow: () => monotonicMs });
    const admin = await api.call<CreatedClient>('POST', '/v1/clients', { body: { role: 'admin' } });
    authorization = `Bearer ${admin.body.credential}`;
  });

  const call = (request: HttpRequest): Promise<HttpAnswer> =>
    send(port, { ...request, headers: { authorization, ...request.headers } });
  const post = (body: string | Buffer, headers: Record<string, string> = {}, path = '/v1/keys') =>
    call({
      method: 'POST',
      path,
      body,
      headers: { 'content-type': 'application/json', ...headers },
    });

  describe('limits the body', () => {
    it('to 10 MB, as API Gateway does, with or without a declared length', async () => {
      const tooLarge = Buffer.alloc(MAX_REQUEST_BYTES + 1, ' ');
      for (const headers of [
        { 'content-length': String(tooLarge.length) },
        { 'transfer-encoding': 'chunked' },
      ]) {
        const answer = await post(tooLarge, headers);
        expect(answer.status).toBe(413);
        expect(JSON.parse(answer.text)).toEqual({ message: 'Request Entity Too Large' });
      }
    });

    it.each([
      ['/v1/keys', 5 * 1024 * 1024],
      ['/v1/leases', 64 * 1024],
    ])('of %s to %i bytes, as its function does, below that', async (path, limit) => {
      for (const size of [limit + 1, MAX_REQUEST_BYTES]) {
        const answer = await post(Buffer.alloc(size, ' '), {}, path);
        expect(JSON.parse(answer.text)).toMatchObject({ status: 413, code: 'body_too_large' });
      }
      await api.createKeys();
      expect(await post(Buffer.from('{}'.padEnd(limit)), {}, path)).toMatchObject({ status: 201 });
    });

    it('before it looks at the credential', async () => {
      const answer = await post(Buffer.alloc(MAX_REQUEST_BYTES + 1), { authorization: 'Bearer wrong' });
      expect(answer.status).toBe(413);
    });

    it('and hands on what is no text in base64', async () => {
      const answer = await post(Buffer.from([0, 255, 254]), { 'content-type': 'application/octet-stream' });
      expect(answer.status).toBe(415);
      const large = await post(Buffer.alloc(65_537), { 'content-type': 'image/png' }, '/v1/leases');
      expect(JSON.parse(large.text)).toMatchObject({ status: 413 });
    });
  });

  describe('asks the authorizer', () => {
    it('at most every five seconds for one credential, so that a revoked one ends then', async () => {
      const clientId = authorization.slice('Bearer '.length).split('.')[0] as string;
      expect(await call({ path: '/v1/keys' })).toMatchObject({ status: 200 });
      await api.call('POST', '/v1/clients', { body: { role: 'admin' } }); // The last one could not be revoked.
      await api.store.clients.remove(clientId, Date.now());
      monotonicMs += 4999;
      expect(await call({ path: '/v1/keys' })).toMatchObject({ status: 200 });
      monotonicMs += 1;
      expect(await call({ path: '/v1/keys' })).toMatchObject({
        status: 403,
        text: '{"message":"Forbidden"}',
      });
    });

    it('and leaves the verification to the function while the database is down', async () => {
      api.fault = () => {
        throw new DatabaseUnavailableError();
      };
      const wrong = `${authorization.split('.')[0]}.${'x'.repeat(43)}`;
      for (const credential of [authorization, wrong]) {
        const down = await call({ path: '/v1/keys', headers: { authorization: credential } });
        expect(down).toMatchObject({ status: 503, headers: { 'retry-after': '2' } });
        expect(JSON.parse(down.text)).toMatchObject({ code: 'database_unavailable' });
      }
      api.fault = undefined;
      expect(await call({ path: '/v1/keys' })).toMatchObject({ status: 200 });
      const refused = await call({ path: '/v1/keys', headers: { authorization: wrong } });
      expect(JSON.parse(refused.text)).toMatchObject({ status: 403, code: 'forbidden' });
    });
  });

  describe('answers for a function', () => {
    const startWith = (handler: () => Promise<never>, functionDeadlineMs?: number) =>
      servers.start(
        { ...api.functions, handlers: new Map([['get-health', handler]]) },
        functionDeadlineMs === undefined ? {} : { functionDeadlineMs },
      );

    it('that does not answer in time with 503', async () => {
      const hanging = await startWith(() => new Promise(() => undefined), 1);
      const answer = await send(hanging, { path: '/v1/health' });
      expect(answer).toMatchObject({ status: 503, text: '{"message":"Service Unavailable"}' });
    });

    it('that throws with 500, and nothing of why', async () => {
      const throwing = await startWith(() => Promise.reject(new Error('mongodb://app:hunter2@db.internal')));
      const answer = await send(throwing, { path: '/v1/health' });
      expect(answer).toMatchObject({ status: 500, text: '{"message":"Internal Server Error"}' });
    });

    it('whose authorizer throws with 500', async () => {
      api.fault = () => {
        throw new TypeError('mongodb://app:hunter2@db.internal');
      };
      const answer = await call({ path: '/v1/keys' });
      expect(answer).toMatchObject({ status: 500, text: '{"message":"Internal Server Error"}' });
    });
  });

  it('goes on after a caller that hung up in the middle of a request, and logs no error', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.write('POST /v1/health HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{"a"');
    const hungUp = once(socket, 'close');
    expect(await call({ path: '/v1/keys' })).toMatchObject({ status: 200 });
    socket.destroy();
    await hungUp;
    expect(await call({ path: '/v1/keys' })).toMatchObject({ status: 200 });
    expect(api.logged()).not.toContain('"level":"ERROR"');
  });

  it('answers 400 to what is no HTTP, and goes on', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.write('FOO /v1/keys HTTP/1.1\r\nhost: x\r\n\r\n');
    const [data] = (await once(socket, 'data')) as [Buffer];
    expect(data.toString()).toMatch(/^HTTP\/1\.1 400 /);
    socket.destroy();
    expect(await call({ path: '/v1/keys' })).toMatchObject({ status: 200 });
  });
});
