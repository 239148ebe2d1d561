import { afterAll, afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { acquireLease } from '../../shared/domain/acquire-lease.ts';
import { DatabaseUnavailableError } from '../../shared/domain/errors.ts';
import { releaseLease } from '../../shared/domain/leases.ts';
import { poolReference } from '../../shared/domain/pool.ts';
import type { Store } from '../../shared/domain/store.ts';
import { createRuntime } from '../../shared/runtime/runtime.ts';
import { connectMongo, databaseName } from '../../shared/store/mongo/connection.ts';
import { createMongoStore, withinDeadline } from '../../shared/store/mongo/mongo-store.ts';
import {
  ALL_SLOTS,
  addKey,
  addKeys,
  addLeasedKey,
  listAll,
  makeClaim,
  makeExtension,
  makeKey,
  makeRelease,
  NOW,
  OTHER_POOL,
  POOL,
  SECOND,
  TOLERANCE_MS,
} from './contract/scene.ts';
import { isStandInBuilt, type StandIn, startStandIn } from './mongo-stand-in-process.ts';
import { layWire, type Wire } from './mongo-wire.ts';

describe.skipIf(!isStandInBuilt)('the connection to MongoDB', () => {
  /** For tests that wait until it has given up. */
  const GIVES_UP_SOON = { timeoutMs: 1000 };
  const cleanups: (() => Promise<void>)[] = [];
  /** Of the tests that leave it running. */
  let shared: Promise<StandIn> | undefined;
  let databases = 0;

  afterEach(async () => {
    for (const clean of cleanups.splice(0).reverse()) await clean();
  });
  afterAll(async () => (await shared)?.stop());

  function openStore(
    { port }: { port: number },
    options: { timeoutMs?: number; maxPoolSize?: number } = {},
  ): Store {
    const store = createMongoStore({ uri: `mongodb://127.0.0.1:${port}/test-${++databases}`, ...options });
    cleanups.push(() => store.close());
    return store;
  }

  async function start(port?: number) {
    const standIn = await startStandIn(port);
    cleanups.push(standIn.stop);
    return standIn;
  }

  async function startWired(): Promise<Wire> {
    shared ??= startStandIn();
    const wire = await layWire(await shared);
    cleanups.push(wire.close);
    return wire;
  }

  /** Holds back every command of this name; what it returns lets them go on. */
  function hold(wire: Wire, name: string): { held: Promise<void>; release: () => void } {
    const [held, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    wire.intercept = async (sent) => {
      if (sent !== name) return undefined;
      held.resolve();
      await released.promise;
      return undefined;
    };
    return { held: held.promise, release: released.resolve };
  }

  it('is tried again after a first connect that failed', async () => {
    const { port, stop } = await start();
    await stop();
    const store = openStore({ port }, GIVES_UP_SOON);
    await expect(store.ping()).rejects.toThrow(DatabaseUnavailableError);
    await start(port);
    await store.ping();
  });

  it('is shared by callers who come while it is being made', async () => {
    const { port } = await start();
    const connection = connectMongo({ uri: `mongodb://127.0.0.1:${port}`, timeoutMs: 1000 });
    cleanups.push(() => connection.close());
    const [one, other] = await Promise.all([connection.open(), connection.open()]);
    expect(one.client).toBe(other.client);
    expect((await connection.open()).client).toBe(one.client);
  });

  it('writes by a majority and reads from the primary, whatever its string says', async () => {
    const { port } = await start();
    const weak = 'w=1&journal=false&wtimeoutMS=1&retryWrites=false&retryReads=false&readPreference=secondary';
    const uri = `mongodb://127.0.0.1:${port}/?${weak}`;
    const connection = connectMongo({ uri, timeoutMs: 1000 });
    cleanups.push(() => connection.close());
    const { client, readPreference, writeConcern } = await connection.open();
    expect(writeConcern).toMatchObject({ w: 'majority', journal: true, wtimeoutMS: 800 });
    expect(readPreference?.mode).toBe('primary');
    expect(client.options).toMatchObject({ retryWrites: true, retryReads: true });
  });

  it('comes back by itself when the server was gone; until then each verb says so, with the cause', async () => {
    const { port, stop } = await start();
    const store = openStore({ port }, GIVES_UP_SOON);
    await store.prepare(NOW);
    await stop();

    const lost = await store.ping().catch((error: unknown) => error);
    expect(lost).toBeInstanceOf(DatabaseUnavailableError);
    expect((lost as Error).cause).toBeInstanceOf(Error);
    // The driver wraps what happens to an insertion of many.
    await expect(store.keys.create([makeKey()], null)).rejects.toThrow(DatabaseUnavailableError);
    await expect(store.prepare(NOW)).rejects.toThrow(DatabaseUnavailableError);

    await start(port);
    await vi.waitFor(() => store.ping(), { timeout: 20_000, interval: 10 });
  });

  it('gives up on a server that went silent, for the caller who waits for a connection too', async () => {
    const wire = await startWired();
    const store = openStore(wire, { ...GIVES_UP_SOON, maxPoolSize: 1 });
    await store.ping();
    wire.cut();

    const results = await Promise.allSettled([store.ping(), store.ping(), store.pools.get('default')]);
    for (const result of results) {
      expect(result).toMatchObject({ status: 'rejected', reason: expect.any(DatabaseUnavailableError) });
    }

    wire.mend();
    await vi.waitFor(() => store.ping(), { timeout: 20_000, interval: 10 });
  });

  it('is made anew for who comes after a pause in which it was dropped without a word; a claim is sent once', async () => {
    const wire = await startWired();
    const store = openStore(wire, { timeoutMs: 1250 }); // A verb is given up 250 ms later.
    await addKey(store);
    await store.pools.get('default');
    const claims: string[] = [];
    wire.intercept = async (name) => {
      if (name === 'findAndModify') claims.push(name);
      return undefined;
    };
    wire.forget();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10_000 });
    onTestFinished(() => void vi.useRealTimers());
    const claimed = await Promise.all([
      store.keys.claim(makeClaim(NOW), { from: 0, to: 1 }),
      store.pools.get('default'),
    ]);
    expect(claimed).toMatchObject([{ state: 'leased' }, null]);
    expect(claims).toHaveLength(1);
  });

  it('is not asked first by who comes right after another', async () => {
    const wire = await startWired();
    const store = openStore(wire);
    await store.ping();
    const sent: string[] = [];
    wire.intercept = async (name) => void sent.push(name);
    await store.pools.get('default');
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10_000 });
    onTestFinished(() => void vi.useRealTimers());
    await store.pools.get('default');
    await store.pools.get('default');
    expect(sent.filter((name) => name !== 'hello')).toEqual(['find', 'ping', 'find', 'find']);
  });

  describe('that was dropped in the middle of traffic', () => {
    const CALLER = { clientId: 'client', role: 'client' } as const;
    /** A verb is given up 250 ms later, less than anybody waits for a reply that is lost and for a new connection after it. */
    const BRIEF = { timeoutMs: 1750, maxPoolSize: 1 };

    /** A store that was used just now, with two keys, and which commands it has sent since. */
    async function openUsed() {
      const wire = await startWired();
      const store = openStore(wire, BRIEF);
      await store.prepare(NOW);
      const { context } = createRuntime(store, { clockSkewToleranceMs: TOLERANCE_MS, clock: () => NOW });
      const pool = poolReference(await context.pools.get('default', NOW));
      // Above any slot that a claim begins at.
      await addKeys(store, [makeKey({ pool, slot: 0.999_998 }), makeKey({ pool, slot: 0.999_999 })]);
      const sent: string[] = [];
      wire.intercept = async (name) => void sent.push(name);
      const leased = async () =>
        (await listAll(store, { pool, now: NOW })).filter(({ state }) => state === 'leased');
      return { wire, store, context, pool, leased, sent };
    }
    /** The next command of this name reaches the server, whose reply is lost, as is all that comes after it. */
    const loseReplyTo = (wire: Wire, name: string, sent: string[]) => {
      wire.intercept = async (command) => {
        if (command === name && !sent.includes(name)) setImmediate(wire.forget);
        sent.push(command);
        return undefined;
      };
    };

    it('costs no caller more than a moment: reads, an acquire that may be repeated, a keep-alive, a release', async () => {
      const { wire, store, pool, leased } = await openUsed();
      const [held, released] = [await addLeasedKey(store, { pool }), await addLeasedKey(store, { pool })];
      const other = await addKey(store, { pool: OTHER_POOL });
      wire.forget();
      const answers = await Promise.all([
        store.pools.get('default'),
        store.keys.getStored(held.keyId),
        store.keys.claim(makeClaim(NOW, { pool, requestHash: 'hash' }), ALL_SLOTS),
        store.keys.extend(makeExtension(held, NOW + SECOND)),
        store.keys.release(makeRelease(released, NOW)),
        store.keys.reclaim(other, makeClaim(NOW, { pool: OTHER_POOL, requestHash: 'other' })),
        store.keys.confirmRequest('none'),
        store.getLastSweep(),
        store.schemaState(),
      ]);
      expect(answers).toMatchObject([
        { name: 'default' },
        { keyId: held.keyId },
        { state: 'leased', requestHash: 'hash' },
        { keyId: held.keyId, state: 'leased' },
        { acquiredAt: NOW },
        { keyId: other.keyId, state: 'leased' },
        null,
        undefined,
        'ok',
      ]);
      expect(await leased()).toHaveLength(2);
    });

    it('gives an acquire whose reply was lost the lease that it got, and no second one', async () => {
      const { wire, context, leased, sent } = await openUsed();
      loseReplyTo(wire, 'findAndModify', sent);
      const acquired = await acquireLease(context, CALLER, { pool: 'default', idempotencyKey: 'job-1' });
      expect(await leased()).toMatchObject([
        { keyId: (acquired as { lease: { keyId: string } }).lease.keyId },
      ]);
      expect(acquired).toMatchObject({ repeated: true });
    });

    it('gives a release whose reply was lost its success, and the key to the next one', async () => {
      const { wire, context, leased, sent } = await openUsed();
      const acquired = await acquireLease(context, CALLER, { pool: 'default' });
      sent.length = 0;
      loseReplyTo(wire, 'findAndModify', sent);
      const { lease } = acquired as { lease: { leaseId: string } };
      expect(await releaseLease(context, CALLER, lease.leaseId)).toMatchObject({ repeated: true });
      expect(await leased()).toEqual([]);
    });

    it('never makes an acquire twice that has no idempotency key: nobody would hold the second key', async () => {
      const { wire, store, context, leased, sent } = await openUsed();
      loseReplyTo(wire, 'findAndModify', sent);
      await expect(acquireLease(context, CALLER, { pool: 'default' })).rejects.toThrow(
        DatabaseUnavailableError,
      );
      expect(sent.filter((name) => name === 'findAndModify')).toHaveLength(1);
      await vi.waitFor(() => store.ping(), { timeout: 20_000, interval: 10 });
      expect(await leased()).toHaveLength(1);
    });

    it('is not thought of a database that is slow more than once a minute, and gets nobody a second key', async () => {
      const { wire, context, leased } = await openUsed();
      const acquireSlowly = (idempotencyKey: string) => {
        const claims = [0, 1].map(() => ({
          sent: Promise.withResolvers<void>(),
          released: Promise.withResolvers<void>(),
        }));
        let count = 0;
        wire.intercept = async (name) => {
          if (name !== 'findAndModify') return undefined;
          const claim = claims[count];
          count += 1;
          claim?.sent.resolve();
          await claim?.released.promise;
          return undefined;
        };
        const acquiring = acquireLease(context, CALLER, { pool: 'default', idempotencyKey });
        return { acquiring, claims, count: () => count };
      };
      const first = acquireSlowly('job-1');
      await first.claims[1]?.sent.promise; // Once more, on a new client.
      first.claims[0]?.released.resolve();
      expect(await first.acquiring).toMatchObject({ repeated: false });
      first.claims[1]?.released.resolve();

      const next = acquireSlowly('job-2');
      await expect(next.acquiring).rejects.toThrow(DatabaseUnavailableError);
      expect(next.count()).toBe(1);
      next.claims[0]?.released.resolve();
      await vi.waitFor(async () => expect(await leased()).toHaveLength(2), { timeout: 20_000, interval: 10 });
    });
  });

  it('of a lease is not the one of a figure, which may take long', async () => {
    const wire = await startWired();
    const store = openStore(wire, { maxPoolSize: 1 });
    await addKey(store);
    const { held, release } = hold(wire, 'aggregate');
    const counting = store.keys.count({ pool: POOL, now: NOW, limit: 10 });
    await held;
    expect(await store.keys.claim(makeClaim(NOW), { from: 0, to: 1 })).toMatchObject({ state: 'leased' });
    release();
    expect(await counting).toMatchObject({ free: 0, leased: 1 });
  });

  it('of figures is made for the first one, and closed with the store', async () => {
    const wire = await startWired();
    const store = openStore(wire);
    await store.prepare(NOW);
    const before = wire.connections;
    await store.keys.count({ pool: POOL, now: NOW, limit: 10 });
    expect(wire.connections).toBeGreaterThan(before);
    await store.close();
    await vi.waitFor(() => expect(wire.connections).toBe(0));
  });

  it('on which indexes are made waits as long as they take, unlike any other', async () => {
    const wire = await startWired();
    const store = openStore(wire, GIVES_UP_SOON);
    await store.ping();
    const { held, release } = hold(wire, 'createIndexes');
    const preparing = store.prepare(NOW);
    await held;
    // Held back later than the indexes, and given up before them.
    const { intercept } = wire;
    wire.intercept = async (sent, command) => {
      if (sent !== 'ping') return intercept(sent, command);
      await preparing.catch(() => undefined);
      return undefined;
    };
    await expect(store.ping()).rejects.toThrow(DatabaseUnavailableError);
    release();
    await expect(preparing).resolves.toBeUndefined();
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
    expect(databaseName(uri)).toBe(database);
  });
});

describe('a reply that does not come within the deadline', () => {
  it('is reported as a database that is unavailable', async () => {
    const silence = withinDeadline(1, () => new Promise(() => undefined));
    await expect(silence).rejects.toThrow(DatabaseUnavailableError);
  });

  it('does no harm when it fails after all', async () => {
    const late = Promise.withResolvers<void>();
    await expect(withinDeadline(1, () => late.promise)).rejects.toThrow(DatabaseUnavailableError);
    late.reject(new Error('Too late')); // An unhandled rejection would fail the run.
  });
});
