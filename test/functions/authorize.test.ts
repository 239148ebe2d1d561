import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { CreatedClient, ListClientsResponse } from '../../shared/contract/clients.ts';
import { DatabaseUnavailableError } from '../../shared/domain/errors.ts';
import { createAuthorizer } from '../../shared/http/create-authorizer.ts';
import { logger } from '../../shared/runtime/logger.ts';
import { createRuntime } from '../../shared/runtime/runtime.ts';
import { useTestApi } from '../support/test-api.ts';

describe('the authorizer', () => {
  const api = useTestApi();
  let client: CreatedClient;
  let secret: string;

  const authorize = (...identitySource: string[]) => api.functions.authorize({ identitySource });
  const denied = { isAuthorized: false, context: {} };

  beforeEach(async () => {
    const body = { role: 'client' };
    client = (await api.call<CreatedClient>('POST', '/v1/clients', { body })).body;
    secret = client.credential.slice(client.clientId.length + 1);
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it('lets a credential pass, and passes on whom it names', async () => {
    const allowed = { isAuthorized: true, context: { clientId: client.clientId, role: 'client', pools: '' } };
    expect(await authorize(`Bearer ${client.credential}`)).toEqual(allowed);
    expect(await authorize(`bearer   ${client.credential}`)).toEqual(allowed);
  });

  it('denies a wrong secret, an unknown client and a revoked one', async () => {
    const other = await api.call<CreatedClient>('POST', '/v1/clients', { body: { role: 'admin' } });
    for (const credential of [
      `${client.clientId}.${'x'.repeat(43)}`,
      `${client.clientId}.${secret.slice(0, -1)}`,
      `${client.clientId}.${secret}x`,
      `${client.clientId}.${secret.toUpperCase()}`,
      `${other.body.clientId}.${secret}`,
      `client_unknown.${secret}`,
    ]) {
      expect(await authorize(`Bearer ${credential}`)).toEqual(denied);
    }
    await api.call('DELETE', `/v1/clients/${client.clientId}`);
    expect(await authorize(`Bearer ${client.credential}`)).toEqual(denied);
  });

  it.each([
    '',
    'Bearer',
    'Bearer ',
    'Basic {}',
    '{}',
    'Bearer {} x',
    'Bearer, Bearer {}',
    ' Bearer {}',
    'Bearer {},{}',
  ])('denies the malformed header %j', async (header) => {
    expect(await authorize(header.replaceAll('{}', client.credential))).toEqual(denied);
  });

  it.each([
    '.',
    'a.',
    '.b',
    'a',
    'a.b',
    '$.x',
    '__proto__.constructor',
    "' OR 1=1 --.aaaaaaaaaaaaaaaa",
    'a\0.b',
    'ä.ö',
  ])('denies %j, which is no credential', async (credential) => {
    expect(await authorize(`Bearer ${credential}`)).toEqual(denied);
    expect(await authorize(`Bearer ${credential}.${secret}`)).toEqual(denied);
  });

  it('denies a request without a header', async () => {
    expect(await authorize()).toEqual(denied);
    expect(await api.functions.authorize({ identitySource: undefined as unknown as string[] })).toEqual(
      denied,
    );
  });

  it('leaves the verification to the function while the database is down, and verifies again when it is back', async () => {
    api.fault = () => {
      throw new DatabaseUnavailableError();
    };
    const unverified = { isAuthorized: true, context: { unverified: 'true' } };
    expect(await authorize(`Bearer ${client.credential}`)).toEqual(unverified);
    expect(await authorize(`Bearer ${client.clientId}.${'x'.repeat(43)}`)).toEqual(unverified);
    expect(await authorize('Bearer malformed')).toEqual(denied);
    api.fault = undefined;
    expect(await authorize(`Bearer ${client.credential}`)).toMatchObject({ context: { role: 'client' } });
    expect(await authorize(`Bearer ${client.clientId}.${'x'.repeat(43)}`)).toEqual(denied);
  });

  it('logs that the database did not answer, with the gateway’s request and Lambda’s', async () => {
    api.fault = () => {
      const cause = new Error('bad auth : mongodb+srv://user:secret@cluster.example/', {
        cause: Object.assign(new Error('refused'), { code: 8000 }),
      });
      throw new DatabaseUnavailableError({ cause });
    };
    const event = {
      identitySource: [`Bearer ${client.credential}`],
      requestContext: { requestId: 'gateway-1' },
    };
    onTestFinished(() => logger.removeKeys(['awsRequestId']));
    await api.functions.authorize(event, { awsRequestId: 'lambda-1' });
    expect(JSON.parse(api.logged().trim().split('\n').at(-1) ?? '')).toMatchObject({
      level: 'ERROR',
      message: 'database unavailable',
      requestId: 'gateway-1',
      awsRequestId: 'lambda-1',
      reason: 'Error: bad auth : mongodb+srv://...',
      causeCode: 8000,
    });
  });

  it('denies a credential from its expiration on', async () => {
    const body = { role: 'client', expiresInSeconds: 60 };
    const expiring = (await api.call<CreatedClient>('POST', '/v1/clients', { body })).body;
    api.now += 59_999;
    expect(await authorize(`Bearer ${expiring.credential}`)).toMatchObject({ isAuthorized: true });
    api.now += 1;
    expect(await authorize(`Bearer ${expiring.credential}`)).toEqual(denied);
    const unverified = await api.call('GET', '/v1/me', {
      as: 'unverified',
      headers: { authorization: `Bearer ${expiring.credential}` },
    });
    expect(unverified).toMatchObject({ status: 403 });
  });

  it('notes the hour of a use with one write, and only of a credential that is good', async () => {
    const verbs: string[] = [];
    api.fault = (verb) => verbs.push(verb);
    const commandsOf = async (header: string) => {
      verbs.length = 0;
      await authorize(header);
      return [...verbs];
    };
    api.now += 90 * 60_000;
    expect(await commandsOf(`Bearer ${client.clientId}.${'x'.repeat(43)}`)).toEqual(['clients.get']);
    expect(await commandsOf(`Bearer ${client.credential}`)).toEqual(['clients.get', 'clients.noteUse']);
    expect(await commandsOf(`Bearer ${client.credential}`)).toEqual(['clients.get']);
    const { body } = await api.call<ListClientsResponse>('GET', '/v1/clients');
    expect(body.clients).toMatchObject([{ lastUsedAt: '2026-01-01T13:00:00.000Z' }]);
    api.now += 30 * 60_000;
    expect(await commandsOf(`Bearer ${client.credential}`)).toEqual(['clients.get', 'clients.noteUse']);
  });

  it('lets a credential pass whose use cannot be noted, at once or at all', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const passes = { isAuthorized: true, context: { clientId: client.clientId } };
    api.fault = (verb) => verb === 'clients.noteUse' && Promise.reject(new TypeError('No such field'));
    expect(await authorize(`Bearer ${client.credential}`)).toMatchObject(passes);
    api.now += 60 * 60_000;
    const noting = Promise.withResolvers<void>();
    api.fault = (verb) => {
      if (verb !== 'clients.noteUse') return false;
      noting.resolve();
      return new Promise(() => undefined);
    };
    const answer = authorize(`Bearer ${client.credential}`);
    await noting.promise;
    await vi.advanceTimersByTimeAsync(200);
    expect(await answer).toMatchObject(passes);
  });

  describe('behind CloudFront alone', () => {
    const edgeSecret = 's'.repeat(48);
    const atTheEdge = (...identitySource: string[]) =>
      createAuthorizer(
        async () => createRuntime(api.store, { clockSkewToleranceMs: 1000 }),
        () => edgeSecret,
      )({ identitySource });

    it('lets a credential pass that comes with what CloudFront shows, and no other', async () => {
      const bearer = `Bearer ${client.credential}`;
      expect(await atTheEdge(bearer, edgeSecret)).toMatchObject({ isAuthorized: true });
      for (const shown of ['', `${edgeSecret}s`, edgeSecret.slice(1)]) {
        expect(await atTheEdge(bearer, shown)).toEqual(denied);
      }
      expect(await atTheEdge(bearer)).toEqual(denied);
      expect(await atTheEdge('Bearer malformed', edgeSecret)).toEqual(denied);
    });
  });

  it('waits a second for a database that hangs, and longer the next time', async () => {
    vi.useFakeTimers();
    api.fault = () => new Promise(() => undefined);
    const answer = authorize(`Bearer ${client.credential}`);
    await vi.advanceTimersByTimeAsync(1000);
    expect(await answer).toEqual({ isAuthorized: true, context: { unverified: 'true' } });
    expect(api.logged()).toContain('"reason":"Error: No reply within 1000 ms"');
    const longer = authorize(`Bearer ${client.credential}`);
    await vi.advanceTimersByTimeAsync(1999);
    api.fault = undefined;
    await vi.advanceTimersByTimeAsync(1);
    expect(await longer).toMatchObject({ context: { unverified: 'true' } });
    expect(api.logged()).toContain('"reason":"Error: No reply within 2000 ms"');
  });

  it('lets nobody pass when something goes wrong that nobody foresaw', async () => {
    api.fault = () => {
      throw new TypeError('Cannot read properties of undefined');
    };
    await expect(authorize(`Bearer ${client.credential}`)).rejects.toThrow(TypeError);
  });
});
