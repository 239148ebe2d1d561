import { beforeEach, describe, expect, it } from 'vitest';
import type { Client, CreatedClient, Role } from '../../shared/contract/clients.ts';
import { admin, useTestApi } from '../support/test-api.ts';

describe('POST /v1/clients', () => {
  const api = useTestApi();
  const create = (body: unknown) => api.call<CreatedClient>('POST', '/v1/clients', { body });

  it('makes a client, and shows its credential in this answer alone', async () => {
    const { status, body } = await create({ role: 'client', pools: ['a', 'b'], description: 'CI agents' });
    expect(status).toBe(201);
    expect(body).toEqual({
      clientId: expect.stringMatching(/^client_[\w-]{12}$/),
      role: 'client',
      pools: ['a', 'b'],
      description: 'CI agents',
      createdAt: '2026-01-01T12:00:00.000Z',
      credential: expect.stringMatching(/^client_[\w-]{12}\.[\w-]{43}$/),
    });
    const secret = body.credential.slice(body.clientId.length + 1);
    const list = await api.call('GET', '/v1/clients');
    expect(JSON.stringify(list.body)).not.toContain(secret);
    expect(await api.dump()).not.toContain(secret);
  });

  it('makes a credential that the authorizer knows, with its role and pools', async () => {
    const { body } = await create({ role: 'viewer', pools: ['a'] });
    const answer = await api.functions.authorize({ identitySource: [`Bearer ${body.credential}`] });
    expect(answer).toEqual({
      isAuthorized: true,
      context: { clientId: body.clientId, role: 'viewer', pools: '["a"]' },
    });
  });

  it.each([
    ['role', {}],
    ['role', { role: 'root' }],
    ['role', { role: ['admin'] }],
    ['role', { role: null }],
    ['pools', { role: 'client', pools: [] }],
    ['pools', { role: 'client', pools: 'a' }],
    ['pools', { role: 'client', pools: null }],
    ['pools.1', { role: 'client', pools: ['a', 'B'] }],
    ['pools', { role: 'client', pools: Array.from({ length: 21 }, (_, index) => `p${index}`) }],
    ['description', { role: 'client', description: '' }],
    ['description', { role: 'client', description: 'x'.repeat(201) }],
    ['description', { role: 'client', description: 'a\nb' }],
    ['clientId', { role: 'client', clientId: 'client_mine' }],
    ['expiresInSeconds', { role: 'client', expiresInSeconds: 0 }],
    ['expiresInSeconds', { role: 'client', expiresInSeconds: 1.5 }],
    ['expiresInSeconds', { role: 'client', expiresInSeconds: null }],
    ['expiresInSeconds', { role: 'client', expiresInSeconds: 315_360_001 }],
    ['expiresAt', { role: 'client', expiresAt: '2026-01-01T13:00:00.000Z' }],
  ])('names %s as wrong in %j, and makes nobody', async (path, body) => {
    const before = await api.dump();
    const answer = await api.call('POST', '/v1/clients', { body });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path }] } });
    expect(await api.dump()).toBe(before);
  });
});

