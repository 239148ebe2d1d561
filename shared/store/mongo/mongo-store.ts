import type { Db } from 'mongodb';
import { DatabaseUnavailableError } from '../../domain/errors.ts';
import { DEFAULT_POLICY, DEFAULT_POOL } from '../../domain/pool.ts';
import type { ClientStore, KeyStore, PoolStore, Store, TicketStore } from '../../domain/store.ts';
import { claimKey, confirmRequest, listClaimable, measureSlots, reclaimKey } from './claim-keys.ts';
import { type ClientCommands, getClient, listClients, putClient, removeClient } from './clients.ts';
import { Commands, HintedIndexes } from './commands.ts';
import { connectMongo, type MongoConnectionOptions, serverTimeoutMs } from './connection.ts';
import { countKeys } from './count-keys.ts';
import { createKeys } from './create-keys.ts';
import {
  beginCreation,
  type CreationCommands,
  finishCreation,
  reserveTokens,
  type TokenCommands,
} from './creations.ts';
import { translateDriverError } from './errors.ts';
import type { KeyCommands } from './key-document.ts';
import {
  clearPool,
  createPool,
  forgetClearedPool,
  forgetRefresh,
  getPool,
  listClearedPools,
  listPools,
  type PoolCommands,
  requestRefresh,
  updatePool,
} from './pools.ts';
import {
  getKey,
  getStoredKey,
  listByValue,
  listClientSeats,
  listKeys,
  listLeased,
  listStored,
} from './read-keys.ts';
import { createIndexes } from './schema.ts';
import { countBeyond, listSeated, mintKey, mintMissing, removeBeyond, removeKey } from './seat-keys.ts';
import { applyLifetime, listLapsed, recordLapses, removeExpired, removeGenerations } from './sweep-keys.ts';
import {
  countAhead,
  createTicket,
  getTicket,
  listTickets,
  type QueueCommands,
  removeLapsed,
  removeTicket,
  useTicket,
} from './tickets.ts';
import {
  deleteKey,
  extendLease,
  recordLapse,
  refreshKey,
  releaseLease,
  setLabels,
  unblockKey,
} from './update-keys.ts';

/** A verb is given up so many milliseconds after each of its steps may have been. */
const GRACE_MS = 250;

/** Figures read much: this many connections of their own, so that no lease waits behind one. */
const COUNTING_POOL_SIZE = 2;

export interface MongoStoreOptions extends Omit<MongoConnectionOptions, 'timeoutMs' | 'socketTimeoutMs'> {
  /** How long each step of a verb, and about so long a verb as a whole, may take. */
  readonly timeoutMs?: number | undefined;
  /** Is told, once per index, of one that is not there; the store goes on without it, slower, until it is made. */
  readonly onMissingIndex?: ((indexName: string) => void) | undefined;
}

/** Carries out one verb, with the deadline and the errors of the port. */
type Run<On> = <Result>(verb: (on: On) => Promise<Result>) => Promise<Result>;

/** A port, each verb as a function of what it is carried out on. */
type VerbsOn<On, Port> = {
  [Name in keyof Port]: Port[Name] extends (...parameters: infer Parameters) => infer Result
    ? (on: On, ...parameters: Parameters) => Result
    : never;
};

function bind<On, Port>(run: Run<On>, verbs: VerbsOn<On, Port>): Port {
  const bound = Object.entries(
    verbs as Record<string, (on: On, ...parameters: unknown[]) => Promise<unknown>>,
  ).map(([name, verb]) => [name, (...parameters: unknown[]) => run((on) => verb(on, ...parameters))]);
  return Object.fromEntries(bound);
}

/**
 * The store on MongoDB: a replica set of version 5.0 or newer (Atlas, also its smallest tier). Writes are single
 * documents, confirmed by a majority; there is no transaction.
 *
 * It connects at the first verb, and again at the next one where that failed.
 */
