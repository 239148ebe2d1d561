import type { CommandStartedEvent } from 'mongodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HeldLease } from '../../shared/contract/leases.ts';
import type { Caller } from '../../shared/domain/client.ts';
import { NoKeyAvailableError } from '../../shared/domain/errors.ts';
import { makeEvent } from '../../shared/domain/events.ts';
import { keepAliveLease, releaseLease } from '../../shared/domain/leases.ts';
import { DEFAULT_POOL, type Pool, type PoolPolicy } from '../../shared/domain/pool.ts';
import { acquire as acquireFrom } from '../domain/support/world.ts';
import { eventually } from '../support/eventually.ts';
import { describeWithMongoDb } from '../support/mongodb.ts';
import { EVERY_VERB } from './contract/every-verb.ts';
import {
  addKeys,
  FREE_AGAIN,
  KEY_LIFE_MS,
  LEASE_END,
  makeClaim,
  makeKey,
  makeSeats,
  NOW,
  POLICY,
} from './contract/scene.ts';
import { emptyDatabase, openWatchedStore, type WatchedStore } from './mongo-fixture.ts';

const CALLER: Caller = { clientId: 'client_a', role: 'client' };
const SLOT_INDEX = { pool: 1, state: 1, slot: 1, freeAt: 1, expiresAt: 1 };
const FREE_AT_INDEX = { pool: 1, state: 1, freeAt: 1, 'lease.expiresAt': 1, expiresAt: 1 };
const EXPIRY_INDEX = { pool: 1, state: 1, valueHash: 1, expiresAt: 1, freeAt: 1 };
const ID_INDEX = { _id: 1 };
const TIMEOUT_MS = 4000;
const MAJORITY = { w: 'majority', j: true, wtimeout: 3200 };

/** Above every random slot, so that the first look finds the key; below every one, so that it does not. */
const FOUND_AT_ONCE = { slot: 1 };
const FOUND_LATER = { slot: -1 };

