import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DatabaseUnavailableError } from '../../shared/domain/errors.ts';
import { poolReference } from '../../shared/domain/pool.ts';
import type { Seats, Store } from '../../shared/domain/store.ts';
import type { KeyDocument } from '../../shared/store/mongo/key-document.ts';
import { persistently } from '../domain/support/persistently.ts';
import { describeWithMongoDb } from '../support/mongodb.ts';
import {
  ALL_SLOTS,
  addKey,
  GENERATION,
  KEY_LIFE_MS,
  listAll,
  makeClaim,
  makeKey,
  makeSeats,
  NAME,
  NOW,
  POOL,
  SECOND,
  TOLERANCE_MS,
} from './contract/scene.ts';
import { useStore } from './contract/store-fixture.ts';
import { beforeFirst, makeMongoStore, openWiredStore, type WiredStore } from './mongo-fixture.ts';

/** How long others wait for a creation that may have died. */
const PENDING_MS = 10 * SECOND;
const FORMER = poolReference({ name: NAME, generation: GENERATION - 1 });

describeWithMongoDb('creating keys in MongoDB', (database) => {
  const fixture = useStore(makeMongoStore(database));
  const documents = database.db.collection<KeyDocument>('keys');
  let slow: WiredStore;

  beforeEach(async () => {
    slow = await openWiredStore(database);
  });

  afterEach(() => slow.close());

  /** A key that another creation has inserted and not yet published, as a process leaves it that dies. */
  async function insertPending(expiresAt: number, pool = POOL): Promise<string> {
    const keyId = `key_${randomUUID()}`;
    await documents.insertOne({
      _id: keyId,
      pool,
      state: `pending:${randomUUID()}`,
      slot: 0.5,
      fencingToken: NOW,
      createdAt: new Date(NOW),
      freeAt: new Date(NOW - TOLERANCE_MS),
      expiresAt: new Date(expiresAt),
      expiresAtOnceFree: new Date(NOW + KEY_LIFE_MS),
    });
    return keyId;
  }

  function create(store: Store, count: number, seats: Seats | null) {
    const keys = Array.from({ length: count }, () => makeKey({ slot: Math.random() }));
    return store.keys.create(keys, seats);
  }

  it('stores what it was given, and nothing of how it was made', async () => {
    const key = makeKey({ value: 'secret', expiresAt: NOW + 12_345 });
    expect(await fixture.store.keys.create([key], makeSeats(1))).toBe('created');
    expect(await fixture.store.keys.getStored(key.keyId)).toEqual(key);
    expect(Object.keys((await documents.findOne({ _id: key.keyId })) ?? {}).sort()).toEqual([
      '_id',
      'createdAt',
      'expiresAt',
      'fencingToken',
      'freeAt',
      'pool',
      'slot',
      'state',
      'value',
    ]);
  });

  it('leaves nothing behind when a key of the batch is refused', async () => {
    const taken = await addKey(fixture.store);
    for (const seats of [null, makeSeats(10)]) {
      expect(await fixture.store.keys.create([makeKey(), taken], seats)).toBe('exists');
    }
    expect(await documents.distinct('_id')).toEqual([taken.keyId]);
    expect(await fixture.store.keys.getStored(taken.keyId)).toEqual(taken);
  });

  it('leaves nothing behind when a value is there already', async () => {
    const taken = await addKey(fixture.store, { value: 'sealed', valueHash: 'hash' });
    const again = makeKey({ value: 'sealed again', valueHash: 'hash' });
    expect(await fixture.store.keys.create([makeKey(), again, makeKey()], null)).toBe('exists');
    expect(await documents.distinct('_id')).toEqual([taken.keyId]);
  });

  it('leaves nothing behind when the pool is full', async () => {
    expect(await create(fixture.store, 2, makeSeats(2))).toBe('created');
    expect(await create(fixture.store, 1, makeSeats(2))).toBe('full');
    expect(await documents.countDocuments()).toBe(2);
  });

  it('never exceeds the limit when many create at once, nor refuses all of them', async () => {
    const stores = [fixture.store, await fixture.another(), await fixture.another()];
    const created = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        persistently(() => create(stores[index % 3] as Store, 3, makeSeats(10))),
      ),
    );
    expect(created.filter((result) => result === 'created')).toHaveLength(3);
    expect(await documents.distinct('state')).toEqual(['free']);
    expect(await documents.countDocuments()).toBe(9);
  });

  describe('with keys of another creation pending', () => {
    it('refuses nobody for their sake: it cannot tell', async () => {
      await insertPending(NOW + PENDING_MS);
      await expect(create(fixture.store, 1, makeSeats(1))).rejects.toThrow(DatabaseUnavailableError);
      expect(await documents.countDocuments()).toBe(1);
      expect(await create(fixture.store, 1, makeSeats(2))).toBe('created');
    });

    it('refuses what would not fit without them either', async () => {
      await insertPending(NOW + PENDING_MS);
      expect(await create(fixture.store, 2, makeSeats(1))).toBe('full');
    });

    it('removes them once they are past their time, and no others', async () => {
      await insertPending(NOW - 1);
      await insertPending(NOW, FORMER);
      const bystanders = [
        await insertPending(NOW, 'default-2/000000000000007'),
        await insertPending(NOW, 'default0/000000000000007'),
      ];
      const expired = await addKey(fixture.store, { expiresAt: NOW - 5 * SECOND });
      const later = await insertPending(NOW + 1);
      expect(await create(fixture.store, 1, makeSeats(2, NOW, { countFormerFree: true }))).toBe('created');
      const left = await documents.distinct('_id', { state: { $regex: '^pending:' } });
      expect(left.sort()).toEqual([...bystanders, later].sort());
      expect(await documents.countDocuments({ _id: expired.keyId })).toBe(1);
    });

    it('gives way to one that brings the same value, but not for longer than its time', async () => {
      const keyId = await insertPending(NOW + SECOND, FORMER);
      await documents.updateOne({ _id: keyId }, { $set: { valueHash: 'hash' } });
      const bring = (at: number) =>
        fixture.store.keys.create([makeKey({ valueHash: 'hash', createdAt: at })], null);
      expect(await bring(NOW + SECOND - 1)).toBe('exists');
      expect(await documents.distinct('_id')).toEqual([keyId]);
      expect(await bring(NOW + SECOND)).toBe('created');
      expect(await documents.distinct('state')).toEqual(['free']);
    });

    it('goes on where the first try of the same request died', async () => {
      const keyId = await insertPending(NOW);
      const again = makeKey({ keyId });
      expect(await fixture.store.keys.create([makeKey(), again], makeSeats(2))).toBe('created');
      expect(await fixture.store.keys.getStored(keyId)).toEqual(again);
    });

    it('counts those of an earlier generation as long as somebody may lease them', async () => {
      await insertPending(NOW + PENDING_MS, FORMER);
      const recently = makeSeats(1, NOW, { countFormerFree: true });
      await expect(create(fixture.store, 1, recently)).rejects.toThrow(DatabaseUnavailableError);
      expect(await create(fixture.store, 1, makeSeats(1))).toBe('created');
    });

    it('shows and leases none of them', async () => {
      const { keys } = fixture.store;
      const keyId = await insertPending(NOW + PENDING_MS);
      await documents.updateOne({ _id: keyId }, { $set: { valueHash: 'hash' } });
      expect(await keys.get(keyId, NOW)).toBeNull();
      expect(await keys.getStored(keyId)).toBeNull();
      expect(await keys.listStored([keyId])).toEqual([]);
      expect(await keys.listByValue(['hash'])).toEqual([]);
      expect(await listAll(fixture.store, { pool: POOL, now: NOW })).toEqual([]);
      expect(await keys.listClaimable({ pool: POOL, now: NOW, limit: 10 })).toEqual({ keys: [] });
      expect(await keys.count({ pool: POOL, now: NOW, limit: 10 })).toEqual({
        free: 0,
        leased: 0,
        cooling: 0,
        paused: 0,
      });
      expect(await keys.refresh({ keyId, now: NOW, keyExpiresAt: NOW + KEY_LIFE_MS })).toBeNull();
      expect(await keys.claim(makeClaim(NOW), ALL_SLOTS)).toBeNull();
      const lifetime = {
        pool: POOL,
        now: NOW,
        expiresAt: NOW + KEY_LIFE_MS,
        latest: NOW + KEY_LIFE_MS,
        limit: 9,
      };
      expect(await keys.applyLifetime(lifetime)).toEqual({ moved: 0, complete: true });
    });

    it('lets the sweep remove those that were abandoned', async () => {
      await insertPending(NOW);
      expect(await fixture.store.keys.removeExpired({ now: NOW, limit: 10 })).toBe(1);
    });
  });

  describe('stalled', () => {
    it('between its count and its last write, keeps its seats from others', async () => {
      const others: unknown[] = [];
      slow.wire.intercept = beforeFirst('update', async () => {
        others.push(await create(fixture.store, 1, makeSeats(3)));
        others.push(await create(fixture.store, 1, makeSeats(3)).catch((error: unknown) => error));
      });
      expect(await create(slow.store, 2, makeSeats(3))).toBe('created');
      expect(others).toEqual(['created', expect.any(DatabaseUnavailableError)]);
      expect(await documents.countDocuments({ state: 'free' })).toBe(3);
    });

    it.each([PENDING_MS, PENDING_MS + SECOND])(
      'for %d ms, loses its seats to others, and does not say that its keys are there',
      async (ms) => {
        slow.wire.intercept = beforeFirst('update', async () => {
          await expect(create(fixture.store, 2, makeSeats(2, NOW + PENDING_MS - 1))).rejects.toThrow(
            DatabaseUnavailableError,
          );
          expect(await create(fixture.store, 2, makeSeats(2, NOW + ms))).toBe('created');
        });
        await expect(create(slow.store, 2, makeSeats(2))).rejects.toThrow(DatabaseUnavailableError);
        expect(await documents.countDocuments()).toBe(2);
      },
    );

    it('for so long that some of its keys were removed, does not say that all are there', async () => {
      slow.wire.intercept = beforeFirst('update', () =>
        fixture.store.keys.removeExpired({ now: NOW + PENDING_MS, limit: 1 }),
      );
      await expect(create(slow.store, 2, null)).rejects.toThrow(DatabaseUnavailableError);
    });

    it('does not trust a count that is older than its keys', async () => {
      slow.wire.intercept = beforeFirst('aggregate', () => documents.deleteOne({}));
      await expect(create(slow.store, 2, makeSeats(5))).rejects.toThrow(DatabaseUnavailableError);
      expect(await documents.countDocuments()).toBe(0);
    });

    it('tries again when another that was in its way has given up', async () => {
      const pending = await insertPending(NOW + PENDING_MS);
      slow.wire.intercept = beforeFirst('delete', () => documents.deleteOne({ _id: pending }));
      expect(await create(slow.store, 1, makeSeats(1))).toBe('created');
      expect(await documents.distinct('state')).toEqual(['free']);
    });
  });

  describe('in a generation that is over', () => {
    const purge = (now = NOW) =>
      fixture.store.keys.removeGenerations({ name: NAME, before: GENERATION, now, limit: 10 });
    const former = () => makeKey({ pool: FORMER });

    it('does not say that keys are there which the sweep has removed', async () => {
      slow.wire.intercept = beforeFirst('update', () => purge());
      await expect(slow.store.keys.create([former()], null)).rejects.toThrow(DatabaseUnavailableError);
      expect(await documents.countDocuments()).toBe(0);
    });

    it('leaves keys to a later sweep that come after the first one', async () => {
      slow.wire.intercept = beforeFirst('insert', async () => {
        expect(await purge()).toEqual({ removed: 0, complete: true });
      });
      expect(await slow.store.keys.create([former()], null)).toBe('created');
      expect(await purge(NOW - TOLERANCE_MS - 1)).toEqual({ removed: 0, complete: false });
      expect(await purge()).toEqual({ removed: 1, complete: true });
    });

    it('takes no seat beside one that the generation after it gave away meanwhile', async () => {
      slow.wire.intercept = beforeFirst('insert', async () => {
        expect(
          await fixture.store.keys.create([makeKey()], makeSeats(1, NOW, { countFormerFree: true })),
        ).toBe('created');
      });
      const seats = makeSeats(1, NOW, { generation: GENERATION - 1 });
      expect(await slow.store.keys.create([former()], seats)).toBe('full');
    });

    it('keeps its seat from the generation after it', async () => {
      slow.wire.intercept = beforeFirst('update', async () => {
        const created = fixture.store.keys.create([makeKey()], makeSeats(1, NOW, { countFormerFree: true }));
        await expect(created).rejects.toThrow(DatabaseUnavailableError);
      });
      const seats = makeSeats(1, NOW, { generation: GENERATION - 1 });
      expect(await slow.store.keys.create([former()], seats)).toBe('created');
    });
  });
});
