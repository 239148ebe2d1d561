import type { routes } from '../../functions/routes.ts';
import type { ProblemCode } from '../../shared/contract/problems.ts';

/** What the API document says of a route beyond its schemas. */
export interface RouteNote {
  readonly tag: 'Keys' | 'Leases' | 'Pools' | 'Events' | 'Clients' | 'Service';
  readonly summary: string;
  readonly description?: string;
  /** The codes of this route alone; those of every route are added. */
  readonly problems: readonly ProblemCode[];
  readonly requestExample?: object;
}

/** One note per row of the route table; the compiler checks that none is missing. */
export const routeNotes: Readonly<Record<keyof typeof routes, RouteNote>> = {
  createKeys: {
    tag: 'Keys',
    summary: 'Create keys',
    description:
      'Adds `count` free keys to a pool, or imports `values`, one key each; all of them or none. Send an `Idempotency-Key` to make it safe to retry.',
    problems: [
      'pool_not_found',
      'pool_full',
      'value_exists',
      'values_not_configured',
      'idempotency_key_reused',
    ],
    requestExample: { pool: 'default', count: 3 },
  },
  listKeys: {
    tag: 'Keys',
    summary: "List a pool's keys",
    description: 'In a stable order, page by page. Never a value.',
    problems: ['pool_not_found'],
  },
  getKey: { tag: 'Keys', summary: 'Read one key', problems: ['key_not_found'] },
  deleteKey: {
    tag: 'Keys',
    summary: 'Delete a key',
    description:
      "Ends its lease, hides it at once, and keeps its seat under `maxKeys` until the holder's own deadline has passed. With `force=true` the seat is free at once: safe only where a fencing token guards the resource.",
    problems: ['key_not_found', 'lease_changed'],
  },
  patchKey: {
    tag: 'Keys',
    summary: "Replace a key's labels",
    problems: ['key_not_found'],
    requestExample: { labels: { region: 'eu', account: 'ci-7@example.com' } },
  },
  refreshKey: {
    tag: 'Keys',
    summary: "Restart a key's hard-expiration clock",
    problems: ['key_not_found'],
  },
  pauseKey: {
    tag: 'Keys',
    summary: 'Take a key out of service',
    description:
      'A lease on it goes on, keep-alives too; then nobody gets the key. It keeps its seat and does not expire. Of a paused key the first pause stands.',
    problems: ['key_not_found'],
    requestExample: { reason: 'In repair' },
  },
  resumeKey: {
    tag: 'Keys',
    summary: 'Put a key back into service',
    description: 'With a whole life before it. A key that is not paused stays as it is.',
    problems: ['key_not_found'],
  },
  unblockKey: {
    tag: 'Keys',
    summary: "End somebody's lease",
    description:
      "The key cools until the holder's own deadline has passed. With `force=true` it is free at once: safe only where a fencing token guards the resource.",
    problems: ['key_not_found', 'key_not_leased', 'lease_changed'],
  },
  acquireLease: {
    tag: 'Leases',
    summary: 'Acquire a key',
    description:
      "Picks a free key of the pool and leases it to the caller, in one atomic step. Send an `Idempotency-Key` to make it safe to retry: a repeat returns 200 with the same lease while it lives, and 410 after. With `count` it leases so many keys, all or none. In a fair pool `wait` returns 202 with a ticket where it is not the caller's turn: repeat the call with the `ticket` every `retryAfterMs`.",
    problems: [
      'pool_not_found',
      'pool_paused',
      'no_key_available',
      'lease_limit_reached',
      'lease_ended',
      'ticket_ended',
      'idempotency_key_reused',
    ],
    requestExample: { pool: 'default', holder: 'build-agent-7' },
  },
  listLeases: { tag: 'Leases', summary: 'List your own live leases', problems: [] },
  getLease: { tag: 'Leases', summary: 'Read your own lease', problems: ['lease_ended'] },
  keepAliveLease: {
    tag: 'Leases',
    summary: 'Keep a lease alive',
    description:
      'The heartbeat: a full lease length from now, and a refreshed key. The first 410 is final: the lease never comes back.',
    problems: ['lease_ended'],
  },
  releaseLease: {
    tag: 'Leases',
    summary: 'Release a lease',
    description:
      'The key is free at once, rests first (`outcome=cooldown`), or is deleted (`outcome=discard`). A repeated release returns 204 as long as the key remembers it.',
    problems: ['lease_ended'],
  },
  listHolders: {
    tag: 'Leases',
    summary: 'List who holds what, oldest first',
    description:
      'The live leases of all pools that the caller may see, or those of one `client`, one `pool`, one `holder`. With more than a hundred clients, oldest first within each hundred of them. A page reads a bounded number of keys, so that it may be short although more follow. To end one, unblock its key with its fencing token.',
    problems: [],
  },
  listTickets: {
    tag: 'Pools',
    summary: 'List who waits for a key of a fair pool',
    description: 'In the order in which they will be served.',
    problems: ['pool_not_found'],
  },
  deleteTicket: { tag: 'Leases', summary: 'Leave the queue of a fair pool', problems: ['ticket_ended'] },
  listPools: { tag: 'Pools', summary: 'List the pools, with their keys counted', problems: [] },
  getPool: { tag: 'Pools', summary: 'Read a pool, with its keys counted', problems: ['pool_not_found'] },
  putPool: {
    tag: 'Pools',
    summary: 'Create a pool or replace its policy',
    description: 'What the body leaves out gets its default. In force everywhere within 5 seconds.',
    problems: ['pool_changed'],
    requestExample: { leaseSeconds: 60, keyTtlSeconds: 300, maxKeys: 100, paused: false },
  },
  patchPool: {
    tag: 'Pools',
    summary: "Change some of a pool's policy",
    description: 'What the body leaves out stays. In force everywhere within 5 seconds.',
    problems: ['pool_not_found', 'pool_changed'],
    requestExample: { paused: true },
  },
  refreshPool: {
    tag: 'Pools',
    summary: "Restart the hard-expiration clock of all a pool's keys",
    description: 'Of the first 10,000 keys at once, of the others by the next sweep.',
    problems: ['pool_not_found'],
  },
  deletePool: {
    tag: 'Pools',
    summary: 'Delete a pool with its keys and leases',
    description: 'Gone for every caller within 5 seconds. The default pool becomes empty instead.',
    problems: ['pool_not_found'],
  },
  getUsage: {
    tag: 'Pools',
    summary: 'How many keys of a pool were needed',
    description:
      'From one sample a minute, and from every minute in which an acquire was refused. Up to 168 hours by the minute; further back, up to 400 days, by the maxima of hours.',
    problems: ['pool_not_found'],
  },
  listUsage: {
    tag: 'Pools',
    summary: 'The usage of all pools, each with up to 60 points',
    description: 'More than 3 hours by the maxima of hours.',
    problems: [],
  },
  createClient: {
    tag: 'Clients',
    summary: 'Create a client',
    description: 'The response has the credential; it is not shown again.',
    problems: [],
    requestExample: { role: 'client', pools: ['default'], description: 'Nightly build' },
  },
  rotateClient: {
    tag: 'Clients',
    summary: 'Give a client a new secret',
    description:
      'The response has the new credential; it is not shown again. The secret that was the newest so far stays good for `keepOldSeconds`; an older one ends at once: there are never more than two. Gateways that have just checked an ended one may accept it for 60 seconds more.',
    problems: ['client_not_found', 'last_admin'],
    requestExample: { keepOldSeconds: 86_400 },
  },
  listEvents: {
    tag: 'Events',
    summary: 'List what happened, in its order',
    description:
      'To follow, send the `next` of each page as `after` of the next call: nothing is left out and nothing comes twice, however many hosts record events. Without `after` a page starts at the oldest event that is kept, with `tail` it has the newest ones. A credential that is limited to some pools reads the events of those pools. Of one condition every event is found. Where several are combined, or the credential is limited to several pools, a page looks through 2,000 events at the most.',
    problems: [],
  },
  listClients: { tag: 'Clients', summary: 'List the clients', problems: [] },
  deleteClient: {
    tag: 'Clients',
    summary: "Revoke a client's credential",
    description: 'A gateway that has just checked the credential may accept it for 60 seconds more.',
    problems: ['client_not_found', 'last_admin', 'own_credential'],
  },
  getMe: { tag: 'Service', summary: 'Whom your credential names', problems: [] },
  getHealth: {
    tag: 'Service',
    summary: 'Whether the database answers, which release prepared it, and when the last sweep began',
    problems: [],
  },
};