describeWithMongoDb('the commands of the MongoDB store', (database) => {
  let watched: WatchedStore;

  beforeEach(async () => {
    const url = new URL(database.uri);
    // What the connection string asks for must not weaken what the rules rest on.
    const weak = {
      w: '1',
      journal: 'false',
      wtimeoutMS: '1',
      retryWrites: 'false',
      readPreference: 'secondary',
    };
    for (const [name, value] of Object.entries(weak)) url.searchParams.set(name, value);
    watched = await openWatchedStore({ uri: url.href, timeoutMs: TIMEOUT_MS });
  });

  afterEach(async () => {
    await watched.store.close();
    await emptyDatabase(database);
  });

  async function addKey(fields: object): Promise<void> {
    await addKeys(watched.store, [makeKey({ pool: watched.pool, ...fields })]);
  }

  function acquire(fields: { idempotencyKey?: string } = {}): Promise<HeldLease> {
    return acquireFrom(watched.context, CALLER, fields);
  }

  async function setPolicy(policy: Partial<PoolPolicy>): Promise<void> {
    const found = await watched.context.pools.getFresh(DEFAULT_POOL, NOW);
    const change = { policy: { ...found.policy, ...policy }, now: NOW };
    const changed = await watched.store.pools.update(found, change);
    await watched.context.pools.remember(changed as Pool, NOW);
  }

  describe('acquire', () => {
    it('a free key with one majority write, hinted and unsorted, within a range of slots', async () => {
      await addKey(FOUND_AT_ONCE);
      const commands = await watched.commandsOf(() => acquire({ idempotencyKey: 'request-1' }));
      expect(commands).toMatchObject([
        {
          commandName: 'findAndModify',
          command: {
            hint: SLOT_INDEX,
            query: { state: 'free', slot: { $gte: expect.any(Number), $lt: expect.any(Number) } },
            writeConcern: MAJORITY,
            new: true,
            upsert: false,
          },
        },
      ]);
      expect(commands[0]?.command).not.toHaveProperty('sort');
    });

    it('a free key with one too where the pool holds a number of keys, and a client may hold few of them', async () => {
      await setPolicy({ targetSize: 2, maxLeasesPerClient: 3 });
      // The client's first acquire, some time after a change of the policy, looks for leases from before.
      const { pools } = watched.context;
      pools.noteWithinLimit(await pools.get(DEFAULT_POOL, NOW), CALLER.clientId);
      await addKey({ ...FOUND_AT_ONCE, seat: 1 });
      expect(await watched.commandsOf(() => acquire({ idempotencyKey: 'request-1' }))).toMatchObject([
        {
          commandName: 'findAndModify',
          command: {
            hint: SLOT_INDEX,
            query: { seat: { $lt: 2 } },
            update: { $set: { clientSeat: expect.stringMatching(/^[\w-]{43}\.[012]$/) } },
            writeConcern: MAJORITY,
          },
        },
      ]);
    });

    it('a key that has to be made with eight, the last one an insertion', async () => {
      await setPolicy({ targetSize: 2 });
      const commands = await watched.commandsOf(() => acquire());
      expect(commands).toMatchObject([
        { commandName: 'findAndModify' },
        { commandName: 'find', command: { filter: { state: 'leased' } } },
        { commandName: 'find', command: { filter: { state: 'free' } } },
        { commandName: 'find', command: { filter: { state: 'free' }, limit: 1 } },
        { commandName: 'aggregate', command: { hint: { seatId: 1 } } },
        { commandName: 'aggregate', command: { hint: FREE_AT_INDEX } },
        { commandName: 'find', command: { hint: { seatId: 1 } } },
        { commandName: 'insert', command: { writeConcern: MAJORITY } },
      ]);
    });

    it('a key that the first command misses with four, each stored state read by itself, the leased one first', async () => {
      await addKey(FOUND_LATER);
      const commands = await watched.commandsOf(() => acquire());
      const search = { hint: FREE_AT_INDEX, batchSize: expect.any(Number) };
      expect(commands).toMatchObject([
        { commandName: 'findAndModify' },
        {
          commandName: 'find',
          command: { ...search, filter: { state: 'leased' }, sort: new Map([['freeAt', 1]]) },
        },
        {
          commandName: 'find',
          command: { ...search, filter: { state: 'free' }, sort: new Map([['freeAt', -1]]) },
        },
        { commandName: 'findAndModify', command: { hint: ID_INDEX, writeConcern: MAJORITY } },
      ]);
    });

    it('nothing from an empty pool with four', async () => {
      const refused = () => expect(acquire()).rejects.toThrow(NoKeyAvailableError);
      // The first time in a minute an event is recorded, and no caller waits long for that.
      const commands = await eventually(async () => {
        const sent = await watched.commandsOf(refused);
        return sent.length <= 4 && sent;
      });
      expect(commands).toMatchObject([
        { commandName: 'findAndModify' },
        { commandName: 'find', command: { filter: { state: 'leased' } } },
        { commandName: 'find', command: { filter: { state: 'free' } } },
        {
          commandName: 'find',
          command: { filter: { state: 'free', freeAt: { $gt: new Date(NOW) } }, limit: 1 },
        },
      ]);
    });

    it('what a request got before by a write that a majority confirms', async () => {
      await addKey(FOUND_AT_ONCE);
      await addKey(FOUND_AT_ONCE);
      await acquire({ idempotencyKey: 'request-1' });
      const commands = await watched.commandsOf(() => acquire({ idempotencyKey: 'request-1' }));
      expect(commands).toMatchObject([
        { commandName: 'findAndModify' },
        { commandName: 'findAndModify', command: { writeConcern: MAJORITY } },
      ]);
    });
  });

  it('keep a lease alive with one majority write on the primary key', async () => {
    await addKey(FOUND_AT_ONCE);
    const lease = await acquire();
    const commands = await watched.commandsOf(() => keepAliveLease(watched.context, CALLER, lease.leaseId));
    expect(commands).toMatchObject([
      { command: { query: { _id: lease.keyId }, hint: ID_INDEX, writeConcern: MAJORITY } },
    ]);
  });

  it.each(['ok', 'cooldown'] as const)(
    'release a lease with one majority write on the primary key, with the outcome %s',
    async (outcome) => {
      await setPolicy({ maxLeasesPerClient: 3, cooldownSeconds: 9 });
      await addKey(FOUND_AT_ONCE);
      const lease = await acquire();
      const commands = await watched.commandsOf(() =>
        releaseLease(watched.context, CALLER, lease.leaseId, { outcome }),
      );
      const u = { $unset: { clientSeat: '' } };
      expect(commands).toMatchObject([
        { command: { query: { _id: lease.keyId }, update: u, hint: ID_INDEX, writeConcern: MAJORITY } },
      ]);
    },
  );

  it('discard a key with its event noted by the write that ends the lease, and recorded after it', async () => {
    await addKey(FOUND_AT_ONCE);
    const { keyId, leaseId } = await acquire();
    const discard = () => releaseLease(watched.context, CALLER, leaseId, { outcome: 'discard' });
    const type = 'key.discarded';
    expect(await watched.commandsOf(discard)).toMatchObject([
      { commandName: 'find' },
      { command: { query: { _id: keyId }, update: { $push: { notes: { $each: [{ type }] } } } } },
      {
        commandName: 'find',
        command: { find: 'events', hint: { eventId: 1 }, readConcern: { level: 'majority' } },
      },
      { commandName: 'findAndModify', command: { findAndModify: 'eventCounters' } },
      { commandName: 'insert', command: { insert: 'events', documents: [{ _id: 1, type }] } },
      { command: { updates: [{ q: { _id: keyId }, u: { $unset: { notes: '' } } }] } },
    ]);
  });

  it('list events that are settled with three, each of what a majority has', async () => {
    const { events } = watched.store;
    const at = { now: NOW, expiresAt: NOW + KEY_LIFE_MS };
    await events.add([makeEvent({ type: 'pool.changed', at: NOW, pool: 'a' })], at);
    const list = () => events.list({ now: NOW, limit: 9, by: { field: 'pool', value: 'a' } });
    await list(); // Settles it.
    const readConcern = { level: 'majority' };
    expect(await watched.commandsOf(list)).toMatchObject([
      { commandName: 'find', command: { find: 'eventCounters', readConcern } },
      { commandName: 'find', command: { find: 'events', hint: ID_INDEX, readConcern } },
      { commandName: 'find', command: { find: 'events', hint: { pool: 1, _id: 1 }, readConcern } },
    ]);
  });

  it('list keys of each stored state that the page is about as far as one walk, and then together', async () => {
    const list = (page: { state?: 'leased' | 'free' }) => () =>
      watched.store.keys.list({ pool: watched.pool, now: NOW, limit: 10, ...page });
    const end = (state: string) => ({ hint: SLOT_INDEX, filter: { state }, skip: 1999, limit: 1 });
    const commands = async (page: { state?: 'leased' | 'free' }) =>
      (await watched.commandsOf(list(page))).map(({ command }) => command);
    expect(await commands({ state: 'leased' })).toMatchObject([
      end('leased'),
      { hint: SLOT_INDEX, limit: 11 },
    ]);
    for (const page of [{}, { state: 'free' }] as const) {
      expect(await commands(page)).toMatchObject([
        end('free'),
        end('leased'),
        { hint: SLOT_INDEX, limit: 11 },
      ]);
    }
  });

  it('count the pool of a limited creation at one confirmed moment', async () => {
    const create = () => watched.store.keys.create([makeKey()], makeSeats(1));
    expect(await watched.commandsOf(create)).toMatchObject([
      { commandName: 'insert' },
      { commandName: 'aggregate', command: { readConcern: { level: 'snapshot' }, hint: FREE_AT_INDEX } },
      { commandName: 'update' },
    ]);
  });

  describe('of every verb', () => {
    /** Every verb, with what they do where there is something to do. */
    async function commandsOfAll(): Promise<CommandStartedEvent[]> {
      const { keys, clients } = watched.store;
      const seats = makeSeats(1);
      const { pool } = makeKey();
      return watched.commandsOf(async () => {
        // More than the driver asks for at once.
        const at = new Date(NOW);
        const cleared = Array.from({ length: 150 }, (_, i) => ({
          _id: `${i}`,
          clearedAt: at,
          deletedAt: at,
        }));
        await database.db.collection<{ _id: string }>('pools').insertMany(cleared);
        for (const verb of Object.values(EVERY_VERB)) await verb(watched.store);
        expect(await watched.store.pools.listCleared()).toHaveLength(150);
        await keys.removeExpired({ now: NOW + KEY_LIFE_MS, limit: 9 });
        // A creation that gives way to another, one that finds the pool full, and one that fits.
        await keys.create([makeKey(), makeKey()], seats);
        await database.db
          .collection('keys')
          .insertOne({ pool, state: 'pending:1', expiresAt: new Date(NOW) });
        await keys.create([makeKey()], seats);
        const claimed = await keys.claim(makeClaim(NOW), { from: 0, to: 1 });
        expect(claimed).toMatchObject({ state: 'leased' });
        expect(await keys.listLapsed({ pools: [pool], now: FREE_AGAIN, limit: 9 })).toHaveLength(1);
        const lifetime = { pool, now: NOW, expiresAt: LEASE_END + 1, latest: LEASE_END + 1, limit: 9 };
        await keys.applyLifetime({ ...lifetime, expiresAt: NOW + 2 * KEY_LIFE_MS });
        await keys.applyLifetime({ ...lifetime, expiresAt: FREE_AGAIN });
        await keys.removeGenerations({ name: DEFAULT_POOL, before: 8, now: FREE_AGAIN, limit: 9 });
        for (const clientId of ['a', 'b']) {
          await clients.put({ clientId, role: 'admin', secretHash: 'hash', createdAt: NOW });
        }
        for (const clientId of ['a', 'b']) await clients.remove(clientId, NOW);
        await watched.store.pools.create('b', POLICY, NOW);
      });
    }

    it('have a time limit that ends before the process stops waiting, but for the building of indexes', async () => {
      for (const { commandName, command } of await commandsOfAll()) {
        if (commandName === 'createIndexes') expect(command).not.toHaveProperty('maxTimeMS');
        else expect([commandName, command.maxTimeMS]).toEqual([commandName, 0.8 * TIMEOUT_MS]);
      }
    });

    it('write by a majority that has it on disk, never by a pipeline, and read from the primary', async () => {
      const commands = await commandsOfAll();
      const writes = commands.filter(({ commandName }) =>
        ['insert', 'update', 'delete', 'findAndModify'].includes(commandName),
      );
      expect(writes.length).toBeGreaterThan(30);
      for (const { command } of writes) {
        expect(command.writeConcern).toEqual(MAJORITY);
        const updates = [command.update, ...(command.updates ?? []).map(({ u }: { u: unknown }) => u)];
        expect(updates.some(Array.isArray)).toBe(false);
      }
      for (const { commandName, command } of commands) {
        expect(command).not.toHaveProperty('$readPreference');
        if (commandName === 'createIndexes')
          expect(command.writeConcern).toEqual({ ...MAJORITY, wtimeout: 0 });
      }
    });

    it('name the index that they go by, where the planner could take another', async () => {
      const used = new Set<string>();
      for (const { commandName, command } of await commandsOfAll()) {
        const name = command[commandName];
        if (name !== 'keys') continue;
        const parts = command.updates ?? command.deletes ?? [command];
        for (const { hint, q = command.filter ?? command.query } of parts) {
          const by = hint === undefined ? Object.keys(q ?? {}).join() : Object.keys(hint).join();
          used.add(`${commandName} ${by}`);
        }
      }
      const [slot, freeAt, expiry] = [SLOT_INDEX, FREE_AT_INDEX, EXPIRY_INDEX].map((index) =>
        Object.keys(index).join(),
      );
      expect([...used].sort()).toEqual(
        [
          `aggregate ${freeAt}`,
          'aggregate pool,paused.at',
          'aggregate seatId',
          'createIndexes ',
          `delete ${expiry}`,
          `delete ${slot}`,
          'delete _id',
          'find _id',
          'find clientSeat',
          `find ${expiry}`,
          'find expiresAt,notes',
          `find ${freeAt}`,
          'find lease.clientId,lease.acquiredAt,_id',
          'find notes.at',
          'find seatId',
          'find valueHash',
          `find ${slot}`,
          'findAndModify _id',
          'findAndModify requestHash',
          `findAndModify ${slot}`,
          'insert ',
          'listIndexes ',
          'update _id',
          `update ${slot}`,
        ].sort(),
      );
    });
  });
});
