import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { DatabaseUnavailableError } from '../../shared/domain/errors.ts';
import { describeWithMongoDb } from '../support/mongodb.ts';
import { EVERY_VERB } from './contract/every-verb.ts';
import {
  ALL_SLOTS,
  addKey,
  addLeasedKey,
  FREE_AGAIN,
  GENERATION,
  KEY_LIFE_MS,
  listAll,
  makeClaim,
  makeKey,
  makeSeats,
  NAME,
  NOW,
  POOL,
} from './contract/scene.ts';
import { emptyDatabase, openWiredStore, type WiredStore } from './mongo-fixture.ts';
import type { WireCommand } from './mongo-wire.ts';

const SLOT_INDEX = 'pool_1_state_1_slot_1_freeAt_1_expiresAt_1';
const FREE_AT_INDEX = 'pool_1_state_1_freeAt_1_lease.expiresAt_1_expiresAt_1';
const EXPIRY_INDEX = 'pool_1_state_1_valueHash_1_expiresAt_1_freeAt_1';
const PLACE_INDEX = 'pool_1_place_1_number_1_expiresAt_1_count_1';
const CLIENT_INDEX = 'lease.clientId_1_lease.acquiredAt_1__id_1';
const NOTES_INDEX = 'notes.at_1';
const PAUSED_INDEX = 'pool_1_paused.at_1';

/** What relies on a unique index, and its name. */
const RELYING = {
  'keys.listSeated': 'seatId_1',
  'keys.countSeated': 'seatId_1',
  'keys.listClientSeats': 'clientSeat_1',
  'keys.listByValue': 'valueHash_1',
  // Of values that may stand under another hash; without one it goes on, see below.
  'keys.create': 'valueHash_1',
  'events.add': 'eventId_1',
} as const;

/** What MongoDB 7 replies where a hint names no index. */
const BAD_HINT = {
  code: 2,
  codeName: 'BadValue',
  errmsg:
    'error processing query: planner returned error :: caused by :: hint provided does not correspond to an existing index',
};

describeWithMongoDb('a MongoDB whose indexes have not been made for this release', (database) => {
  const onMissingIndex = vi.fn();
  let wired: WiredStore;
  let sent: string[];

  beforeEach(async () => {
    onMissingIndex.mockClear();
    sent = [];
    wired = await openWiredStore(database, { onMissingIndex });
    wired.wire.intercept = async (name, command) => {
      if (hintOf(command) !== undefined) sent.push(name);
      return isHintMissing(command) ? replyOf(name) : undefined;
    };
  });

  afterEach(async () => {
    vi.useRealTimers();
    await wired.close();
    await emptyDatabase(database);
  });

  function hintOf(command: WireCommand): Record<string, 1> | undefined {
    const [statement = command] = command.updates ?? command.deletes ?? [];
    return statement.hint;
  }

  /** Everything but the primary key, which every collection has. */
  function isHintMissing(command: WireCommand): boolean {
    const hint = hintOf(command);
    return hint !== undefined && Object.keys(hint).join() !== '_id';
  }

  /** An update and a deletion go through statement by statement, and tell of each that failed. */
  function replyOf(name: string): WireCommand {
    return name === 'update' || name === 'delete'
      ? { ok: 1, n: 0, nModified: 0, writeErrors: [{ index: 0, ...BAD_HINT }] }
      : { ok: 0, ...BAD_HINT };
  }

  it('carries out every verb without them that only gets slower, and tells of each of them once', async () => {
    for (const [name, verb] of Object.entries(EVERY_VERB)) if (!(name in RELYING)) await verb(wired.store);
    expect(onMissingIndex.mock.calls.flat().sort()).toEqual(
      [CLIENT_INDEX, EXPIRY_INDEX, FREE_AT_INDEX, NOTES_INDEX, PAUSED_INDEX, PLACE_INDEX, SLOT_INDEX].sort(),
    );
  });

  it.each(Object.entries(RELYING))('does not carry out %s, time and again', async (name, index) => {
    for (let time = 1; time <= 2; time++) {
      await expect(EVERY_VERB[name as keyof typeof RELYING](wired.store)).rejects.toThrow(
        DatabaseUnavailableError,
      );
    }
    expect(sent.filter((command) => /^(find|aggregate)$/.test(command))).toHaveLength(2);
    expect(onMissingIndex.mock.calls.flat().filter((missing) => missing === index)).toEqual([index]);
    for (const collection of ['keys', 'events', 'eventCounters']) {
      expect(await database.db.collection(collection).countDocuments()).toBe(0);
    }
  });

  it('is used as if they were there', async () => {
    const { store } = wired;
    expect(await store.keys.create([makeKey(), makeKey()], makeSeats(2))).toBe('created');
    expect(await store.keys.create([makeKey()], makeSeats(2))).toBe('full');
    const [one, other] = await listAll(store, { pool: POOL, now: NOW });
    expect(await store.keys.claim(makeClaim(NOW), ALL_SLOTS)).toMatchObject({ state: 'leased' });
    expect((await store.keys.listClaimable({ pool: POOL, now: NOW, limit: 9 })).keys).toHaveLength(1);
    expect(await store.keys.count({ pool: POOL, now: NOW, limit: 9 })).toMatchObject({ free: 1, leased: 1 });
    expect(await store.keys.listLeased({ clientId: 'client', limit: 9 })).toHaveLength(1);
    expect(await store.keys.listLapsed({ pools: [POOL], now: FREE_AGAIN, limit: 9 })).toHaveLength(1);
    expect(await store.keys.measureSlots({ pool: POOL, keys: 1 })).toBe(0.5);
    const expiresAt = NOW + 2 * KEY_LIFE_MS;
    const lifetime = { pool: POOL, now: NOW, expiresAt, latest: expiresAt, limit: 9 };
    expect(await store.keys.applyLifetime(lifetime)).toEqual({ moved: 2, complete: true });
    const query = { name: NAME, before: GENERATION + 1, now: FREE_AGAIN, limit: 9 };
    expect(await store.keys.removeGenerations(query)).toEqual({ removed: 2, complete: true });
    expect([one, other].every((key) => key?.state === 'free')).toBe(true);
  });

  it('is not asked for them again within a minute, and then once more', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOW });
    await addLeasedKey(wired.store);
    await addKey(wired.store);
    const measure = async (after: number) => {
      vi.setSystemTime(NOW + after);
      sent = [];
      for (let i = 0; i < 3; i++) await wired.store.keys.measureSlots({ pool: POOL, keys: 1 });
      return sent;
    };
    expect(await measure(59_999)).toEqual([]);
    expect(await measure(60_000)).toEqual(['find']);
    expect(await measure(119_999)).toEqual([]);
    wired.wire.intercept = async (name, command) => {
      if (hintOf(command) !== undefined) sent.push(name);
      return undefined;
    };
    expect(await measure(120_000)).toEqual(['find', 'find', 'find']);
    expect(onMissingIndex.mock.calls).toEqual([[SLOT_INDEX]]);
  });

  it('reports every other mistake as it is', async () => {
    wired.wire.intercept = async (name) =>
      name === 'find' ? { ok: 0, code: 2, errmsg: 'unknown operator: $near' } : undefined;
    await expect(wired.store.keys.measureSlots({ pool: POOL, keys: 1 })).rejects.toThrow('unknown operator');
    expect(onMissingIndex).not.toHaveBeenCalled();
  });
});
