import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Key, StoredState } from '../../shared/domain/key.ts';
import { DEFAULT_POLICY } from '../../shared/domain/pool.ts';
import { SqliteConnection } from '../../shared/store/sqlite/connection.ts';
import { MIGRATIONS } from '../../shared/store/sqlite/schema.ts';
import { createSqliteStore, storeOn } from '../../shared/store/sqlite/sqlite-store.ts';
import {
  FREE_AGAIN,
  KEY_LIFE_MS,
  LEASE_END,
  listAll,
  makeClaim,
  makeExtension,
  makeKey,
  NOW,
  OTHER_POOL,
  POOL,
  SECOND,
  stored,
} from './contract/scene.ts';
import { makeFolder } from './sqlite-fixture.ts';

/** A key of each kind as version 1 stored it. */
const LEASED = { state: 'leased' as StoredState, freeAt: FREE_AGAIN };
const LAST_LEASE = { id: 'last', clientId: 'ops', reason: 'lapsed' } as const;
const KEYS: Record<string, Key> = {
  free: makeKey({ slot: 0.1, freeAt: NOW, lastLease: LAST_LEASE, value: 'secret' }),
  leased: makeKey({
    ...LEASED,
    slot: 0.2,
    lease: { id: 'lease', clientId: 'ci', holder: 'host', acquiredAt: NOW, expiresAt: LEASE_END },
    requestHash: 'hash',
  }),
  cooling: makeKey({ slot: 0.3, freeAt: FREE_AGAIN }),
  expired: makeKey({ slot: 0.4, freeAt: NOW - SECOND, expiresAt: NOW }),
  deleted: makeKey({ slot: 0.5, state: 'deleted', freeAt: FREE_AGAIN, expiresAt: FREE_AGAIN }),
  elsewhere: makeKey({ pool: OTHER_POOL, expiresAt: NOW + 2 * KEY_LIFE_MS }),
};

/** Name, generation, four fields of the policy, creation, change, deleted, cleared. */
const POOLS = [
  ['default', 7, 60, 300, null, 0, NOW, NOW, 0, null],
  ['full', 8, 5, null, 0, 1, NOW, NOW + 1, 0, null],
  ['limited', 9, 3600, 86_400, 100_000, 0, NOW, NOW + 2, 0, null],
  ['emptied', 10, 60, 300, 3, 0, NOW, NOW, 0, NOW + SECOND],
  ['gone', 11, 60, 300, 4, 1, NOW, NOW, 1, NOW + SECOND],
];

