import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DatabaseUnavailableError } from '../../shared/domain/errors.ts';
import type { Store } from '../../shared/domain/store.ts';
import { type Parameters, SqliteConnection } from '../../shared/store/sqlite/connection.ts';
import { storeOn } from '../../shared/store/sqlite/sqlite-store.ts';
import { RandomHistory } from './contract/random-history.ts';
import { stepArbitrary } from './contract/random-step.ts';
import {
  ALL_SLOTS,
  addKey,
  addKeys,
  expectKey,
  listAll,
  makeClaim,
  makeExtension,
  makeKey,
  makeSeats,
  NOW,
  POOL,
  stored,
} from './contract/scene.ts';
import { makeFolder } from './sqlite-fixture.ts';

/** Counts its commits. */
class CountingConnection extends SqliteConnection {
  commits = 0;

  override run(sql: string, parameters?: Parameters): number {
    if (sql === 'COMMIT') this.commits += 1;
    return super.run(sql, parameters);
  }
}

/** Lets commits fail, as long as it stands, for whoever leases a key: of a check that is made at the commit. */
const FAIL_COMMITS = `
  PRAGMA foreign_keys = ON;
  CREATE TABLE parents (id INTEGER PRIMARY KEY);
  CREATE TABLE violations (id REFERENCES parents DEFERRABLE INITIALLY DEFERRED);
  CREATE TRIGGER fail_commits AFTER UPDATE ON keys BEGIN INSERT INTO violations VALUES (1); END`;

