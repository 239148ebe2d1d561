import { describe, expect, it } from 'vitest';
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
  ])('names %s as wrong in %j, and makes nobody', async (path, body) => {
    const before = await api.dump();
    const answer = await api.call('POST', '/v1/clients', { body });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path }] } });
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