describe('a SQLite database of version 1', () => {
  let folder: ReturnType<typeof makeFolder>;
  let path: string;

  beforeEach(() => {
    folder = makeFolder();
    path = join(folder.path, 'test.db');
    const connection = new SqliteConnection(path);
    connection.execute(`${MIGRATIONS[0]}; PRAGMA user_version = 1`);
    for (const { lease, lastLease, ...key } of Object.values(KEYS)) {
      insert(connection, 'keys', [
        ...[
          key.keyId,
          key.pool,
          key.state,
          key.slot,
          key.fencingToken,
          key.createdAt,
          key.expiresAt,
          key.freeAt,
        ],
        ...[lease?.id, lease?.clientId, lease?.holder, lease?.acquiredAt, lease?.expiresAt],
        ...[lastLease?.id, lastLease?.clientId, lastLease?.reason, key.requestHash, key.value],
      ]);
    }
    for (const pool of POOLS) insert(connection, 'pools', pool);
    insert(connection, 'clients', ['root', 'admin', null, 'First', 'hash', NOW]);
    insert(connection, 'clients', ['ci', 'client', '["a"]', null, 'other hash', NOW]);
    connection.close();
  });
  afterEach(() => folder.remove());

  function insert(connection: SqliteConnection, table: string, values: readonly unknown[]): void {
    const list = values.map((value) => (value === undefined ? null : value));
    const row = list.map((_, i) => `json_extract(:row, '$[${i}]')`);
    connection.run(`INSERT INTO ${table} VALUES (${row})`, { row: JSON.stringify(list) });
  }

  async function upgrade() {
    const store = createSqliteStore({ path });
    await store.prepare(NOW);
    return store;
  }

  it('keeps its keys, of every kind', async () => {
    const store = await upgrade();
    for (const key of Object.values(KEYS)) expect(await stored(store, key)).toEqual(key);
    const { free, leased, cooling } = KEYS;
    expect(await listAll(store, { pool: POOL, now: NOW })).toEqual([free, leased, cooling]);
    await store.close();
  });

  it('keeps its pools, each field of each policy, and what is still to be removed', async () => {
    const store = await upgrade();
    const policies = {
      default: DEFAULT_POLICY,
      full: { ...DEFAULT_POLICY, leaseSeconds: 5, keyTtlSeconds: null, maxKeys: 0, paused: true },
      limited: { ...DEFAULT_POLICY, leaseSeconds: 3600, keyTtlSeconds: 86_400, maxKeys: 100_000 },
      emptied: { ...DEFAULT_POLICY, maxKeys: 3 },
    };
    const pools = await store.pools.list({ limit: 10 });
    expect(Object.fromEntries(pools.map(({ name, policy }) => [name, policy]))).toEqual(policies);
    expect(await store.pools.get('limited')).toEqual({
      name: 'limited',
      generation: 9,
      policy: policies.limited,
      createdAt: NOW,
      updatedAt: NOW + 2,
    });
    expect(await store.pools.get('gone')).toBeNull();
    const cleared = { generation: 10, clearedAt: NOW + SECOND, deleted: false };
    expect((await store.pools.listCleared()).toSorted((a, b) => a.generation - b.generation)).toEqual([
      { name: 'emptied', ...cleared },
      { name: 'gone', ...cleared, generation: 11, deleted: true },
    ]);
    await store.close();
  });

  it('keeps its clients', async () => {
    const store = await upgrade();
    const root = {
      clientId: 'root',
      role: 'admin',
      description: 'First',
      secretHash: 'hash',
      createdAt: NOW,
    };
    const ci = { clientId: 'ci', role: 'client', pools: ['a'], secretHash: 'other hash', createdAt: NOW };
    expect(await store.clients.list({ limit: 10 })).toEqual([ci, root]);
    const expiring = { secretHash: 'newer hash', expiresAt: NOW + 1 };
    expect(await store.clients.rotate(root, expiring, NOW)).toBe('last_admin');
    expect(await store.clients.remove('root', NOW)).toBe('last_admin');
    const oldSecret = { hash: 'other hash', expiresAt: NOW + 1 };
    expect(await store.clients.rotate(ci, { ...expiring, oldSecret, rotatedAt: NOW }, NOW)).toBe('rotated');
    await store.clients.noteUse('ci', NOW);
    expect(await store.clients.get('ci')).toEqual({
      ...ci,
      ...expiring,
      oldSecret,
      rotatedAt: NOW,
      lastUsedAt: NOW,
    });
    await store.close();
  });

  it('goes on where it was: leases, repeats, lifetimes and policies', async () => {
    const store = await upgrade();
    const { free, leased } = KEYS as { free: Key; leased: Key };
    expect(await store.keys.extend(makeExtension(leased, NOW + SECOND))).not.toBeNull();
    expect(await store.keys.confirmRequest('hash')).toMatchObject({ keyId: leased.keyId });
    const claim = makeClaim(NOW, { requestHash: 'another hash', requestBody: 'body' });
    expect(await store.keys.reclaim(free, claim)).toMatchObject({ requestBody: 'body', value: 'secret' });
    const lifetime = { pool: POOL, now: NOW, expiresAt: NOW + 2 * KEY_LIFE_MS, limit: 10 };
    const never = { ...lifetime, latest: lifetime.expiresAt };
    expect(await store.keys.applyLifetime(never)).toEqual({ moved: 2, complete: true });
    const pool = await store.pools.get('emptied');
    expect(pool && (await store.pools.requestRefresh(pool, NOW))).toBe(true);
    await store.close();
  });

  it('is brought up to date once, and not at all when that fails halfway', async () => {
    const connection = new SqliteConnection(path);
    const version = () => connection.row('PRAGMA user_version');
    connection.execute('CREATE INDEX unlimited_admins ON clients (role)');
    await expect(storeOn(connection).prepare(NOW)).rejects.toThrow(/unlimited_admins/);
    expect(version()).toEqual({ user_version: 1 });
    connection.execute('DROP INDEX unlimited_admins');
    for (let i = 0; i < 2; i++) {
      await storeOn(connection).prepare(NOW);
      expect(version()).toEqual({ user_version: MIGRATIONS.length });
    }
    connection.close();
  });
});

