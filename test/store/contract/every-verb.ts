import { makeEvent } from '../../../shared/domain/events.ts';
import type { Pool } from '../../../shared/domain/pool.ts';
import type {
  ClientStore,
  EventStore,
  KeyStore,
  PoolStore,
  Store,
  TicketStore,
  UsageStore,
} from '../../../shared/domain/store.ts';
import {
  ALL_SLOTS,
  lapsesOf,
  makeClaim,
  makeExtension,
  makeKey,
  makeRelease,
  makeSeats,
  NOW,
  POLICY,
  POOL,
} from './scene.ts';

type Verb =
  | 'ping'
  | 'prepare'
  | 'schemaState'
  | 'oldIndexes'
  | 'noteSweep'
  | 'getLastSweep'
  | `keys.${keyof KeyStore}`
  | `pools.${keyof PoolStore}`
  | `clients.${keyof ClientStore}`
  | `tickets.${keyof TicketStore}`
  | `events.${keyof EventStore}`
  | `usage.${keyof UsageStore}`;

const pool: Pool = { name: 'a', generation: 1, policy: POLICY, createdAt: NOW, updatedAt: NOW };
const creation = {
  requestHash: 'hash',
  requestBody: 'body',
  keyIds: ['key'],
  expiresAt: NOW + 1,
  done: false,
};
const ticket = {
  ticketId: 'ticket',
  pool: POOL,
  clientId: 'client',
  priority: 0,
  count: 1,
  expiresAt: NOW + 1,
};
const event = makeEvent({ type: 'lease.lapsed', at: NOW });
const delivery = { receiver: 'webhook', owner: 'host' };
const leasedKey = () => ({ ...makeKey(), lease: makeClaim(NOW).lease });

