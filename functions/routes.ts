import type { Route } from '../shared/http/route.ts';

/** Whatever can be read can be asked for without its body. */
const READ = ['GET', 'HEAD'] as const;

/** The one table of routes, which the functions, the CDK stack, the local host and the OpenAPI document read. */
export const routes = {
  createKeys: {
    methods: ['POST'],
    path: '/v1/keys',
    access: 'admin',
    function: 'create-keys',
    usesValues: true,
    // Up to 1,000 values of 4 KiB each.
    maxBodyBytes: 5 * 1024 * 1024,
  },
  listKeys: { methods: READ, path: '/v1/keys', access: 'viewer', function: 'list-keys' },
  getKey: { methods: READ, path: '/v1/keys/{keyId}', access: 'viewer', function: 'get-key' },
  deleteKey: { methods: ['DELETE'], path: '/v1/keys/{keyId}', access: 'admin', function: 'delete-key' },
  patchKey: { methods: ['PATCH'], path: '/v1/keys/{keyId}', access: 'admin', function: 'patch-key' },
  refreshKey: {
    methods: ['POST'],
    path: '/v1/keys/{keyId}/refresh',
    access: 'admin',
    function: 'refresh-key',
  },
  pauseKey: { methods: ['POST'], path: '/v1/keys/{keyId}/pause', access: 'admin', function: 'pause-key' },
  resumeKey: { methods: ['POST'], path: '/v1/keys/{keyId}/resume', access: 'admin', function: 'resume-key' },
  unblockKey: {
    methods: ['POST'],
    path: '/v1/keys/{keyId}/unblock',
    access: 'admin',
    function: 'unblock-key',
  },

  acquireLease: {
    methods: ['POST'],
    path: '/v1/leases',
    access: 'client',
    function: 'acquire-lease',
    usesValues: true,
  },
  listLeases: { methods: READ, path: '/v1/leases', access: 'client', function: 'list-leases' },
  getLease: {
    methods: READ,
    path: '/v1/leases/{leaseId}',
    access: 'client',
    function: 'get-lease',
    usesValues: true,
  },
  keepAliveLease: {
    methods: ['POST'],
    path: '/v1/leases/{leaseId}/keep-alive',
    access: 'client',
    function: 'keep-alive-lease',
  },
  releaseLease: {
    methods: ['DELETE'],
    path: '/v1/leases/{leaseId}',
    access: 'client',
    function: 'release-lease',
  },

  listHolders: { methods: READ, path: '/v1/holders', access: 'viewer', function: 'list-holders' },

  listTickets: {
    methods: READ,
    path: '/v1/pools/{pool}/tickets',
    access: 'viewer',
    function: 'list-tickets',
  },
  deleteTicket: {
    methods: ['DELETE'],
    path: '/v1/tickets/{ticket}',
    access: 'client',
    function: 'delete-ticket',
  },

  listPools: { methods: READ, path: '/v1/pools', access: 'viewer', function: 'list-pools' },
  getPool: { methods: READ, path: '/v1/pools/{pool}', access: 'viewer', function: 'get-pool' },
  putPool: { methods: ['PUT'], path: '/v1/pools/{pool}', access: 'admin', function: 'put-pool' },
  patchPool: { methods: ['PATCH'], path: '/v1/pools/{pool}', access: 'admin', function: 'patch-pool' },
  refreshPool: {
    methods: ['POST'],
    path: '/v1/pools/{pool}/refresh',
    access: 'admin',
    function: 'refresh-pool',
  },
  deletePool: { methods: ['DELETE'], path: '/v1/pools/{pool}', access: 'admin', function: 'delete-pool' },
  getUsage: { methods: READ, path: '/v1/pools/{pool}/usage', access: 'viewer', function: 'get-usage' },
  listUsage: { methods: READ, path: '/v1/usage', access: 'viewer', function: 'list-usage' },

  listEvents: { methods: READ, path: '/v1/events', access: 'viewer', function: 'list-events' },

  createClient: { methods: ['POST'], path: '/v1/clients', access: 'admin', function: 'create-client' },
  listClients: { methods: READ, path: '/v1/clients', access: 'admin', function: 'list-clients' },
  rotateClient: {
    methods: ['POST'],
    path: '/v1/clients/{clientId}/secrets',
    access: 'admin',
    function: 'rotate-client',
  },
  deleteClient: {
    methods: ['DELETE'],
    path: '/v1/clients/{clientId}',
    access: 'admin',
    function: 'delete-client',
  },

  getMe: { methods: READ, path: '/v1/me', access: 'authenticated', function: 'get-me' },
  getHealth: { methods: READ, path: '/v1/health', access: 'anyone', function: 'get-health' },
} as const satisfies Record<string, Route>;

/** What no route matches: API Gateway's `$default` route. */
export const unmatchedRoute: Route = {
  methods: [],
  path: '$default',
  access: 'anyone',
  function: 'answer-unmatched',
};