export function createMongoStore(options: MongoStoreOptions): Store {
  const { timeoutMs = 5000, onMissingIndex } = options;
  const settings = { maxTimeMS: serverTimeoutMs(timeoutMs), indexes: new HintedIndexes(onMissingIndex) };
  const deadlineMs = timeoutMs + GRACE_MS;
  const connection = connectMongo({ ...options, timeoutMs });
  const counting = connectMongo({ ...options, timeoutMs, maxPoolSize: COUNTING_POOL_SIZE });

  const within =
    <On>(select: (db: Db) => On, by = connection): Run<On> =>
    (verb) =>
      withinDeadline(deadlineMs, async () => verb(select(await by.open())));
  const commands = <Stored extends object>(db: Db, collection: string) =>
    new Commands<Stored>(db.collection(collection), settings);
  const on = <Stored extends object>(collection: string, by = connection): Run<Commands<Stored>> =>
    within((db) => commands(db, collection), by);

  const keys: KeyStore = {
    ...bind<CreationCommands, Pick<KeyStore, 'beginCreation' | 'finishCreation'>>(on('creations'), {
      beginCreation,
      finishCreation,
    }),
    ...bind<TokenCommands, Pick<KeyStore, 'reserveTokens'>>(on('valueTokens'), { reserveTokens }),
    ...bind<KeyCommands, Omit<KeyStore, 'beginCreation' | 'finishCreation' | 'reserveTokens' | 'count'>>(
      on('keys'),
      {
        create: createKeys,
        mint: mintKey,
        mintMissing,
        listSeated,
        countBeyond,
        removeBeyond,
        remove: removeKey,
        listStored,
        listByValue,
        listClientSeats,
        setLabels,
        claim: claimKey,
        listClaimable,
        reclaim: reclaimKey,
        confirmRequest,
        measureSlots,
        extend: extendLease,
        release: releaseLease,
        recordLapse,
        unblock: unblockKey,
        delete: deleteKey,
        refresh: refreshKey,
        get: getKey,
        getStored: getStoredKey,
        list: listKeys,
        listLeased,
        listLapsed,
        recordLapses,
        applyLifetime,
        removeExpired,
        removeGenerations,
      },
    ),
    ...bind<KeyCommands, Pick<KeyStore, 'count'>>(on('keys', counting), { count: countKeys }),
  };
  const pools = bind<PoolCommands, PoolStore>(on('pools'), {
    get: getPool,
    create: createPool,
    update: updatePool,
    requestRefresh,
    forgetRefresh,
    clear: clearPool,
    list: listPools,
    listCleared: listClearedPools,
    forgetCleared: forgetClearedPool,
  });
  const clients = bind<ClientCommands, ClientStore>(on('clients'), {
    put: putClient,
    get: getClient,
    list: listClients,
    remove: removeClient,
  });
  const inQueues = within<QueueCommands>((db) => ({
    tickets: commands(db, 'tickets'),
    queues: commands(db, 'queues'),
  }));
  const tickets = bind<QueueCommands, TicketStore>(inQueues, {
    create: createTicket,
    use: useTicket,
    countAhead,
    list: listTickets,
    get: getTicket,
    remove: removeTicket,
    removeLapsed,
  });

  return {
    keys,
    pools,
    clients,
    tickets,
    async prepare(now, defaultPolicy = DEFAULT_POLICY) {
      // On a large collection a new index takes minutes: no limit on the reply, so this has a connection of its own.
      const unhurried = connectMongo({ ...options, timeoutMs, socketTimeoutMs: 0, maxPoolSize: 1 });
      try {
        await createIndexes(await unhurried.open());
      } catch (error) {
        throw translateDriverError(error);
      } finally {
        await unhurried.close();
      }
      await pools.create(DEFAULT_POOL, defaultPolicy, now);
    },
    async ping() {
      await withinDeadline(deadlineMs, async () => {
        const db = await connection.open();
        await db.command({ ping: 1, maxTimeMS: settings.maxTimeMS });
      });
    },
    async close() {
      await Promise.all([connection.close(), counting.close()]);
    },
  };
}

/**
 * The result of `work`, or {@link DatabaseUnavailableError} once `deadlineMs` have passed: the steps of an operation
 * (selection, connection, reply, and all of it once more in a retry) have limits that add up. The work is not
 * cancelled; a write that is carried out after all is as harmless as any late write.
 */
export async function withinDeadline<T>(deadlineMs: number, work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new DatabaseUnavailableError({ cause: new Error(`No reply within ${deadlineMs} ms`) }));
    }, deadlineMs);
  });
  try {
    return await Promise.race([work(), deadline]);
  } catch (error) {
    throw translateDriverError(error);
  } finally {
    clearTimeout(timer);
  }
}
