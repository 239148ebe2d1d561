import type { ClientStore, KeyStore, PoolStore, Store } from '../../../shared/domain/store.ts';
import { makeClaim, makeExtension, makeKey, makeRelease, NOW, POOL } from './scene.ts';

const POLICY = { leaseSeconds: 10, keyTtlSeconds: null, maxKeys: null, paused: false };

type Verb =
  | 'ping'
  | 'prepare'
  | `keys.${keyof KeyStore}`
  | `pools.${keyof PoolStore}`
  | `clients.${keyof ClientStore}`;

const leasedKey = () => ({ ...makeKey(), lease: makeClaim(NOW).lease });

/** Every verb of the port, on things that need not exist: for tests of what all verbs have in common. */
export const EVERY_VERB: Record<Verb, (store: Store) => Promise<unknown>> = {
  ping: (store) => store.ping(),
  prepare: (store) => store.prepare(NOW),
  'keys.create': ({ keys }) => keys.create([makeKey()], { maxKeys: 1, now: NOW }),
  'keys.claim': ({ keys }) => keys.claim(makeClaim(NOW), 0),
  'keys.findClaimable': ({ keys }) => keys.findClaimable({ pool: POOL, now: NOW, limit: 1 }),
  'keys.reclaim': ({ keys }) => keys.reclaim(makeKey(), makeClaim(NOW)),
  'keys.confirmRequest': ({ keys }) => keys.confirmRequest('hash'),
  'keys.extend': ({ keys }) => keys.extend(makeExtension(leasedKey(), NOW)),
  'keys.release': ({ keys }) => keys.release(makeRelease(leasedKey(), NOW)),
  'keys.recordLapse': ({ keys }) => keys.recordLapse({ keyId: 'key', leaseId: 'lease', now: NOW }),
  'keys.unblock': ({ keys }) => keys.unblock(makeKey(), NOW),
  'keys.delete': ({ keys }) => keys.delete(makeKey(), NOW),
  'keys.refresh': ({ keys }) => keys.refresh({ keyId: 'key', now: NOW, keyExpiresAt: NOW }),
  'keys.find': ({ keys }) => keys.find('key', NOW),
  'keys.recall': ({ keys }) => keys.recall('key'),
  'keys.list': ({ keys }) => keys.list({ pool: POOL, now: NOW, limit: 1 }),
  'keys.listLeased': ({ keys }) => keys.listLeased({ clientId: 'client', now: NOW, limit: 1 }),
  'keys.count': ({ keys }) => keys.count({ pool: POOL, now: NOW, limit: 1 }),
  'keys.findLapsed': ({ keys }) => keys.findLapsed({ pools: [POOL], now: NOW, limit: 1 }),
  'keys.recordLapses': ({ keys }) => keys.recordLapses({ keyIds: ['key'], now: NOW }),
  'keys.removeExpired': ({ keys }) => keys.removeExpired({ now: NOW, limit: 1 }),
  'keys.removeGenerations': ({ keys }) => keys.removeGenerations({ name: 'a', before: 1, limit: 1 }),
  'pools.find': ({ pools }) => pools.find('a'),
  'pools.put': ({ pools }) => pools.put('a', POLICY, NOW),
  'pools.createIfMissing': ({ pools }) => pools.createIfMissing('a', POLICY, NOW),
  'pools.clear': ({ pools }) =>
    pools.clear(
      { name: 'a', ...POLICY, generation: 1, createdAt: NOW, updatedAt: NOW },
      { generation: 2, now: NOW, deleted: true },
    ),
  'pools.list': ({ pools }) => pools.list({ limit: 1 }),
  'pools.listCleared': ({ pools }) => pools.listCleared(),
  'pools.forgetCleared': ({ pools }) =>
    pools.forgetCleared({ name: 'a', generation: 1, clearedAt: NOW, deleted: true }),
  'clients.put': ({ clients }) =>
    clients.put({ clientId: 'a', role: 'admin', secretHash: 'hash', createdAt: NOW }),
  'clients.find': ({ clients }) => clients.find('a'),
  'clients.list': ({ clients }) => clients.list({ limit: 1 }),
  'clients.remove': ({ clients }) => clients.remove('a'),
};
