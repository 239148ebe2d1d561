import { MongoBulkWriteError, MongoNetworkError, MongoServerError, MongoWriteConcernError } from 'mongodb';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { DatabaseUnavailableError } from '../../shared/domain/errors.ts';
import type { Store } from '../../shared/domain/store.ts';
import { translateDriverError } from '../../shared/store/mongo/driver-errors.ts';
import { connectMongo } from '../../shared/store/mongo/mongo-connection.ts';
import { createMongoStore } from '../../shared/store/mongo/mongo-store.ts';
import { withinDeadline } from '../../shared/store/mongo/within-deadline.ts';
import { makeKey, NOW } from './mongo-fixture.ts';
import { isStandInBuilt, layWire, startStandIn } from './mongo-stand-in-process.ts';

describe.skipIf(!isStandInBuilt)('the connection to MongoDB', () => {
  const cleanups: (() => Promise<void>)[] = [];

  afterEach(async () => {
    for (const clean of cleanups.splice(0).reverse()) await clean();
  });

  /** Gives up soon: these tests wait for it. */
  function openStore(port: number, options: { maxPoolSize?: number } = {}): Store {
    const store = createMongoStore({ uri: `mongodb://127.0.0.1:${port}/test`, timeoutMs: 1000, ...options });
    cleanups.push(() => store.close());
    return store;
  }

  async function start(port?: number) {
    const standIn = await startStandIn(port);
    cleanups.push(standIn.stop);
    return standIn;
  }

  it('is tried again after a first connect that failed', async () => {
    const { port, stop } = await start();
    await stop();
    const store = openStore(port);
    await expect(store.ping()).rejects.toThrow(DatabaseUnavailableError);
    await start(port);
    await store.ping();
  });

  it('is shared by callers who come while it is being made', async () => {
    const { port } = await start();
    const connection = connectMongo({ uri: `mongodb://127.0.0.1:${port}` });
    cleanups.push(() => connection.close());
    const clients = await Promise.all([connection.client(), connection.client()]);
    expect(clients[0]).toBe(clients[1]);
    expect(await connection.client()).toBe(clients[0]);
  });

  it('comes back by itself when the server was gone; until then each verb says so, with the cause', async () => {
    const { port, stop } = await start();
    const store = openStore(port);
    await store.prepare(NOW);
    await stop();

    const lost = await store.ping().catch((error: unknown) => error);
    expect(lost).toBeInstanceOf(DatabaseUnavailableError);
    expect((lost as Error).cause).toBeInstanceOf(Error);
    // The driver wraps what happens to an insertion of many.
    const created = store.keys.create([makeKey('p')], { maxKeys: null, now: NOW });
    await expect(created).rejects.toThrow(DatabaseUnavailableError);
    await expect(store.prepare(NOW)).rejects.toThrow(DatabaseUnavailableError);

    await start(port);
    await vi.waitFor(() => store.ping(), { timeout: 20_000, interval: 10 });
  });

  it('gives up on a server that went silent, for the caller who waits for a connection too', async () => {
    const { port } = await start();
    const wire = await layWire(port);
    cleanups.push(wire.close);
    const store = openStore(wire.port, { maxPoolSize: 1 });
    await store.ping();
    wire.cut();

    const answers = await Promise.allSettled([store.ping(), store.ping(), store.pools.find('default')]);
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 'rejected', reason: expect.any(DatabaseUnavailableError) });
    }

    wire.mend();
    await vi.waitFor(() => store.ping(), { timeout: 20_000, interval: 10 });
  });
});

describe('the database of a connection string', () => {
  it.each([
    ['mongodb://a.example,b.example:27017/licences?replicaSet=rs', 'licences'],
    ['mongodb+srv://user:p%40ss@c.example/?w=1', 'token_orchestrator'],
    ['mongodb://c.example', 'token_orchestrator'],
    ['mongodb://c.example/my%20keys', 'my keys'],
  ])('of %s is %s', (uri, database) => {
    expect(connectMongo({ uri }).database).toBe(database);
  });
});

describe('an answer that does not come within the deadline', () => {
  it('is reported as a database that is unavailable', async () => {
    await expect(withinDeadline(1, new Promise(() => undefined))).rejects.toThrow(DatabaseUnavailableError);
  });

  it('does no harm when it fails after all', async () => {
    let fail: (error: Error) => void = () => undefined;
    const late = new Promise((_resolve, reject) => {
      fail = reject;
    });
    await expect(withinDeadline(1, late)).rejects.toThrow(DatabaseUnavailableError);
    fail(new Error('Too late')); // An unhandled rejection would fail the run.
  });
});

describe('an error of the driver', () => {
  const result = { insertedCount: 0 } as ConstructorParameters<typeof MongoBulkWriteError>[1];

  it.each([
    ['a lost connection', new MongoNetworkError('connection closed')],
    ['a server that is no longer the primary', new MongoServerError({ message: 'not primary', code: 10107 })],
    ['a server that goes down', new MongoServerError({ message: 'shutting down', code: 91 })],
    ['a server out of time', new MongoServerError({ message: 'time limit exceeded', code: 50 })],
    [
      'an overloaded server',
      new MongoServerError({ message: 'busy', errorLabels: ['SystemOverloadedError'] }),
    ],
    [
      'a write that no majority confirmed',
      new MongoWriteConcernError({
        ok: 1,
        writeConcernError: { code: 64, errmsg: 'waiting for replication timed out' },
      }),
    ],
    [
      'a connection lost in an insertion of many',
      new MongoBulkWriteError(new MongoNetworkError('closed'), result),
    ],
    [
      'an insertion of many that no majority confirmed',
      new MongoBulkWriteError({ message: 'waiting for replication timed out', code: 64 }, result),
    ],
    [
      'a host name that does not resolve',
      Object.assign(new Error('querySrv ETIMEOUT'), { syscall: 'querySrv' }),
    ],
    [
      'a socket that the server has closed meanwhile',
      Object.assign(new Error('write EPIPE'), { syscall: 'write', code: 'EPIPE' }),
    ],
  ])('that means %s becomes DatabaseUnavailableError', (_name, error) => {
    const translated = translateDriverError(error);
    expect(translated).toBeInstanceOf(DatabaseUnavailableError);
    expect((translated as Error).cause).toBe(error);
  });

  it.each([
    ['a refused credential', new MongoServerError({ message: 'Authentication failed', code: 18 })],
    ['a missing index', new MongoServerError({ message: 'hint does not correspond to an index', code: 2 })],
    ['a duplicate', new MongoServerError({ message: 'E11000', code: 11000 })],
    ['a mistake of our own', new TypeError('undefined is not a function')],
    ['nothing', undefined],
  ])('that means %s stays as it is', (_name, error) => {
    expect(translateDriverError(error)).toBe(error);
  });
});
