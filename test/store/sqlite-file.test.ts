import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DatabaseUnavailableError } from '../../shared/domain/errors.ts';
import { SqliteConnection } from '../../shared/store/sqlite/connection.ts';
import { DatabaseFileError } from '../../shared/store/sqlite/errors.ts';
import { MIGRATIONS } from '../../shared/store/sqlite/schema.ts';
import { createSqliteStore, storeOn } from '../../shared/store/sqlite/sqlite-store.ts';
import { EVERY_VERB } from './contract/every-verb.ts';
import {
  ALL_SLOTS,
  addKey,
  addLeasedKey,
  listAll,
  makeClaim,
  makeKey,
  makeSeats,
  NOW,
  POOL,
  stored,
} from './contract/scene.ts';
import { makeFolder } from './sqlite-fixture.ts';

describe('the SQLite file', () => {
  let folder: ReturnType<typeof makeFolder>;
  const file = (...names: string[]) => join(folder.path, ...names);

  beforeEach(() => {
    folder = makeFolder();
  });
  afterEach(() => folder.remove());

  async function openStore(path = file('test.db')) {
    const store = createSqliteStore({ path });
    await store.prepare(NOW);
    return store;
  }

  it('keeps everything when it is closed and opened again', async () => {
    const before = await openStore();
    const key = await addLeasedKey(before, { value: 'secret' }, { requestHash: 'hash' });
    const pools = await before.pools.list({ limit: 10 });
    await before.close();
    const after = await openStore();
    expect(await stored(after, key)).toEqual(key);
    expect(await after.pools.list({ limit: 10 })).toEqual(pools);
    await after.close();
  });

  it('is made with its folder, for its owner alone', async () => {
    const store = await openStore(file('new', 'folder', 'test.db'));
    expect(statSync(file('new')).mode & 0o777).toBe(0o700);
    const files = readdirSync(file('new', 'folder'));
    expect(files).toContain('test.db-wal');
    for (const name of files) expect(statSync(file('new', 'folder', name)).mode & 0o777).toBe(0o600);
    await store.close();
  });

  it('says what prepared it, a newer program that opened it meanwhile too', async () => {
    const store = await openStore();
    const stamp = async (version: number) => {
      const connection = new SqliteConnection(file('test.db'));
      connection.execute(`PRAGMA user_version = ${version}`);
      connection.close();
      return store.schemaState();
    };
    expect(await store.schemaState()).toBe('ok');
    expect(await stamp(MIGRATIONS.length + 1)).toBe('newer');
    expect(await stamp(MIGRATIONS.length - 1)).toBe('older');
    await store.close();
  });

  it('keeps the mode that its owner gave it', async () => {
    writeFileSync(file('test.db'), '');
    chmodSync(file('test.db'), 0o640);
    await (await openStore()).close();
    expect(statSync(file('test.db')).mode & 0o777).toBe(0o640);
  });

  it('is none for :memory:, where each store has a database of its own', async () => {
    const stores = [await openStore(':memory:'), await openStore(':memory:')] as const;
    const key = await addKey(stores[0]);
    expect(await stores[1].keys.getStored(key.keyId)).toBeNull();
    for (const store of stores) await store.close();
  });

  it('says so in one line when it is something else', () => {
    writeFileSync(file('text.db'), 'This is not a database. '.repeat(100));
    expect(() => createSqliteStore({ path: file('text.db') })).toThrow(DatabaseFileError);
    expect(() => createSqliteStore({ path: file('text.db') })).toThrow(
      /^The SQLite database .*text\.db cannot be used: .*$/,
    );
  });

  it('names the path when the file system refuses', () => {
    mkdirSync(file('folder.db'));
    expect(() => createSqliteStore({ path: file('folder.db') })).toThrow(/EISDIR.*folder\.db/);
    writeFileSync(file('file'), '');
    expect(() => createSqliteStore({ path: file('file', 'test.db') })).toThrow(/(ENOTDIR|EEXIST).*file/);
  });

  it('is refused when a newer version made it', async () => {
    await (await openStore()).close();
    const connection = new SqliteConnection(file('test.db'));
    connection.execute('PRAGMA user_version = 1000');
    await expect(storeOn(connection).prepare(NOW)).rejects.toThrow(DatabaseFileError);
    connection.close();
  });

  it('has the domain’s invariants as constraints', async () => {
    const store = await openStore();
    const key = await addLeasedKey(store);
    for (const wrong of [
      makeKey({ freeAt: NOW, expiresAt: NOW - 1 }),
      makeKey({ state: 'leased' }),
      makeKey({ lease: makeClaim(NOW).lease }),
      makeKey({ state: 'leased', freeAt: NOW + 1, lease: makeClaim(NOW).lease }),
    ]) {
      await expect(store.keys.create([wrong], null)).rejects.toThrow(/CHECK/);
    }
    expect(await listAll(store, { pool: POOL, now: NOW })).toEqual([key]);
    await store.close();
  });

  it('keeps nothing of a lease that is over but what the key remembers', async () => {
    const connection = new SqliteConnection(file('test.db'));
    const store = storeOn(connection);
    await store.prepare(NOW);
    const { lease } = makeClaim(NOW);
    const key = await addLeasedKey(store, {}, { lease: { ...lease, holder: 'host' } });
    await store.keys.unblock(key, key.freeAt);
    const [row] = connection.all<Record<string, unknown>>('SELECT * FROM keys');
    const columns = Object.entries(row ?? {}).filter(([name]) => name.startsWith('lease_'));
    expect(columns.map(([, value]) => value)).toEqual(Array.from({ length: 6 }, () => null));
    connection.close();
  });

  it('is unharmed by a create that fails halfway', async () => {
    const store = await openStore();
    const [first, second] = [makeKey(), makeKey()];
    const damaged = makeKey({ state: 'leased' });
    await expect(store.keys.create([first, second, damaged], makeSeats(5))).rejects.toThrow(/CHECK/);
    expect(await store.keys.getStored(second.keyId)).toBeNull();
    expect(await store.keys.create([first, second], makeSeats(2))).toBe('created');
    await store.close();
  });

  it.each([
    // 2 is FULL: a commit waits for the disk. NORMAL, 1, waits at checkpoints, so that a power cut takes the last commits.
    [{}, 2],
    [{ synchronous: 'normal' }, 1],
  ] as const)('opened with %o waits for the disk, and for other processes', async (options, synchronous) => {
    const connection = new SqliteConnection(file('test.db'), options);
    const pragma = (name: string) => Object.values(connection.row<object>(`PRAGMA ${name}`) ?? {})[0];
    expect(pragma('journal_mode')).toBe('wal');
    expect(pragma('synchronous')).toBe(synchronous);
    expect(pragma('busy_timeout')).toBe(5000);
    connection.close();
  });

  describe('when it cannot be written', () => {
    it('throws DatabaseUnavailableError while another process holds the write lock for too long', async () => {
      const [holder, waiting] = [
        new SqliteConnection(file('test.db')),
        new SqliteConnection(file('test.db'), { busyTimeoutMs: 0 }),
      ];
      const store = storeOn(waiting);
      await store.prepare(NOW);
      const key = await addKey(store);
      holder.run('BEGIN IMMEDIATE');
      await expect(store.keys.claim(makeClaim(NOW), ALL_SLOTS)).rejects.toThrow(DatabaseUnavailableError);
      await expect(store.keys.create([makeKey()], makeSeats(9))).rejects.toThrow(DatabaseUnavailableError);
      expect(await store.keys.get(key.keyId, NOW)).toEqual(key);
      holder.run('COMMIT');
      expect(await store.keys.claim(makeClaim(NOW), ALL_SLOTS)).not.toBeNull();
      holder.close();
      waiting.close();
    });

    it('throws DatabaseUnavailableError when the disk is full, and goes on when it is not', async () => {
      const connection = new SqliteConnection(file('test.db'));
      const store = storeOn(connection);
      await store.prepare(NOW);
      const keys = Array.from({ length: 1000 }, () => makeKey());
      connection.execute('PRAGMA max_page_count = 60');
      const refused = store.keys.create(keys, null);
      await expect(refused).rejects.toThrow(DatabaseUnavailableError);
      await expect(refused).rejects.toMatchObject({ cause: { errcode: 13 } });
      connection.execute('PRAGMA max_page_count = 100000');
      expect(await listAll(store, { pool: POOL, now: NOW })).toEqual([]);
      expect(await store.keys.create(keys, null)).toBe('created');
      connection.close();
    });

    it('returns no row of a statement that fails only when it commits', () => {
      const connection = new SqliteConnection(file('test.db'));
      connection.execute('PRAGMA foreign_keys = ON');
      connection.execute('CREATE TABLE parent (id INTEGER PRIMARY KEY)');
      connection.execute('CREATE TABLE child (id REFERENCES parent DEFERRABLE INITIALLY DEFERRED)');
      expect(() => connection.all('INSERT INTO child VALUES (1) RETURNING id')).toThrow(/FOREIGN KEY/);
      expect(connection.all('SELECT * FROM child')).toEqual([]);
      connection.close();
    });
  });

  describe('after it was closed', () => {
    it.each(Object.entries(EVERY_VERB))('throws DatabaseUnavailableError from %s', async (_, verb) => {
      const store = await openStore();
      await store.close();
      await expect(verb(store)).rejects.toThrow(DatabaseUnavailableError);
    });
  });
});