describe('verbs that arrive in one turn of the event loop', () => {
  let folder: ReturnType<typeof makeFolder>;
  let connection: CountingConnection;
  let store: Store;
  const path = () => join(folder.path, 'test.db');
  const claim = (differing = {}) => store.keys.claim(makeClaim(NOW, differing), ALL_SLOTS);
  const reasons = (results: PromiseSettledResult<unknown>[]) =>
    results.map((result) => (result.status === 'rejected' ? result.reason : 'done'));

  beforeEach(async () => {
    folder = makeFolder();
    connection = new CountingConnection(path(), { busyTimeoutMs: 0 });
    store = storeOn(connection);
    await store.prepare(NOW);
    connection.commits = 0;
  });
  afterEach(() => {
    connection.close();
    folder.remove();
  });

  it('share one commit, and those of another turn have another', async () => {
    await addKeys(
      store,
      Array.from({ length: 20 }, () => makeKey()),
    );
    connection.commits = 0;
    const leases = await Promise.all(Array.from({ length: 20 }, () => claim()));
    expect(new Set(leases.map((key) => expectKey(key).keyId)).size).toBe(20);
    expect(connection.commits).toBe(1);
    expect(await claim()).toBeNull();
    expect(connection.commits).toBe(2);
  });

  it('are joined by what the next turn brings, but one alone waits for nobody', async () => {
    await addKeys(
      store,
      Array.from({ length: 9 }, () => makeKey()),
    );
    const nextTurn = <T>(work: () => Promise<T>) =>
      new Promise<T>((resolve, reject) => setImmediate(() => void work().then(resolve, reject)));
    connection.commits = 0;
    // Its turn comes before the end of the turn that the two others wait for.
    await Promise.all([claim(), claim(), nextTurn(() => claim())]);
    expect(connection.commits).toBe(1);
    await Promise.all([claim(), nextTurn(() => claim())]);
    expect(connection.commits).toBe(3);
  });

  it('wait for no more once they are many, though each turn brings another', async () => {
    const keys = Array.from({ length: 150 }, () => makeKey());
    await addKeys(store, keys);
    let isFirstDone = false;
    const claims = [claim().finally(() => (isFirstDone = true)), claim()];
    while (claims.length < keys.length && !isFirstDone) {
      await new Promise(setImmediate);
      claims.push(claim());
    }
    expect(isFirstDone).toBe(true);
    expect(claims.length).toBeLessThan(keys.length);
    await Promise.all(claims);
  });

  it('have no transaction when all of them only read', async () => {
    const key = await addKey(store);
    connection.commits = 0;
    const reader = new SqliteConnection(path());
    reader.run('BEGIN IMMEDIATE');
    expect(await Promise.all([store.keys.get(key.keyId, NOW), store.pools.list({ limit: 1 })])).toEqual([
      key,
      [expect.anything()],
    ]);
    expect(connection.commits).toBe(0);
    reader.close();
  });

  it('fail alone when a unique index or a check refuses one', async () => {
    await addKeys(store, [makeKey(), makeKey(), makeKey()]);
    const halfway = [makeKey(), makeKey({ state: 'leased' })];
    const results = await Promise.allSettled([
      claim({ requestHash: 'hash' }),
      claim({ requestHash: 'hash' }),
      store.keys.create(halfway, makeSeats(9)),
      claim(),
    ]);
    expect(results.map((result) => result.status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    expect(results[1]).toMatchObject({ value: 'repeated' });
    expect(await listAll(store, { pool: POOL, now: NOW, state: 'leased' })).toHaveLength(2);
    expect(await listAll(store, { pool: POOL, now: NOW })).toHaveLength(3);
    expect(connection.commits).toBe(2);
  });

  it('all fail with their commit, and leave nothing', async () => {
    const [key] = [await addKey(store), await addKey(store)];
    const held = expectKey(await claim());
    connection.execute(FAIL_COMMITS);
    const [before, ...group] = await Promise.allSettled([
      store.keys.get(key.keyId, NOW),
      claim(),
      store.keys.extend(makeExtension(held, NOW + 1)),
      store.keys.create([makeKey({ state: 'leased' })], null),
      store.keys.getStored(held.keyId),
    ]);
    expect(before).toMatchObject({ status: 'fulfilled' });
    for (const reason of reasons(group)) expect(reason).toBeInstanceOf(DatabaseUnavailableError);
    expect(reasons(group)[0]).toMatchObject({ cause: { message: expect.stringMatching(/FOREIGN KEY/) } });
    connection.execute('DROP TRIGGER fail_commits');
    expect(await stored(store, held)).toEqual(held);
    expect(await claim()).toMatchObject({ fencingToken: NOW + 1 });
  });

  it('are lost with the transaction when SQLite gives it up halfway, and those after them are not', async () => {
    await addKeys(store, [makeKey(), makeKey()]);
    connection.execute(`
      CREATE TRIGGER give_up BEFORE INSERT ON clients BEGIN SELECT RAISE(ROLLBACK, 'given up'); END`);
    const client = { clientId: 'one', role: 'viewer', secretHash: '', createdAt: NOW } as const;
    const results = await Promise.allSettled([claim(), store.clients.put(client), claim()]);
    const [lost, culprit, after] = reasons(results);
    expect(lost).toBeInstanceOf(DatabaseUnavailableError);
    expect(culprit).toMatchObject({ message: 'given up' });
    expect(after).toBe('done');
    expect(await listAll(store, { pool: POOL, now: NOW, state: 'leased' })).toHaveLength(1);
  });

  it('ask once for a lock that another process does not give', async () => {
    const key = await addKey(store);
    const holder = new SqliteConnection(path());
    holder.run('BEGIN IMMEDIATE');
    const results = await Promise.allSettled([claim(), store.keys.get(key.keyId, NOW), claim()]);
    const [first, read, second] = reasons(results);
    expect(first).toBeInstanceOf(DatabaseUnavailableError);
    expect(read).toBe('done');
    expect((second as Error).cause).toBe((first as Error).cause);
    holder.close();
    expect(await claim()).not.toBeNull();
  });

  it('are carried out when the store is closed before the turn has ended', async () => {
    await addKey(store);
    const claimed = claim();
    connection.close();
    const { keyId, fencingToken } = expectKey(await claimed);
    connection = new CountingConnection(path());
    expect(await stored(storeOn(connection), { keyId })).toMatchObject({ fencingToken });
  });

  it('do what they would do one after the other, whatever they are and whichever fail', {
    timeout: 120_000,
  }, async () => {
    connection.execute('PRAGMA synchronous = OFF');
    // The removal of expired keys is not about one pool.
    const step = stepArbitrary.filter(({ verb }) => verb !== 'removeExpired');
    const histories = fc.array(fc.array(step, { minLength: 10, maxLength: 30 }), {
      minLength: 2,
      maxLength: 8,
    });
    const property = fc.asyncProperty(histories, async (all) => {
      let running = all.length;
      const failAgain = async () => {
        while (running > 0) {
          const damaged = [makeKey({ pool: 'damaged/1' }), makeKey({ pool: 'damaged/1', state: 'leased' })];
          await expect(store.keys.create(damaged, null)).rejects.toThrow(/CHECK/);
        }
      };
      const run = async (steps: (typeof all)[number]) => {
        const random = new RandomHistory(store);
        try {
          for (const one of steps) await random.take(one);
          await random.compareReads();
        } finally {
          running -= 1;
        }
      };
      await Promise.all([failAgain(), ...all.map(run)]);
      expect(await listAll(store, { pool: 'damaged/1', now: NOW })).toEqual([]);
    });
    await fc.assert(property, { numRuns: 10, interruptAfterTimeLimit: 20_000 });
  });
});
