import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Store, Ticket } from '../../shared/domain/store.ts';
import { describeWithMongoDb } from '../support/mongodb.ts';
import { NOW, POOL, SECOND } from './contract/scene.ts';
import { useStore } from './contract/store-fixture.ts';
import {
  beforeFirst,
  emptyDatabase,
  makeMongoStore,
  openWatchedStore,
  openWiredStore,
  type WatchedStore,
  type WiredStore,
} from './mongo-fixture.ts';

const PLACE_INDEX = { pool: 1, place: 1, number: 1, expiresAt: 1, count: 1 };
const LAPSE = NOW + SECOND;

function give({ tickets }: Store, ticketId: string): Promise<Ticket> {
  const ticket = { ticketId, pool: POOL, clientId: 'client', priority: 0, count: 1, expiresAt: LAPSE };
  return tickets.create(ticket, { now: NOW, advanceMs: 0 });
}

describeWithMongoDb('the queue in MongoDB', (database) => {
  const test = useStore(makeMongoStore(database));
  let slow: WiredStore;

  beforeEach(async () => {
    slow = await openWiredStore(database);
  });

  afterEach(() => slow.close());

  it('gives 100 callers who come at once a place each, from several processes', async () => {
    const stores = [test.store, await test.another(), await test.another()];
    const given = await Promise.all(
      Array.from({ length: 100 }, (_, index) => give(stores[index % 3] as Store, `ticket-${index}`)),
    );
    // The stand-in may return a counter after the increment that follows its own, so two numbers may be equal there.
    expect(Math.max(...given.map(({ number }) => number))).toBe(100);
    const listed = await test.store.tickets.list({ pool: POOL, now: NOW, limit: 200 });
    expect(listed.map(({ number }) => number)).toEqual(
      given.map(({ number }) => number).toSorted((one, other) => one - other),
    );
    expect(new Set(listed.map(({ ticketId }) => ticketId)).size).toBe(100);
  });

  it('counts once more where another caller began it at the same moment', async () => {
    const errmsg = 'E11000 duplicate key error collection: test.queues index: _id_ dup key: { _id: "p" }';
    let refusals = 2;
    slow.wire.intercept = async (name) =>
      name === 'findAndModify' && refusals-- > 0
        ? { ok: 0, code: 11000, codeName: 'DuplicateKey', errmsg }
        : undefined;
    expect(await give(slow.store, 'one')).toMatchObject({ number: 1 });
    expect(refusals).toBe(-1);
  });

  it('keeps a ticket that is used between the look for lapsed ones and their removal', async () => {
    await give(test.store, 'used');
    await give(test.store, 'gone');
    const use = { ticketId: 'used', pool: POOL, clientId: 'client', now: NOW, expiresAt: LAPSE + 1 };
    slow.wire.intercept = beforeFirst('delete', () => test.store.tickets.use(use));
    expect(await slow.store.tickets.removeLapsed({ now: LAPSE, limit: 10 })).toBe(1);
    expect(await test.store.tickets.get('used')).toMatchObject({ expiresAt: LAPSE + 1 });
    expect(await test.store.tickets.get('gone')).toBeNull();
  });
});

describeWithMongoDb('the commands on the queue in MongoDB', (database) => {
  let watched: WatchedStore;

  beforeEach(async () => {
    watched = await openWatchedStore({ uri: database.uri });
  });

  afterEach(async () => {
    await watched.store.close();
    await emptyDatabase(database);
  });

  it('are two for a new ticket: its number, and its place', async () => {
    expect(await watched.commandsOf(() => give(watched.store, 'one'))).toMatchObject([
      {
        commandName: 'findAndModify',
        command: { findAndModify: 'queues', query: { _id: POOL }, upsert: true },
      },
      {
        commandName: 'update',
        command: { update: 'tickets', updates: [{ q: { _id: 'one' }, upsert: true }] },
      },
    ]);
  });

  it('are one on its primary key for a ticket that is used', async () => {
    const use = { ticketId: 'one', pool: POOL, clientId: 'client', now: NOW, expiresAt: LAPSE };
    expect(await watched.commandsOf(() => watched.store.tickets.use(use))).toMatchObject([
      { commandName: 'findAndModify', command: { query: { _id: 'one' }, hint: { _id: 1 } } },
    ]);
  });

  it('are one range of the index of places for what goes before a ticket, and for a page', async () => {
    const { tickets } = watched.store;
    const before = { order: NOW, number: 7 };
    const commands = await watched.commandsOf(async () => {
      await tickets.countAhead({ pool: POOL, before, now: NOW, limit: 5 });
      await tickets.list({ pool: POOL, now: NOW, limit: 5, after: [NOW, 7] });
    });
    const live = { pool: POOL, expiresAt: { $gt: new Date(NOW) } };
    expect(commands).toMatchObject([
      {
        commandName: 'aggregate',
        command: {
          hint: PLACE_INDEX,
          pipeline: [
            {
              $match: { ...live, place: { $lte: NOW }, $nor: [{ place: NOW, number: { $gte: 7 } }] },
            },
            { $limit: 5 },
            { $group: { _id: null, count: { $sum: '$count' } } },
          ],
        },
      },
      {
        commandName: 'find',
        command: {
          hint: PLACE_INDEX,
          filter: { ...live, place: { $gte: NOW }, $nor: [{ place: NOW, number: { $lte: 7 } }] },
          sort: new Map([
            ['place', 1],
            ['number', 1],
          ]),
          limit: 5,
        },
      },
    ]);
  });
});
