import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Caller } from '../../shared/domain/client.ts';
import { NoKeyAvailableError } from '../../shared/domain/errors.ts';
import { acquireLease } from '../../shared/domain/leases/acquire-lease.ts';
import { keepAliveLease } from '../../shared/domain/leases/keep-alive-lease.ts';
import { releaseLease } from '../../shared/domain/leases/release-lease.ts';
import { sweep } from '../../shared/domain/sweep.ts';
import { describeWithMongoDb } from '../support/mongodb.ts';
import { emptyDatabase, makeKey, NOW, openWatchedStore } from './mongo-fixture.ts';

const CALLER: Caller = { clientId: 'client_a', role: 'client' };
const SLOT_INDEX = { pool: 1, state: 1, slot: 1 };
const FREE_AT_INDEX = { pool: 1, state: 1, freeAt: 1, 'lease.expiresAt': 1, expiresAt: 1 };
const MAJORITY = expect.objectContaining({ w: 'majority' });

/** Above every random slot, so that the first look finds the key; below every one, so that it does not. */
const FOUND_AT_ONCE = { slot: 1 };
const FOUND_LATER = { slot: -1 };

describeWithMongoDb('the commands of the MongoDB store', (database) => {
  // What the connection string asks for must not weaken what the rules rest on.
  const uri = `${database.uri}${database.uri.includes('?') ? '&' : '?'}w=1&retryWrites=false&readPreference=secondaryPreferred`;
  let watched: Awaited<ReturnType<typeof openWatchedStore>>;

  beforeEach(async () => {
    watched = await openWatchedStore(uri);
  });

  afterEach(async () => {
    await watched.store.close();
    await emptyDatabase(database);
  });

  async function addKey(fields: object): Promise<void> {
    await watched.store.keys.create([makeKey(watched.pool, fields)], { maxKeys: null, now: NOW });
  }

  function acquire(fields: { idempotencyKey?: string } = {}) {
    return acquireLease(watched.context, CALLER, { pool: 'default', ...fields });
  }

  it('acquire a free key with one majority write, hinted and unsorted', async () => {
    await addKey(FOUND_AT_ONCE);
    const commands = await watched.commandsOf(() => acquire({ idempotencyKey: 'request-1' }));
    expect(commands).toHaveLength(1);
    expect(commands[0]).toMatchObject({
      commandName: 'findAndModify',
      command: { hint: SLOT_INDEX, writeConcern: MAJORITY, new: true, upsert: false },
    });
    expect(commands[0]?.command).not.toHaveProperty('sort');
  });

  it('acquire a key that the first look misses with three', async () => {
    await addKey(FOUND_LATER);
    const commands = await watched.commandsOf(() => acquire());
    expect(commands.map(({ commandName }) => commandName)).toEqual([
      'findAndModify',
      'find',
      'findAndModify',
    ]);
    expect(commands[1]?.command).toMatchObject({ hint: FREE_AT_INDEX, limit: 16 });
  });

  it('find an empty pool empty with two', async () => {
    const commands = await watched.commandsOf(() => expect(acquire()).rejects.toThrow(NoKeyAvailableError));
    expect(commands.map(({ commandName }) => commandName)).toEqual(['findAndModify', 'find']);
  });

  it('answer a repeated acquire by a write that a majority confirms', async () => {
    await addKey(FOUND_AT_ONCE);
    await addKey(FOUND_AT_ONCE);
    await acquire({ idempotencyKey: 'request-1' });
    const commands = await watched.commandsOf(() => acquire({ idempotencyKey: 'request-1' }));
    expect(commands).toMatchObject([
      { commandName: 'findAndModify' },
      { commandName: 'findAndModify', command: { writeConcern: MAJORITY } },
    ]);
  });

  it('keep a lease alive with one majority write on the primary key', async () => {
    await addKey(FOUND_AT_ONCE);
    const { lease } = await acquire();
    const commands = await watched.commandsOf(() => keepAliveLease(watched.context, CALLER, lease.leaseId));
    expect(commands).toHaveLength(1);
    expect(commands[0]?.command).toMatchObject({
      query: { _id: lease.keyId },
      hint: { _id: 1 },
      writeConcern: MAJORITY,
    });
  });

  it('release a lease with one majority write on the primary key', async () => {
    await addKey(FOUND_AT_ONCE);
    const { lease } = await acquire();
    const commands = await watched.commandsOf(() => releaseLease(watched.context, CALLER, lease.leaseId));
    expect(commands).toHaveLength(1);
    expect(commands[0]?.command).toMatchObject({
      updates: [{ q: { _id: lease.keyId }, hint: { _id: 1 } }],
      writeConcern: MAJORITY,
    });
  });

  it('all write by a majority, never by a pipeline, and all read from the primary', async () => {
    const { store, pool, context } = watched;
    const commands = await watched.commandsOf(async () => {
      await store.keys.create([makeKey(pool, FOUND_LATER), makeKey(pool)], { maxKeys: 10, now: NOW });
      const { lease } = await acquire();
      await keepAliveLease(context, CALLER, lease.leaseId);
      await releaseLease(context, CALLER, lease.leaseId);
      await acquire({ idempotencyKey: 'request-1' });
      const [key, other] = await store.keys.list({ pool, now: NOW, limit: 10 });
      if (key === undefined || other === undefined) throw new Error('There are two keys');
      await store.keys.unblock(key, key.freeAt);
      await store.keys.refresh({ keyId: key.keyId, now: NOW, keyExpiresAt: NOW + 1 });
      await store.keys.delete(other, other.freeAt);
      await store.keys.recordLapse({ keyId: key.keyId, leaseId: 'none', now: NOW });
      await store.keys.recordLapses({ keyIds: [key.keyId], now: NOW });
      await store.keys.count({ pool, now: NOW, limit: 10 });
      await store.pools.put('other', { leaseSeconds: 1, keyTtlSeconds: 9, maxKeys: 1, paused: false }, NOW);
      await sweep(context, () => true);
      await store.clients.put({ clientId: 'c', role: 'viewer', secretHash: 'h', createdAt: NOW });
      await store.clients.remove('c');
    });

    const writes = commands.filter(({ commandName }) =>
      ['insert', 'update', 'delete', 'findAndModify'].includes(commandName),
    );
    expect(writes.length).toBeGreaterThan(12);
    for (const { command } of writes) {
      expect(command.writeConcern).toEqual(MAJORITY);
      const updates = [command.update, ...(command.updates ?? []).map(({ u }: { u: unknown }) => u)];
      expect(updates.some(Array.isArray)).toBe(false);
    }
    for (const { command } of commands) expect(command).not.toHaveProperty('$readPreference');
  });

  it('count the pool of a limited creation at one confirmed moment', async () => {
    const create = () => watched.store.keys.create([makeKey(watched.pool)], { maxKeys: 1, now: NOW });
    expect(await watched.commandsOf(create)).toMatchObject([
      { commandName: 'insert' },
      { commandName: 'aggregate', command: { readConcern: { level: 'snapshot' }, hint: FREE_AT_INDEX } },
      { commandName: 'update' },
    ]);
  });
});
