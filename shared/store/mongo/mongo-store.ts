import type { Db } from 'mongodb';
import { DatabaseUnavailableError } from '../../domain/errors.ts';
import { DEFAULT_POLICY, DEFAULT_POOL } from '../../domain/pool.ts';
import type {
  Claim,
  ClientStore,
  EventStore,
  KeyStore,
  PoolStore,
  Store,
  TicketStore,
  UsageStore,
} from '../../domain/store.ts';
import { claimKeys } from './claim-keys.ts';
import { type ClientCommands, clients } from './clients.ts';
import { Commands, HintedIndexes, repeatOnDuplicate } from './commands.ts';
import { connectMongo, type MongoConnectionOptions, serverTimeoutMs } from './connection.ts';
import { countKeys } from './count-keys.ts';
import { createKeys } from './create-keys.ts';
import { type CreationCommands, creations, type TokenCommands, valueTokens } from './creations.ts';
import { translateDriverError } from './errors.ts';
import { type EventCommands, events } from './events.ts';
import type { KeyCommands } from './key-document.ts';
import { type PoolCommands, pools } from './pools.ts';
import { readKeys } from './read-keys.ts';
import { createIndexes, listOldIndexes, SCHEMA_VERSION } from './schema.ts';
import { seatKeys } from './seat-keys.ts';
import { sweepKeys } from './sweep-keys.ts';
import { type QueueCommands, tickets } from './tickets.ts';
import { updateKeys } from './update-keys.ts';
import { type UsageCommands, usage } from './usage.ts';

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
type Run<On> = <Result>(verb: (on: On) => Promise<Result>, mayRepeat?: boolean) => Promise<Result>;

/** The verbs of a port, each as a function of what it is carried out on. */
type VerbsOn<On, Port> = {
  [Name in keyof Port]: Port[Name] extends (...parameters: infer Parameters) => infer Result
    ? (on: On, ...parameters: Parameters) => Result
    : never;
};

function bind<On, Port>(run: Run<On>, verbs: VerbsOn<On, Port>): Port {
  const bound = Object.entries(
    verbs as Record<string, (on: On, ...parameters: unknown[]) => Promise<unknown>>,
  ).map(([name, verb]) => [
    name,
    (...parameters: unknown[]) => run((on) => verb(on, ...parameters), mayRepeat(name, parameters)),
  ]);
  return Object.fromEntries(bound);
}

/**
 * Whether a verb may be carried out twice for one call: reads (all of which get or list, and nothing else does), and
 * writes that are as safe to repeat as the requests that they are made for. A keep-alive only moves times forward; a
 * release that finds the lease released succeeds; a claim with a request hash leases one key, however often it is carried
 * out and whenever, by the unique index. A claim without one would lease a second key to nobody.
 */
function mayRepeat(name: string, parameters: readonly unknown[]): boolean {
  switch (name) {
    case 'claim':
      return (parameters[0] as Claim).requestHash !== undefined;
    case 'reclaim':
      return (parameters[1] as Claim).requestHash !== undefined;
    case 'confirmRequest':
    case 'extend':
    case 'release':
      return true;
    default:
      return /^(get|list)/.test(name);
  }
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
    (verb, mayRepeat) =>
      withinDeadline(deadlineMs, () => by.use((db) => verb(select(db)), mayRepeat));
  const commands = <Stored extends object>(db: Db, collection: string) =>
    new Commands<Stored>(db.collection(collection), settings);
  const on = <Stored extends object>(collection: string, by = connection): Run<Commands<Stored>> =>
    within((db) => commands(db, collection), by);

  const schemas = on<{ _id: string; version: number }>('schema');
  const sweeps = on<{ _id: string; at: Date }>('sweeps');

  const store: Store = {
    keys: {
      ...bind<KeyCommands, Omit<KeyStore, keyof typeof creations | keyof typeof valueTokens | 'count'>>(
        on('keys'),
        { ...createKeys, ...claimKeys, ...seatKeys, ...updateKeys, ...readKeys, ...sweepKeys },
      ),
      ...bind<KeyCommands, Pick<KeyStore, 'count'>>(on('keys', counting), countKeys),
      ...bind<CreationCommands, Pick<KeyStore, keyof typeof creations>>(on('creations'), creations),
      ...bind<TokenCommands, Pick<KeyStore, keyof typeof valueTokens>>(on('valueTokens'), valueTokens),
    },
    pools: bind<PoolCommands, PoolStore>(on('pools'), pools),
    clients: bind<ClientCommands, ClientStore>(on('clients'), clients),
    tickets: bind<QueueCommands, TicketStore>(
      within((db) => ({ tickets: commands(db, 'tickets'), queues: commands(db, 'queues') })),
      tickets,
    ),
    events: bind<EventCommands, EventStore>(
      within((db) => ({
        events: commands(db, 'events'),
        counters: commands(db, 'eventCounters'),
        deliveries: commands(db, 'deliveries'),
      })),
      events,
    ),
    usage: bind<UsageCommands, UsageStore>(on('usage'), usage),
    claimsQueue: false,
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
      await store.pools.create(DEFAULT_POOL, defaultPolicy, now);
      // Race: an older release prepares at the same time; `$max` keeps the newer version.
      const note = { $max: { version: SCHEMA_VERSION } };
      await schemas((noted) =>
        repeatOnDuplicate(() => noted.findOneAndUpdate({ _id: 'prepared' }, note, { upsert: true })),
      );
    },
    async ping() {
      await within((db) => db)((db) => db.command({ ping: 1, maxTimeMS: settings.maxTimeMS }));
    },
    async schemaState() {
      // A release before the first version prepared it, or nobody did.
      const { version } = (await schemas((noted) => noted.findOne({ _id: 'prepared' }), true)) ?? {
        version: 0,
      };
      if (version === SCHEMA_VERSION) return 'ok';
      return version < SCHEMA_VERSION ? 'older' : 'newer';
    },
    async oldIndexes({ drop }) {
      return within((db) => db)(async (db) => {
        const limits = { maxTimeMS: settings.maxTimeMS };
        const old = await listOldIndexes(db, limits);
        if (drop) {
          for (const { collection, name } of old) await db.collection(collection).dropIndex(name, limits);
        }
        return old.map(({ collection, name }) => `${collection}.${name}`);
      });
    },
    // Race: a sweep that began earlier ends later; `$max` keeps the later one.
    async noteSweep(at) {
      const note = { $max: { at: new Date(at) } };
      await sweeps((noted) =>
        repeatOnDuplicate(() => noted.findOneAndUpdate({ _id: 'last' }, note, { upsert: true })),
      );
    },
    async getLastSweep() {
      const last = await sweeps((noted) => noted.findOne({ _id: 'last' }), true);
      return last?.at.getTime();
    },
    async close() {
      await Promise.all([connection.close(), counting.close()]);
    },
  };
  return store;
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
