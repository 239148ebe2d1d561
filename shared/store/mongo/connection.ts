import { type Db, MongoClient, MongoNetworkError } from 'mongodb';
import { answerWithin } from '../../domain/answer-within.ts';

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
  /** Is given every client before it connects, to listen to the events of its commands. */
  readonly watch?: ((client: MongoClient) => void) | undefined;
}

/**
 * After this long without a reply, in milliseconds, a connection is not trusted before it has replied again. By the clock
 * of the wall: the other one may stand still while an environment is frozen.
 */
const TRUSTED_MS = 10_000;

/** How long that may take, in milliseconds. */
const PROBE_MS = 700;

/** What may be repeated is repeated after this long without a reply, in milliseconds. */
const SILENCE_MS = 800;

/** So long after a client was replaced, in milliseconds, no slow reply has it replaced again. */
const REPLACED_MS = 60_000;

const SILENT = Symbol('silent');

/** One client for as long as the process lives, connected at its first use. */
export interface MongoConnection {
  /** The database, connected. A failed connect is not kept: the next call tries again. */
  open(): Promise<Db>;
  /**
   * What `work` on the database, connected, resolves to.
   * @param mayRepeat it may be carried out twice, in whatever order, and come to the same
   */
  use<Result>(work: (db: Db) => Promise<Result>, mayRepeat?: boolean): Promise<Result>;
  close(): Promise<void>;
}

/**
 * What a firewall or a network address translation drops, it drops without a word: a command would wait for its reply until
 * its time is up. So whoever comes after a pause asks first, with a ping and little patience, and connects anew where
 * nothing replies.
 *
 * In the middle of traffic a connection that was dropped looks like a database that is slow. So who gets no reply for a
 * while connects anew and, where that does no harm, asks there too; whichever replies first is right. The first command is
 * not given up: a slow database has its whole time. It is asked twice by few, since no client is replaced twice in a
 * minute. A short time-out for the command instead was rejected: the driver's retry has the same, so that a slow database
 * would fail every call.
 */
export function connectMongo(options: MongoConnectionOptions): MongoConnection {
  let connecting: Promise<MongoClient> | undefined;
  let current: MongoClient | undefined;
  let probing: Promise<void> | undefined;
  let replacing: Promise<MongoClient> | undefined;
  let replacedAt = Number.NEGATIVE_INFINITY;
  let repliedAt = 0;
  const retired = new Set<MongoClient>();

  function client(): Promise<MongoClient> {
    connecting ??= connect(options).then(
      (connected) => {
        repliedAt = Date.now();
        current = connected;
        return connected;
      },
      (error: unknown) => {
        connecting = undefined;
        throw error;
      },
    );
    return connecting;
  }

  async function probe(): Promise<void> {
    const probed = await client();
    if (isTrusted()) return; // It has connected just now.
    const pinged = probed.db('admin').command({ ping: 1 });
    const answer = await answerWithin(pinged.then(noteReply, noteReply), PROBE_MS, 'silent');
    if (answer === 'silent') await replace(probed);
  }

  /** The client that takes the place of a silent one, on which commands of others may still be under way. */
  function replace(silent: MongoClient): Promise<MongoClient> {
    if (silent !== current) return client(); // Somebody else has replaced it.
    replacing ??= connect(options)
      .then((connected) => {
        repliedAt = replacedAt = Date.now();
        current = connected;
        connecting = Promise.resolve(connected);
        retired.add(silent);
        setTimeout(() => retired.delete(silent) && silent.close(true), options.timeoutMs).unref();
        return connected;
      })
      .finally(() => {
        replacing = undefined;
      });
    return replacing;
  }

  /** What `first`, or the same work on another client, resolves to. */
  async function repeatWhereSilent<Result>(
    first: Promise<Result>,
    work: (db: Db) => Promise<Result>,
    asked: MongoClient,
  ): Promise<Result> {
    const reply = await answerWithin(first, SILENCE_MS, SILENT);
    if (reply !== SILENT) return reply;
    const wasReplaced = replacing === undefined && Math.abs(Date.now() - replacedAt) < REPLACED_MS;
    if (asked === current && wasReplaced) return first;
    const repeated = replace(asked).then((connected) => work(databaseOf(connected, options)));
    // Where not even that works, the first may.
    return Promise.race([first, repeated.catch(() => first)]);
  }

  const noteReply = (): void => {
    repliedAt = Date.now();
  };
  const isTrusted = (): boolean => Math.abs(Date.now() - repliedAt) < TRUSTED_MS;

  async function open(): Promise<Db> {
    if (connecting !== undefined && !isTrusted()) {
      probing ??= probe().finally(() => {
        probing = undefined;
      });
      await probing;
    }
    return databaseOf(await client(), options);
  }

  return {
    open,
    async use(work, mayRepeat = false) {
      const db = await open();
      try {
        const first = work(db);
        const result = await (mayRepeat ? repeatWhereSilent(first, work, db.client) : first);
        noteReply();
        return result;
      } catch (error) {
        if (error instanceof MongoNetworkError) repliedAt = 0;
        throw error;
      }
    },
    async close() {
      await replacing?.catch(() => undefined);
      const last = await connecting?.catch(() => undefined);
      connecting = undefined;
      await Promise.all([...retired, last].map((each) => each?.close()));
      retired.clear();
    },
  };
}

/** A client whose first connect failed stays closed for good, so each attempt has one of its own. */
async function connect(options: MongoConnectionOptions): Promise<MongoClient> {
  const { uri, timeoutMs, socketTimeoutMs = timeoutMs, maxPoolSize = 5, watch } = options;
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
    monitorCommands: watch !== undefined,
  });
  watch?.(client);
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
