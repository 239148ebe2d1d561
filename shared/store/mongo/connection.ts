import { type CommandStartedEvent, type Db, MongoClient } from 'mongodb';

/** The database where the connection string names none. */
const DEFAULT_DATABASE = 'token_orchestrator';

export interface MongoConnectionOptions {
  readonly uri: string;
  /** The one that the connection string names when absent. */
  readonly database?: string | undefined;
  /**
   * Connections per process. Small by default: a Lambda environment serves one request at a time, a hundred
   * environments share one cluster, and the driver's own default of 100 would exhaust a small Atlas tier.
   */
  readonly maxPoolSize?: number | undefined;
  /** How long each step (finding the server, connecting, waiting for a connection, a reply) may take. */
  readonly timeoutMs: number;
  /** How long a reply may take, where not `timeoutMs`; 0: as long as it wants. */
  readonly socketTimeoutMs?: number | undefined;
  /** Is told of every command that is sent. */
  readonly onCommand?: ((event: CommandStartedEvent) => void) | undefined;
}

/** One client for as long as the process lives, connected at its first use. */
export interface MongoConnection {
  /** The database, connected. A failed connect is not kept: the next call tries again. */
  open(): Promise<Db>;
  close(): Promise<void>;
}

export function connectMongo(options: MongoConnectionOptions): MongoConnection {
  let connecting: Promise<MongoClient> | undefined;
  return {
    async open() {
      connecting ??= connect(options).catch((error: unknown) => {
        connecting = undefined;
        throw error;
      });
      return databaseOf(await connecting, options);
    },
    async close() {
      const client = await connecting?.catch(() => undefined);
      connecting = undefined;
      await client?.close();
    },
  };
}

/** A client whose first connect failed stays closed for good, so each attempt has one of its own. */
async function connect(options: MongoConnectionOptions): Promise<MongoClient> {
  const { uri, timeoutMs, socketTimeoutMs = timeoutMs, maxPoolSize = 5, onCommand } = options;
  const client = new MongoClient(uri, {
    appName: 'token-orchestrator',
    // The driver's `timeoutMS`, one limit for an operation as a whole, has no effect since 7.8 (it could hand one
    // caller's reply to another). So each step has its own limit, and `withinDeadline` holds the whole.
    serverSelectionTimeoutMS: timeoutMs,
    connectTimeoutMS: timeoutMs,
    waitQueueTimeoutMS: timeoutMs,
    socketTimeoutMS: socketTimeoutMs,
    maxPoolSize,
    // Connections that idled while an environment was frozen may be dead without anybody having said so.
    maxIdleTimeMS: 60_000,
    retryWrites: true,
    retryReads: true,
    // An optional field that is undefined is left out. Never in a filter: see `Commands`.
    ignoreUndefined: true,
    monitorCommands: onCommand !== undefined,
  });
  if (onCommand !== undefined) client.on('commandStarted', onCommand);
  try {
    return await client.connect();
  } catch (error) {
    await client.close();
    throw error;
  }
}

/**
 * What the rules rest on, whatever the connection string says: the options of a database replace those of the string,
 * whereas options of the client are merged with them (`journal=false` or `wtimeoutMS=1` would stand).
 *
 * Reads may be `local`: none of them decides anything that the write after it does not check again (the count of a
 * creation asks for more). The primary alone is asked, since a secondary may lag by any length.
 */
function databaseOf(
  client: MongoClient,
  { uri, database, timeoutMs, socketTimeoutMs }: MongoConnectionOptions,
): Db {
  // The wait for a majority ends before the socket's limit, so that the server itself says that there is none.
  const wtimeoutMS = socketTimeoutMs === 0 ? 0 : serverTimeoutMs(timeoutMs);
  return client.db(database ?? databaseName(uri), {
    writeConcern: { w: 'majority', journal: true, wtimeoutMS },
    readPreference: 'primary',
  });
}

/** How long the server may work on a command: it ends before the process stops waiting. */
export function serverTimeoutMs(timeoutMs: number): number {
  return Math.floor(timeoutMs * 0.8);
}

export function databaseName(uri: string): string {
  const name = /^mongodb(?:\+srv)?:\/\/[^/]*\/([^?]+)/.exec(uri)?.[1];
  return name === undefined ? DEFAULT_DATABASE : decodeURIComponent(name);
}