describe('POST /v1/clients/{clientId}/secrets', () => {
  const api = useTestApi();
  let made: CreatedClient;

  beforeEach(async () => {
    const body = { role: 'client', description: 'CI agents', expiresInSeconds: 3600 };
    made = (await api.call<CreatedClient>('POST', '/v1/clients', { body })).body;
  });

  const rotate = (body?: unknown, clientId = made.clientId) =>
    api.call<CreatedClient>('POST', `/v1/clients/${clientId}/secrets`, body === undefined ? {} : { body });
  const isGood = async (credential: string) =>
    (await api.functions.authorize({ identitySource: [`Bearer ${credential}`] })).isAuthorized;

  it('gives a new secret, in this answer alone, and keeps the old one for a day where nothing is said', async () => {
    const { credential: first, ...client } = made;
    api.now += 60_000;
    const { status, body } = await rotate();
    expect({ status, body }).toEqual({
      status: 201,
      body: {
        ...client,
        rotatedAt: '2026-01-01T12:01:00.000Z',
        expiresAt: '2026-01-01T13:01:00.000Z',
        oldSecretExpiresAt: '2026-01-01T13:00:00.000Z',
        credential: expect.stringMatching(/^client_[\w-]{12}\.[\w-]{43}$/),
      },
    });
    for (const credential of [first, body.credential]) expect(await isGood(credential)).toBe(true);
    const secret = body.credential.split('.')[1];
    expect(JSON.stringify((await api.call('GET', '/v1/clients')).body)).not.toContain(secret);
    expect(await api.dump()).not.toContain(secret);
    const lasting = await rotate({ expiresInSeconds: null });
    expect((await rotate()).body.oldSecretExpiresAt).toBe('2026-01-02T12:01:00.000Z');
    expect(lasting.body.expiresAt).toBeUndefined();
  });

  it('ends the old secret at once where it is to', async () => {
    const { body } = await rotate({ keepOldSeconds: 0 });
    expect(body.oldSecretExpiresAt).toBeUndefined();
    expect([await isGood(made.credential), await isGood(body.credential)]).toEqual([false, true]);
  });

  it('answers 404 for a client that is not there, and 409 where the last lasting admin would expire', async () => {
    expect(await rotate({}, 'client_none')).toMatchObject({
      status: 404,
      body: { code: 'client_not_found' },
    });
    const body = { role: 'admin' };
    const { clientId } = (await api.call<CreatedClient>('POST', '/v1/clients', { body })).body;
    const before = await api.dump();
    expect(await rotate({ expiresInSeconds: 60 }, clientId)).toMatchObject({
      status: 409,
      body: { code: 'last_admin' },
    });
    expect(await api.dump()).toBe(before);
  });

  it.each([
    ['keepOldSeconds', { keepOldSeconds: -1 }],
    ['keepOldSeconds', { keepOldSeconds: 0.5 }],
    ['keepOldSeconds', { keepOldSeconds: 2_592_001 }],
    ['keepOldSeconds', { keepOldSeconds: null }],
    ['keepOldSeconds', { keepOldSeconds: '60' }],
    ['expiresInSeconds', { expiresInSeconds: 0 }],
    ['expiresInSeconds', { expiresInSeconds: 315_360_001 }],
    ['secret', { secret: 'x'.repeat(43) }],
  ])('names %s as wrong in %j, and changes nothing', async (path, body) => {
    const before = await api.dump();
    expect(await rotate(body)).toMatchObject({ status: 400, body: { errors: [{ path }] } });
    expect(await api.dump()).toBe(before);
  });
});

describe('GET /v1/clients', () => {
  const api = useTestApi();

  it('pages through the clients without a gap or a repeat, and never shows a secret or its hash', async () => {
    const made: Client[] = [];
    for (let number = 0; number < 5; number += 1) {
      const { body } = await api.call<CreatedClient>('POST', '/v1/clients', { body: { role: 'client' } });
      const { credential, ...client } = body;
      made.push(client);
    }
    const found = (await api.pages<Client>('/v1/clients?limit=2')).flat();
    expect(found).toHaveLength(5);
    expect(found).toEqual(expect.arrayContaining(made));
  });
});

describe('DELETE /v1/clients/{clientId}', () => {
  const api = useTestApi();

  const create = async (role: Role, pools?: string[]): Promise<CreatedClient> =>
    (await api.call<CreatedClient>('POST', '/v1/clients', { body: { role, pools } })).body;

  it('revokes a credential, and answers 404 when repeated', async () => {
    const body = await create('viewer');
    const path = `/v1/clients/${body.clientId}`;
    expect(await api.call('DELETE', path)).toMatchObject({ status: 204, body: undefined });
    const answer = await api.functions.authorize({ identitySource: [`Bearer ${body.credential}`] });
    expect(answer).toEqual({ isAuthorized: false, context: {} });
    expect(await api.call('DELETE', path)).toMatchObject({ status: 404, body: { code: 'client_not_found' } });
    expect(await api.call('GET', '/v1/clients')).toMatchObject({ body: { clients: [] } });
  });

  it('answers 409 for the credential of the call itself, unless forced', async () => {
    const [own] = [await create('admin'), await create('admin')];
    const as = { clientId: own.clientId, role: 'admin' } as const;
    const path = `/v1/clients/${own.clientId}`;
    const before = await api.dump();
    for (const target of [path, `${path}?force=false`]) {
      const answer = await api.call('DELETE', target, { as });
      expect(answer).toMatchObject({ status: 409, body: { code: 'own_credential' } });
    }
    expect(await api.dump()).toBe(before);
    expect(await api.call('DELETE', `${path}?force=true`, { as })).toMatchObject({ status: 204 });
  });

  it('answers 409 for the last admin without limits, also when forced', async () => {
    const last = await create('admin');
    await create('admin', ['seats']);
    const before = await api.dump();
    for (const as of [admin, { clientId: last.clientId, role: 'admin' } as const]) {
      const answer = await api.call('DELETE', `/v1/clients/${last.clientId}?force=true`, { as });
      expect(answer).toMatchObject({ status: 409, body: { code: 'last_admin' } });
    }
    expect(await api.dump()).toBe(before);
  });
});