/** Every verb of the port, on things that need not exist: for tests of what all verbs have in common. */
export const EVERY_VERB: Record<Verb, (store: Store) => Promise<unknown>> = {
  ping: (store) => store.ping(),
  prepare: (store) => store.prepare(NOW),
  schemaState: (store) => store.schemaState(),
  oldIndexes: (store) => store.oldIndexes({ drop: false }),
  noteSweep: (store) => store.noteSweep(NOW),
  getLastSweep: (store) => store.getLastSweep(),
  'keys.create': ({ keys }) => keys.create([makeKey()], makeSeats(1), ['hash']),
  'keys.beginCreation': ({ keys }) => keys.beginCreation(creation, NOW),
  'keys.finishCreation': ({ keys }) => keys.finishCreation('hash'),
  'keys.listStored': ({ keys }) => keys.listStored(['key']),
  'keys.listByValue': ({ keys }) => keys.listByValue(['hash']),
  'keys.reserveTokens': ({ keys }) => keys.reserveTokens([{ hashes: ['hash'] }], NOW),
  'keys.remove': ({ keys }) => keys.remove(makeKey()),
  'keys.mint': ({ keys }) => keys.mint(makeKey({ seat: 0 })),
  'keys.mintMissing': ({ keys }) => keys.mintMissing([makeKey({ seat: 1 })]),
  'keys.listSeated': ({ keys }) => keys.listSeated({ name: 'a', below: 1 }),
  'keys.countSeated': ({ keys }) => keys.countSeated({ name: 'a', below: 1 }),
  'keys.listSeatedFree': ({ keys }) => keys.listSeatedFree({ name: 'a', below: 1, now: NOW }),
  'keys.countBeyond': ({ keys }) =>
    keys.countBeyond({ pool: POOL, below: 1, now: NOW, limit: 1, countFormer: true }),
  'keys.removeBeyond': ({ keys }) => keys.removeBeyond({ pool: POOL, below: 1, now: NOW, limit: 1 }),
  'keys.listClientSeats': ({ keys }) => keys.listClientSeats('client.'),
  'keys.setLabels': ({ keys }) => keys.setLabels({ keyId: 'key', now: NOW, labels: {} }),
  'keys.claim': ({ keys }) => keys.claim(makeClaim(NOW), ALL_SLOTS),
  'keys.listClaimable': ({ keys }) => keys.listClaimable({ pool: POOL, now: NOW, limit: 1 }),
  'keys.reclaim': ({ keys }) => keys.reclaim(makeKey(), makeClaim(NOW)),
  'keys.confirmRequest': ({ keys }) => keys.confirmRequest('hash'),
  'keys.extend': ({ keys }) => keys.extend(makeExtension(leasedKey(), NOW)),
  'keys.release': ({ keys }) => keys.release(makeRelease(leasedKey(), NOW)),
  'keys.recordLapse': ({ keys }) => keys.recordLapse({ keyId: 'key', leaseId: 'lease', now: NOW }),
  'keys.unblock': ({ keys }) => keys.unblock(makeKey(), NOW),
  'keys.delete': ({ keys }) => keys.delete(makeKey(), NOW),
  'keys.pause': ({ keys }) =>
    keys.pause({ keyId: 'key', now: NOW, paused: { at: NOW, by: 'admin' }, note: event }),
  'keys.resume': ({ keys }) => keys.resume({ ...makeKey(), paused: { at: NOW, by: 'admin' } }, NOW, event),
  'keys.refresh': ({ keys }) => keys.refresh({ keyId: 'key', now: NOW, keyExpiresAt: NOW }),
  'keys.measureSlots': ({ keys }) => keys.measureSlots({ pool: POOL, keys: 1 }),
  'keys.get': ({ keys }) => keys.get('key', NOW),
  'keys.getStored': ({ keys }) => keys.getStored('key'),
  'keys.list': ({ keys }) => keys.list({ pool: POOL, now: NOW, limit: 1 }),
  'keys.listLeased': ({ keys }) => keys.listLeased({ clientId: 'client', limit: 1 }),
  'keys.listLeasingClients': ({ keys }) => keys.listLeasingClients({ after: '', limit: 1 }),
  'keys.count': ({ keys }) => keys.count({ pool: POOL, now: NOW, limit: 1 }),
  'keys.listLapsed': ({ keys }) => keys.listLapsed({ pools: [POOL], now: NOW, limit: 1 }),
  'keys.recordLapses': ({ keys }) => keys.recordLapses({ lapses: lapsesOf(leasedKey()), now: NOW }),
  'keys.listNoted': ({ keys }) => keys.listNoted({ limit: 1 }),
  'keys.clearNotes': ({ keys }) => keys.clearNotes([{ keyId: 'key', notes: [event] }]),
  'keys.applyLifetime': ({ keys }) =>
    keys.applyLifetime({ pool: POOL, now: NOW, expiresAt: NOW + 1, latest: NOW + 2, limit: 1 }),
  'keys.removeExpired': ({ keys }) => keys.removeExpired({ now: NOW, limit: 1 }),
  'keys.removeGenerations': ({ keys }) =>
    keys.removeGenerations({ name: 'a', before: 1, now: NOW, limit: 1 }),
  'pools.get': ({ pools }) => pools.get('a'),
  'pools.create': ({ pools }) => pools.create('a', POLICY, NOW),
  'pools.update': ({ pools }) => pools.update(pool, { policy: POLICY, now: NOW }),
  'pools.requestRefresh': ({ pools }) => pools.requestRefresh(pool, NOW),
  'pools.forgetRefresh': ({ pools }) => pools.forgetRefresh({ ...pool, refreshedAt: NOW }),
  'pools.clear': ({ pools }) => pools.clear(pool, { generation: 2, now: NOW, deleted: true }),
  'pools.list': ({ pools }) => pools.list({ limit: 1 }),
  'pools.listCleared': ({ pools }) => pools.listCleared(),
  'pools.forgetCleared': ({ pools }) =>
    pools.forgetCleared({ name: 'a', generation: 1, clearedAt: NOW, deleted: true }),
  'tickets.create': ({ tickets }) => tickets.create(ticket, { now: NOW, advanceMs: 0 }),
  'tickets.use': ({ tickets }) =>
    tickets.use({ ticketId: 'ticket', pool: POOL, clientId: 'client', now: NOW, expiresAt: NOW + 1 }),
  'tickets.countAhead': ({ tickets }) => tickets.countAhead({ pool: POOL, now: NOW, limit: 1 }),
  'tickets.list': ({ tickets }) => tickets.list({ pool: POOL, now: NOW, limit: 1 }),
  'tickets.get': ({ tickets }) => tickets.get('ticket'),
  'tickets.remove': ({ tickets }) => tickets.remove('ticket'),
  'tickets.removeLapsed': ({ tickets }) => tickets.removeLapsed({ now: NOW, limit: 1 }),
  'events.add': ({ events }) => events.add([event], { now: NOW, expiresAt: NOW + 1 }),
  'events.list': ({ events }) => events.list({ now: NOW, limit: 1 }),
  'events.removeExpired': ({ events }) => events.removeExpired({ now: NOW, limit: 1 }),
  'events.claimDelivery': ({ events }) => events.claimDelivery({ ...delivery, now: NOW, until: NOW + 1 }),
  'events.finishDelivery': ({ events }) => events.finishDelivery({ ...delivery, sentTo: 1 }),
  'events.getDelivery': ({ events }) => events.getDelivery('webhook'),
  'usage.record': ({ usage }) => usage.record([{ pool: 'a', at: NOW, refused: true }]),
  'usage.list': ({ usage }) => usage.list({ pool: 'a', unit: 'minute', from: NOW, to: NOW + 60_000 }),
  'usage.removeExpired': ({ usage }) => usage.removeExpired({ now: NOW, limit: 1 }),
  'clients.put': ({ clients }) =>
    clients.put({ clientId: 'a', role: 'admin', secretHash: 'hash', createdAt: NOW }),
  'clients.get': ({ clients }) => clients.get('a'),
  'clients.list': ({ clients }) => clients.list({ limit: 1 }),
  'clients.rotate': ({ clients }) =>
    clients.rotate({ clientId: 'a', secretHash: 'hash' }, { secretHash: 'newer', expiresAt: NOW + 1 }, NOW),
  'clients.noteUse': ({ clients }) => clients.noteUse('a', NOW),
  'clients.remove': ({ clients }) => clients.remove('a', NOW),
};
