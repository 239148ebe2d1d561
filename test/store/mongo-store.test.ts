import { expect, it } from 'vitest';
import { createMongoStore } from '../../shared/store/mongo/mongo-store.ts';
import { describeWithMongoDb } from '../support/mongodb.ts';
import { NOW } from './contract/scene.ts';
import { makeMongoStore } from './mongo-fixture.ts';
import { describeStoreContract } from './store-contract.ts';

describeWithMongoDb('the MongoDB store', (database) => {
  describeStoreContract('keeps the contract', makeMongoStore(database), 0.3);
});

describeWithMongoDb('the indexes of the MongoDB store', (database) => {
  it('are made once, however often and from however many processes the database is prepared', async () => {
    const stores = [createMongoStore({ uri: database.uri }), createMongoStore({ uri: database.uri })];
    await Promise.all(stores.map((store) => store.prepare(NOW)));
    await stores[0]?.prepare(NOW + 1);

    expect(await indexesOf('keys')).toEqual([
      { key: { _id: 1 } },
      { key: { clientSeat: 1 }, unique: true, sparse: true },
      { key: { expiresAt: 1 }, expireAfterSeconds: 120 },
      {
        key: { 'lease.clientId': 1, 'lease.acquiredAt': 1, _id: 1 },
        partialFilterExpression: { 'lease.clientId': { $exists: true } },
      },
      { key: { 'notes.at': 1 }, sparse: true },
      {
        key: { pool: 1, 'paused.at': 1 },
        partialFilterExpression: { 'paused.at': { $exists: true } },
      },
      { key: { pool: 1, state: 1, freeAt: 1, 'lease.expiresAt': 1, expiresAt: 1 } },
      { key: { pool: 1, state: 1, slot: 1, freeAt: 1, expiresAt: 1 } },
      { key: { pool: 1, state: 1, valueHash: 1, expiresAt: 1, freeAt: 1 } },
      { key: { requestHash: 1 }, unique: true, sparse: true },
      { key: { seatId: 1 }, unique: true, sparse: true },
      { key: { valueHash: 1 }, unique: true, sparse: true },
    ]);
    expect(await indexesOf('creations')).toEqual([
      { key: { _id: 1 } },
      { key: { expiresAt: 1 }, expireAfterSeconds: 120 },
    ]);
    expect(await indexesOf('events')).toEqual([
      { key: { _id: 1 } },
      ...['clientId', 'eventId', 'expiresAt', 'holder', 'keyId', 'pool', 'type'].map((field) => {
        if (field === 'eventId') return { key: { eventId: 1 }, unique: true, sparse: true };
        if (field === 'expiresAt') return { key: { expiresAt: 1 }, expireAfterSeconds: 120 };
        return { key: { [field]: 1, _id: 1 }, partialFilterExpression: { [field]: { $exists: true } } };
      }),
    ]);
    expect(await indexesOf('tickets')).toEqual([
      { key: { _id: 1 } },
      { key: { expiresAt: 1 }, expireAfterSeconds: 120 },
      { key: { pool: 1, place: 1, number: 1, expiresAt: 1, count: 1 } },
    ]);
    expect(await indexesOf('pools')).toEqual([{ key: { _id: 1 } }, { key: { clearedAt: 1 }, sparse: true }]);
    expect(await stores[1]?.pools.list({ limit: 10 })).toMatchObject([{ name: 'default', createdAt: NOW }]);

    await Promise.all(stores.map((store) => store.close()));
  });

  it('are made in the database that is named apart from the connection string', async () => {
    const name = `${database.name}-2`;
    const store = createMongoStore({ uri: database.uri, database: name });
    await store.prepare(NOW);
    expect(await database.client.db(name).collection('pools').countDocuments()).toBe(1);
    await database.client.db(name).dropDatabase();
    await store.close();
  });

  async function indexesOf(collection: string): Promise<unknown[]> {
    const indexes = await database.db.collection(collection).indexes();
    return indexes
      .map(({ name, v, ...index }) => ({ name: name as string, index }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ index }) => index);
  }
});
