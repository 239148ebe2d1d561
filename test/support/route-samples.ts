import { routes } from '../../functions/routes.ts';
import type { Lease } from '../../shared/contract/leases.ts';
import type { Waiting } from '../../shared/contract/tickets.ts';
import type { Caller } from '../../shared/domain/client.ts';
import type { CallOptions, TestApi } from './test-api.ts';

export type RouteName = keyof typeof routes;

export const routeNames = Object.keys(routes) as RouteName[];

/** A request that succeeds for whoever may make it. */
export interface Sample {
  readonly method: string;
  readonly path: string;
  readonly options: CallOptions;
  readonly status: number;
}

/** Brings the API into the state that the request needs. Leases belong to the client of `owner`, whatever its role. */
type MakeSample = (api: TestApi, owner: Owner) => Promise<Sample>;

type Owner = Pick<Caller, 'clientId'>;

/** Everything that is not of the default pool is of this one. */
const POOL = 'default';

const samples: Record<RouteName, MakeSample> = {
  createKeys: async () => sample('POST', '/v1/keys', 201, { body: { pool: POOL, count: 2 } }),
  listKeys: async () => sample('GET', `/v1/keys?pool=${POOL}`, 200),
  getKey: async (api) => sample('GET', `/v1/keys/${await freeKey(api)}`, 200),
  patchKey: async (api) =>
    sample('PATCH', `/v1/keys/${await freeKey(api)}`, 200, { body: { labels: { region: 'eu' } } }),
  deleteKey: async (api) => sample('DELETE', `/v1/keys/${await freeKey(api)}`, 204),
  refreshKey: async (api) => sample('POST', `/v1/keys/${await freeKey(api)}/refresh`, 200),
  pauseKey: async (api) =>
    sample('POST', `/v1/keys/${await freeKey(api)}/pause`, 200, { body: { reason: 'In repair' } }),
  resumeKey: async (api) => sample('POST', `/v1/keys/${await freeKey(api)}/resume`, 200),
  unblockKey: async (api, owner) =>
    sample('POST', `/v1/keys/${(await lease(api, owner)).keyId}/unblock`, 200),

  acquireLease: async (api) => {
    await freeKey(api);
    return sample('POST', '/v1/leases', 201, { body: { pool: POOL, leaseSeconds: 30, holder: 'host-1' } });
  },
  listLeases: async () => sample('GET', '/v1/leases', 200),
  getLease: async (api, owner) => sample('GET', `/v1/leases/${(await lease(api, owner)).leaseId}`, 200),
  keepAliveLease: async (api, owner) =>
    sample('POST', `/v1/leases/${(await lease(api, owner)).leaseId}/keep-alive`, 200),
  releaseLease: async (api, owner) =>
    sample('DELETE', `/v1/leases/${(await lease(api, owner)).leaseId}`, 204),

  listHolders: async () => sample('GET', '/v1/holders', 200),

  listTickets: async () => sample('GET', `/v1/pools/${POOL}/tickets`, 200),
  deleteTicket: async (api, owner) => sample('DELETE', `/v1/tickets/${await ticket(api, owner)}`, 204),

  listPools: async () => sample('GET', '/v1/pools', 200),
  getPool: async () => sample('GET', `/v1/pools/${POOL}`, 200),
  putPool: async () => sample('PUT', `/v1/pools/${POOL}`, 200, { body: { leaseSeconds: 30, maxKeys: 9 } }),
  patchPool: async () => sample('PATCH', `/v1/pools/${POOL}`, 200, { body: { paused: false, maxKeys: 9 } }),
  refreshPool: async () => sample('POST', `/v1/pools/${POOL}/refresh`, 202),
  deletePool: async () => sample('DELETE', `/v1/pools/${POOL}`, 202),
  getUsage: async () => sample('GET', `/v1/pools/${POOL}/usage`, 200),
  listUsage: async () => sample('GET', '/v1/usage', 200),

  listEvents: async () => sample('GET', `/v1/events?pool=${POOL}`, 200),

  createClient: async () =>
    sample('POST', '/v1/clients', 201, { body: { role: 'client', pools: [POOL], description: 'CI agents' } }),
  listClients: async () => sample('GET', '/v1/clients', 200),
  rotateClient: async (api) =>
    sample('POST', `/v1/clients/${await client(api)}/secrets`, 201, { body: { keepOldSeconds: 60 } }),
  deleteClient: async (api) => sample('DELETE', `/v1/clients/${await client(api)}`, 204),

  getMe: async () => sample('GET', '/v1/me', 200),
  getHealth: async () => sample('GET', '/v1/health', 200),
};

/** A request of this route that succeeds, with the state it needs; the options still lack the caller. */
export function makeSample(api: TestApi, name: RouteName, owner: Owner): Promise<Sample> {
  return samples[name](api, owner);
}

/** The routes whose requests have a body. */
export const routesWithBody = [
  'createKeys',
  'patchKey',
  'pauseKey',
  'acquireLease',
  'putPool',
  'patchPool',
  'createClient',
  'rotateClient',
] as const;

function sample(method: string, path: string, status: number, options: CallOptions = {}): Sample {
  return { method, path, status, options };
}

async function freeKey(api: TestApi): Promise<string> {
  const [key] = await api.createKeys(1, POOL);
  return key?.keyId as string;
}

async function client(api: TestApi): Promise<string> {
  const { body } = await api.call<{ clientId: string }>('POST', '/v1/clients', { body: { role: 'viewer' } });
  return body.clientId;
}

async function ticket(api: TestApi, owner: Owner): Promise<string> {
  await api.putPool(POOL, { fair: true });
  const { body } = await api.call<Waiting>('POST', '/v1/leases', {
    as: { clientId: owner.clientId, role: 'client' },
    body: { pool: POOL, wait: true },
  });
  return body.ticket;
}

async function lease(api: TestApi, owner: Owner): Promise<Lease> {
  await freeKey(api);
  return api.acquire({ pool: POOL }, { clientId: owner.clientId, role: 'client' });
}
