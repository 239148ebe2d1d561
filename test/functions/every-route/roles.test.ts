import { describe, expect, it } from 'vitest';
import { routes } from '../../../functions/routes.ts';
import type { Role } from '../../../shared/domain/client.ts';
import { makeSample, type RouteName, routeNames } from '../../support/route-samples.ts';
import { useTestApi } from '../../support/test-api.ts';

const roles: Role[] = ['admin', 'client', 'viewer'];

/** The table of the API: which roles may call what, beside `admin`, which may call everything. */
const TABLE: Record<RouteName, [methods: string, path: string, ...others: Role[]]> = {
  createKeys: ['POST', '/v1/keys'],
  listKeys: ['GET,HEAD', '/v1/keys', 'viewer'],
  getKey: ['GET,HEAD', '/v1/keys/{keyId}', 'viewer'],
  deleteKey: ['DELETE', '/v1/keys/{keyId}'],
  patchKey: ['PATCH', '/v1/keys/{keyId}'],
  refreshKey: ['POST', '/v1/keys/{keyId}/refresh'],
  pauseKey: ['POST', '/v1/keys/{keyId}/pause'],
  resumeKey: ['POST', '/v1/keys/{keyId}/resume'],
  unblockKey: ['POST', '/v1/keys/{keyId}/unblock'],
  acquireLease: ['POST', '/v1/leases', 'client'],
  listLeases: ['GET,HEAD', '/v1/leases', 'client'],
  getLease: ['GET,HEAD', '/v1/leases/{leaseId}', 'client'],
  keepAliveLease: ['POST', '/v1/leases/{leaseId}/keep-alive', 'client'],
  releaseLease: ['DELETE', '/v1/leases/{leaseId}', 'client'],
  listHolders: ['GET,HEAD', '/v1/holders', 'viewer'],
  listTickets: ['GET,HEAD', '/v1/pools/{pool}/tickets', 'viewer'],
  deleteTicket: ['DELETE', '/v1/tickets/{ticket}', 'client'],
  listPools: ['GET,HEAD', '/v1/pools', 'viewer'],
  getPool: ['GET,HEAD', '/v1/pools/{pool}', 'viewer'],
  putPool: ['PUT', '/v1/pools/{pool}'],
  patchPool: ['PATCH', '/v1/pools/{pool}'],
  refreshPool: ['POST', '/v1/pools/{pool}/refresh'],
  deletePool: ['DELETE', '/v1/pools/{pool}'],
  getUsage: ['GET,HEAD', '/v1/pools/{pool}/usage', 'viewer'],
  listUsage: ['GET,HEAD', '/v1/usage', 'viewer'],
  listEvents: ['GET,HEAD', '/v1/events', 'viewer'],
  createClient: ['POST', '/v1/clients'],
  listClients: ['GET,HEAD', '/v1/clients'],
  rotateClient: ['POST', '/v1/clients/{clientId}/secrets'],
  deleteClient: ['DELETE', '/v1/clients/{clientId}'],
  getMe: ['GET,HEAD', '/v1/me', 'client', 'viewer'],
  getHealth: ['GET,HEAD', '/v1/health', 'client', 'viewer'],
};

describe('roles', () => {
  const api = useTestApi();

  it('are those of the table, route by route', () => {
    const paths = Object.entries(routes).map(([name, route]) => [name, route.methods.join(','), route.path]);
    expect(paths).toEqual(Object.entries(TABLE).map(([name, [methods, path]]) => [name, methods, path]));
  });

  describe.each(routeNames)('of %s', (name) => {
    const allowed = roles.filter((role) => role === 'admin' || TABLE[name].slice(2).includes(role));
    const refused = roles.filter((role) => !allowed.includes(role));

    it.each(allowed)('let %s call it', async (role) => {
      const as = { clientId: `client_${role}`, role };
      const { method, path, options, status } = await makeSample(api, name, as);
      const answer = await api.call(method, path, { ...options, as });
      expect(answer).toMatchObject({ status });
      // Whatever can be read can be asked for without its body; the gateway leaves it out.
      if (method === 'GET') {
        const { status: head, body } = await api.call('HEAD', path, { ...options, as });
        expect({ status: head, body }).toEqual({ status, body: answer.body });
      }
    });

    it.runIf(refused.length > 0).each(refused)('refuse %s with 403, and nothing changes', async (role) => {
      const as = { clientId: `client_${role}`, role };
      const { method, path, options } = await makeSample(api, name, as);
      const before = await api.dump();
      const answer = await api.call(method, path, { ...options, as });
      expect(answer).toMatchObject({ status: 403, body: { code: 'forbidden' } });
      const malformed = await api.call(method, `${path}?unknown=1`, { ...options, as, rawBody: '{' });
      expect(malformed).toMatchObject({ status: 403 });
      expect(await api.dump()).toBe(before);
    });
  });

  it.each(['root', '', 'Admin', 'admin '])('do not include %j', async (role) => {
    const before = await api.dump();
    const as = { clientId: 'client_x', role: role as Role };
    expect(await api.call('POST', '/v1/keys', { as })).toMatchObject({ status: 401 });
    expect(await api.dump()).toBe(before);
  });
});
