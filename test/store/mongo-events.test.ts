import { afterEach, beforeEach, expect, it } from 'vitest';
import { describeWithMongoDb } from '../support/mongodb.ts';
import { anEvent } from './contract/event-contract.ts';
import { NOW, SECOND } from './contract/scene.ts';
import { useStore } from './contract/store-fixture.ts';
import { beforeFirst, makeMongoStore, openWiredStore, type WiredStore } from './mongo-fixture.ts';

const AT = { now: NOW, expiresAt: NOW + 60 * SECOND };
const LATER = NOW + 3 * SECOND;

describeWithMongoDb('events on MongoDB', (database) => {
  const test = useStore(makeMongoStore(database));
  let slow: WiredStore;
  beforeEach(async () => {
    slow = await openWiredStore(database);
  });
  afterEach(() => slow.close());

  const read = async (now: number, after = 0) => {
    const { events, next } = await test.store.events.list({ now, limit: 9, after });
    return { ids: events.map(({ eventId }) => eventId), next };
  };
  const ids = (...seeds: string[]) => seeds.map((seed) => anEvent(seed).eventId);

  it('wait for a writer that has a position but no event, and go on without it after 3 seconds', async () => {
    await test.store.events.add([anEvent('a')], AT);
    const counters = database.db.collection<{ _id: string; given: number }>('eventCounters');
    await counters.updateOne({ _id: 'events' }, { $inc: { given: 1200 } }); // It dies here.
    await test.store.events.add([anEvent('b')], AT);
    const first = await read(LATER - 1);
    expect(first.ids).toEqual(ids('a'));
    expect((await read(LATER, first.next)).ids).toEqual(ids('b'));
  });

  it('are given a new position where a reader has made the old one void', async () => {
    let next = 0;
    slow.wire.intercept = beforeFirst('insert', async () => {
      await test.store.events.add([anEvent('b')], AT);
      const passed = await read(LATER);
      expect(passed.ids).toEqual(ids('b'));
      next = passed.next;
    });
    await slow.store.events.add([anEvent('a')], AT);
    expect((await read(LATER, next)).ids).toEqual(ids('a'));
  });

  it('that two record at once leave no position for readers to wait for', async () => {
    slow.wire.intercept = beforeFirst('insert', () => test.store.events.add([anEvent('a')], AT));
    await slow.store.events.add([anEvent('a')], AT);
    await test.store.events.add([anEvent('b')], AT);
    expect((await read(NOW)).ids).toEqual(ids('a', 'b'));
  });

  it('stay, though they are to be forgotten, until readers have passed the hole before them', async () => {
    const counters = database.db.collection<{ _id: string; given: number }>('eventCounters');
    await counters.updateOne({ _id: 'events' }, { $inc: { given: 1 } }, { upsert: true });
    await test.store.events.add([anEvent('a')], { now: NOW, expiresAt: NOW + SECOND });
    expect(await test.store.events.removeExpired({ now: NOW + SECOND, limit: 9 })).toBe(0);
    expect((await read(LATER)).ids).toEqual(ids('a'));
  });
});
