import { type CommandStartedEvent, MongoClient } from 'mongodb';

/** The database where the connection string names none. */
const DEFAULT_DATABASE = 'token_orchestrator';

export interface MongoConnectionOptions {
  readonly uri: string;
  /**
   * Connections per process. Small by default: a Lambda environment serves one request at a time, a hundred
   * environments share one cluster, and the driver's own default of 100 would exhaust a small Atlas tier.
   */
  readonly maxPoolSize?: number | undefined;
  /** How long each step (finding the server, connecting, waiting for a connection, an answer) may take. */
  readonly timeoutMs?: number;
  /** Is told of every command that is sent. */
  readonly onCommand?: (event: CommandStartedEvent) => void;
}

/** One client for as long as the process lives, connected at its first use. */
export interface MongoConnection {
  /** The database that the connection string names. */
  readonly database: string;
  /** A whole verb gives up after this many milliseconds. */
  readonly deadlineMs: number;
  /** The connected client. A failed connect is not kept: the next call tries again. */
  client(): Promise<MongoClient>;
  close(): Promise<void>;
}

export function connectMongo(options: MongoConnectionOptions): MongoConnection {
  const { timeoutMs = 5000 } = options;
  let connecting: Promise<MongoClient> | undefined;
  return {
    database: databaseOf(options.uri),
    deadlineMs: timeoutMs + 250,
    client() {
      connecting ??= connect(options, timeoutMs).catch((error: unknown) => {
        connecting = undefined;
        throw error;
      });
      return connecting;
    },
    async close() {
      const client = await connecting?.catch(() => undefined);
      connecting = undefined;
      await client?.close();
    },
  };
}

/** A client whose first connect failed stays closed for good, so each attempt has one of its own. */
async function connect(options: MongoConnectionOptions, timeoutMs: number): Promise<MongoClient> {
  const client = new MongoClient(options.uri, {
    appName: 'token-orchestrator',
    // The driver's `timeoutMS`, one limit for an operation as a whole, has no effect since 7.8 (it could hand one
    // caller's answer to another). So each step has its own limit, and `withinDeadline` holds the whole.
    serverSelectionTimeoutMS: timeoutMs,
    connectTimeoutMS: timeoutMs,
    waitQueueTimeoutMS: timeoutMs,
    socketTimeoutMS: timeoutMs,
    maxPoolSize: options.maxPoolSize ?? 5,
    // Connections that idled while an environment was frozen may be dead without anybody having said so.
    maxIdleTimeMS: 60_000,
    // What the rules rest on, whatever the connection string says. Reads may stay at the default `local`: none of
    // them decides anything that the write after it does not check again (the count in `create-keys.ts` asks for
    // more). A primary alone is asked, since a secondary may lag by any length.
    retryWrites: true,
    retryReads: true,
    // The wait for a majority ends before the socket's limit, so that the server itself says that there is none.
    writeConcern: { w: 'majority', wtimeoutMS: Math.floor(timeoutMs * 0.8) },
    readPreference: 'primary',
    monitorCommands: options.onCommand !== undefined,
  });
  if (options.onCommand !== undefined) client.on('commandStarted', options.onCommand);
  try {
    return await client.connect();
  } catch (error) {
    await client.close();
    throw error;
  }
}

function databaseOf(uri: string): string {
  const name = /^mongodb(?:\+srv)?:\/\/[^/]*\/([^?]+)/.exec(uri)?.[1];
  return name === undefined ? DEFAULT_DATABASE : decodeURIComponent(name);
}