describe('a SQLite database of version 2', () => {
  let folder: ReturnType<typeof makeFolder>;
  let path: string;

  const leased = makeKey({
    ...LEASED,
    slot: 0.2,
    lease: { id: 'lease', clientId: 'ci', holder: 'host', acquiredAt: NOW, expiresAt: LEASE_END },
    lastLease: LAST_LEASE,
    requestHash: 'hash',
    requestBody: 'body',
  });
  const free = makeKey({ slot: 0.1 });
  const policy = { leaseSeconds: 20, keyTtlSeconds: null, maxKeys: 9, paused: true };

  beforeEach(() => {
    folder = makeFolder();
    path = join(folder.path, 'test.db');
    const connection = new SqliteConnection(path);
    connection.execute(`${MIGRATIONS[0]}; ${MIGRATIONS[1]}; PRAGMA user_version = 2`);
    const insert = (table: string, row: Record<string, string | number | undefined>) => {
      const columns = Object.keys(row).filter((column) => row[column] !== undefined);
      const values = columns.map((column) => `json_extract(:row, '$.${column}')`);
      connection.run(`INSERT INTO ${table} (${columns}) VALUES (${values})`, { row: JSON.stringify(row) });
    };
    for (const { lease, lastLease, ...key } of [free, leased]) {
      insert('keys', {
        key_id: key.keyId,
        pool: key.pool,
        state: key.state,
        slot: key.slot,
        fencing_token: key.fencingToken,
        created_at: key.createdAt,
        expires_at: key.expiresAt,
        free_at: key.freeAt,
        lease_id: lease?.id,
        lease_client: lease?.clientId,
        lease_holder: lease?.holder,
        lease_acquired_at: lease?.acquiredAt,
        lease_expires_at: lease?.expiresAt,
        last_lease_id: lastLease?.id,
        last_lease_client: lastLease?.clientId,
        last_lease_reason: lastLease?.reason,
        request_hash: key.requestHash,
        request_body: key.requestBody,
      });
    }
    const times = { created_at: NOW, updated_at: NOW, refreshed_at: NOW };
    insert('pools', { name: 'default', generation: 7, policy: JSON.stringify(policy), ...times });
    connection.close();
  });
  afterEach(() => folder.remove());

  it('keeps its keys and leases, and its pools, whose new fields have their default', async () => {
    const store = createSqliteStore({ path });
    await store.prepare(NOW);
    expect(await listAll(store, { pool: POOL, now: NOW })).toEqual([free, leased]);
    expect(await store.pools.get('default')).toEqual({
      name: 'default',
      generation: 7,
      policy: { ...DEFAULT_POLICY, ...policy },
      createdAt: NOW,
      updatedAt: NOW,
      refreshedAt: NOW,
    });
    await store.close();
  });

  it('goes on where it was, with all that is new', async () => {
    const store = createSqliteStore({ path });
    await store.prepare(NOW);
    const extended = await store.keys.extend(makeExtension(leased, NOW + SECOND));
    expect(extended).toMatchObject({ requestBody: 'body' });
    const claim = makeClaim(NOW, { requestHash: 'another hash', clientSeat: 'client.0' });
    expect(await store.keys.reclaim(free, claim)).toMatchObject({ clientSeat: 'client.0' });
    expect(await store.keys.mint(makeKey({ seat: 0 }))).toMatchObject({ seat: 0 });
    expect(await store.keys.setLabels({ keyId: free.keyId, now: NOW, labels: { a: 'b' } })).not.toBeNull();
    const ticket = {
      ticketId: 'ticket',
      pool: POOL,
      clientId: 'ci',
      priority: 0,
      count: 1,
      expiresAt: LEASE_END,
    };
    expect(await store.tickets.create(ticket, { now: NOW, advanceMs: 0 })).toMatchObject({ number: 1 });
    await store.close();
  });
});
