import type { CommandStartedEvent, MongoClient } from 'mongodb';
import { afterAll } from 'vitest';
import type { Context } from '../../shared/domain/context.ts';
import { EventLog } from '../../shared/domain/event-log.ts';
import { HealthCheck } from '../../shared/domain/health.ts';
import { DEFAULT_POLICY, DEFAULT_POOL, poolReference } from '../../shared/domain/pool.ts';
import { PoolCounts } from '../../shared/domain/pool-counts.ts';
import { PoolDirectory } from '../../shared/domain/pool-directory.ts';
import type { Store } from '../../shared/domain/store.ts';
import { createMongoStore, type MongoStoreOptions } from '../../shared/store/mongo/mongo-store.ts';
import type { MongoTestDatabase } from '../support/mongodb.ts';
import { NOW, TOLERANCE_MS } from './contract/scene.ts';
import { layWire, type Wire, type WireCommand } from './mongo-wire.ts';
import type { MakeStore } from './store-contract.ts';

/**
 * The database is emptied after each test, and one store works on it in all of them: to drop it would mean to build the
 * indexes anew each time, and to open a store to connect twice. Call it inside a `describe`.
 */
export function makeMongoStore(database: MongoTestDatabase): MakeStore {
  let first: Store | undefined;
  afterAll(() => first?.close());
  return async () => {
    const others: Store[] = [];
    const open = (): Store => createMongoStore({ uri: database.uri });
    if (first === undefined) {
      first = open();
      await first.prepare(NOW);
    } else {
      await first.pools.create(DEFAULT_POOL, DEFAULT_POLICY, NOW);
    }
    return {
      store: first,
      async another() {
        const other = open();
        others.push(other);
        return other;
      },
      async dispose() {
        await Promise.all(others.map((other) => other.close()));
        await emptyDatabase(database);
      },
    };
  };
}

/** But for what says that it is prepared. */
export async function emptyDatabase({ db }: MongoTestDatabase): Promise<void> {
  const collections = await db.listCollections({ name: { $ne: 'schema' } }, { nameOnly: true }).toArray();
  await Promise.all(collections.map(({ name }) => db.collection(name).deleteMany({})));
}

/** A store that remembers what it sent, with operations to run on it; the default pool is known already. */
export interface WatchedStore {
  readonly store: Store;
  readonly context: Context;
  /** The reference of the default pool. */
  readonly pool: string;
  /** The commands that `work` sends. */
  commandsOf(work: () => Promise<unknown>): Promise<CommandStartedEvent[]>;
}

export async function openWatchedStore(options: MongoStoreOptions): Promise<WatchedStore> {
  const sent: CommandStartedEvent[] = [];
  const watch = (client: MongoClient) => void client.on('commandStarted', (event) => sent.push(event));
  const store = createMongoStore({ ...options, watch });
  await store.prepare(NOW);
  const pools = new PoolDirectory(store);
  const pool = poolReference(await pools.get(DEFAULT_POOL, NOW));
  return {
    store,
    context: {
      store,
      pools,
      counts: new PoolCounts(store),
      events: new EventLog(store),
      vault: async () => undefined,
      clock: () => NOW,
      clockSkewToleranceMs: TOLERANCE_MS,
      health: new HealthCheck(store, () => NOW),
      onLapse: () => undefined,
    },
    pool,
    async commandsOf(work) {
      sent.length = 0;
      await work();
      return sent.filter(({ commandName }) => commandName !== 'endSessions');
    },
  };
}

/** A store whose commands can be intercepted, beside others that work on the same database. */
export interface WiredStore {
  readonly store: Store;
  readonly wire: Wire;
  close(): Promise<void>;
}

export async function openWiredStore(
  database: MongoTestDatabase,
  options: Omit<MongoStoreOptions, 'uri'> = {},
): Promise<WiredStore> {
  const url = new URL(database.uri); // One host, or it throws: there is one wire.
  const wire = await layWire({ host: url.hostname, port: Number(url.port) });
  url.host = `127.0.0.1:${wire.port}`;
  // A replica set would tell its own addresses.
  url.searchParams.delete('replicaSet');
  url.searchParams.set('directConnection', 'true');
  const store = createMongoStore({ uri: url.href, ...options });
  return {
    store,
    wire,
    async close() {
      await store.close();
      await wire.close();
    },
  };
}

/** Something that happens right before the first command of this name goes on. */
export function beforeFirst(
  name: string,
  happen: (command: WireCommand) => Promise<unknown>,
): Wire['intercept'] {
  let isFirst = true;
  return async (sent, command) => {
    if (sent !== name || !isFirst) return undefined;
    isFirst = false;
    await happen(command);
    return undefined;
  };
}
