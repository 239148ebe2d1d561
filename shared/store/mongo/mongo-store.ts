import { DEFAULT_POLICY, DEFAULT_POOL } from '../../domain/pool.ts';
import type { ClientStore, KeyStore, PoolStore, Store } from '../../domain/store.ts';
import { findClient, listClients, putClient, removeClient } from './clients/client-commands.ts';
import { type Collections, openCollections } from './collections.ts';
import { translateDriverError } from './driver-errors.ts';
import { createIndexes } from './indexes.ts';
import { claimKey } from './keys/claim-key.ts';
import { confirmRequest } from './keys/confirm-request.ts';
import { countKeys } from './keys/count-keys.ts';
import { createKeys } from './keys/create-keys.ts';
import { deleteKey } from './keys/delete-key.ts';
import { extendLease } from './keys/extend-lease.ts';
import { findClaimable } from './keys/find-claimable.ts';
import { findKey, recallKey } from './keys/find-key.ts';
import { listKeys, listLeased } from './keys/list-keys.ts';
import { reclaimKey } from './keys/reclaim-key.ts';
import { findLapsed, recordLapse, recordLapses } from './keys/record-lapse.ts';
import { refreshKey } from './keys/refresh-key.ts';
import { releaseLease } from './keys/release-lease.ts';
import { removeExpired, removeGenerations } from './keys/remove-keys.ts';
import { unblockKey } from './keys/unblock-key.ts';
import { connectMongo, type MongoConnectionOptions } from './mongo-connection.ts';
import { clearPool, forgetClearedPool, listClearedPools } from './pools/clear-pool.ts';
import { findPool, listPools } from './pools/find-pool.ts';
import { createPoolIfMissing, putPool } from './pools/put-pool.ts';
import { withinDeadline } from './within-deadline.ts';

/** Carries out one verb on the collections, with the deadline and the errors of the port. */
type Run = <T>(verb: (collections: Collections) => Promise<T>) => Promise<T>;

/**
 * The store on MongoDB: a replica set of version 5.0 or newer (Atlas, also its smallest tier). Writes are single
 * documents, confirmed by a majority; there is no transaction.
 *
 * It connects at the first verb, and again at the next one where that failed.
 *
 * @param options.database the one that the connection string names when absent
 */
export function createMongoStore(options: MongoConnectionOptions & { readonly database?: string }): Store {
  const connection = connectMongo(options);
  const { database = connection.database } = options;
  const open = async (): Promise<Collections> => openCollections(await connection.client(), database);
  const run: Run = (verb) => withinDeadline(connection.deadlineMs, open().then(verb));
  return {
    keys: keyStore(run),
    pools: poolStore(run),
    clients: clientStore(run),
    async prepare(now) {
      // No deadline: an index that is new to a large collection takes its time. A build goes on when the connection
      // breaks, and preparing again finds it made.
      try {
        const collections = await open();
        await createIndexes(collections);
        await createPoolIfMissing(collections.pools, DEFAULT_POOL, DEFAULT_POLICY, now);
      } catch (error) {
        throw translateDriverError(error);
      }
    },
    ping: () => run(async ({ pools }) => void (await pools.db.command({ ping: 1 }))),
    close: () => connection.close(),
  };
}

function keyStore(run: Run): KeyStore {
  return {
    create: (created, limit) => run(({ keys }) => createKeys(keys, created, limit)),
    claim: (claim, slot) => run(({ keys }) => claimKey(keys, claim, slot)),
    findClaimable: (query) => run(({ keys }) => findClaimable(keys, query)),
    reclaim: (found, claim) => run(({ keys }) => reclaimKey(keys, found, claim)),
    confirmRequest: (requestHash) => run(({ keys }) => confirmRequest(keys, requestHash)),
    extend: (extension) => run(({ keys }) => extendLease(keys, extension)),
    release: (release) => run(({ keys }) => releaseLease(keys, release)),
    recordLapse: (query) => run(({ keys }) => recordLapse(keys, query)),
    unblock: (found, freeAt) => run(({ keys }) => unblockKey(keys, found, freeAt)),
    delete: (found, freeAt) => run(({ keys }) => deleteKey(keys, found, freeAt)),
    refresh: (query) => run(({ keys }) => refreshKey(keys, query)),
    find: (keyId, now) => run(({ keys }) => findKey(keys, keyId, now)),
    recall: (keyId) => run(({ keys }) => recallKey(keys, keyId)),
    list: (page) => run(({ keys }) => listKeys(keys, page)),
    listLeased: (page) => run(({ keys }) => listLeased(keys, page)),
    count: (query) => run(({ keys }) => countKeys(keys, query)),
    findLapsed: (query) => run(({ keys }) => findLapsed(keys, query)),
    recordLapses: (query) => run(({ keys }) => recordLapses(keys, query)),
    removeExpired: (query) => run(({ keys }) => removeExpired(keys, query)),
    removeGenerations: (query) => run(({ keys }) => removeGenerations(keys, query)),
  };
}

function poolStore(run: Run): PoolStore {
  return {
    find: (name) => run(({ pools }) => findPool(pools, name)),
    put: (name, policy, now) => run(({ pools }) => putPool(pools, name, policy, now)),
    createIfMissing: (name, policy, now) => run(({ pools }) => createPoolIfMissing(pools, name, policy, now)),
    clear: (found, options) => run(({ pools }) => clearPool(pools, found, options)),
    list: (page) => run(({ pools }) => listPools(pools, page)),
    listCleared: () => run(({ pools }) => listClearedPools(pools)),
    forgetCleared: (cleared) => run(({ pools }) => forgetClearedPool(pools, cleared)),
  };
}

function clientStore(run: Run): ClientStore {
  return {
    put: (client) => run(({ clients }) => putClient(clients, client)),
    find: (clientId) => run(({ clients }) => findClient(clients, clientId)),
    list: (page) => run(({ clients }) => listClients(clients, page)),
    remove: (clientId) => run(({ clients }) => removeClient(clients, clientId)),
  };
}
