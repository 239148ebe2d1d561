import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Key } from '../../shared/domain/key.ts';
import { createMongoStore } from '../../shared/store/mongo/mongo-store.ts';
import { INDEXES, SCHEMA_VERSION } from '../../shared/store/mongo/schema.ts';
import { describeWithMongoDb } from '../support/mongodb.ts';
import { addKey, makeClaim, makeExtension, NOW, POOL } from './contract/scene.ts';

interface Document {
  _id: string;
  [field: string]: unknown;
}

it('the indexes of a MongoDB database have a version: where their hash changes, it grows', () => {
  const hash = createHash('sha256').update(JSON.stringify(INDEXES)).digest('hex').slice(0, 16);
  expect({ version: SCHEMA_VERSION, hash }).toEqual({ version: 3, hash: '35a37912efee2a8f' });
});

describeWithMongoDb('the schema of a MongoDB database', (database) => {
  const store = createMongoStore({ uri: database.uri });
  const collection = (name: string) => database.db.collection<Document>(name);
  const setVersion = (version: number) =>
    collection('schema').updateOne({ _id: 'prepared' }, { $set: { version } });

  beforeAll(() => store.prepare(NOW));
  afterAll(() => store.close());

  it('has a version, which an older release does not take back', async () => {
    expect(await store.schemaState()).toBe('ok');
    await setVersion(SCHEMA_VERSION + 1);
    expect(await store.schemaState()).toBe('newer');
    await store.prepare(NOW);
    expect(await store.schemaState()).toBe('newer');
    await setVersion(SCHEMA_VERSION - 1);
    expect(await store.schemaState()).toBe('older');
    await store.prepare(NOW);
    expect(await store.schemaState()).toBe('ok');
    await collection('schema').deleteMany({});
    expect(await store.schemaState()).toBe('older');
    await store.prepare(NOW);
  });

  it('names the indexes that only earlier releases needed, and removes those alone, when told to', async () => {
    const keys = collection('keys');
    await keys.createIndex({ 'lease.clientId': 1, _id: 1 });
    await keys.createIndex({ 'lease.clientId': 1, mine: 1 });
    const names = async () => (await keys.indexes()).map(({ name }) => name as string);
    const before = await names();
    const old = 'lease.clientId_1__id_1';
    for (const drop of [false, true]) {
      expect(await names()).toEqual(before);
      expect(await store.oldIndexes({ drop })).toEqual([`keys.${old}`]);
    }
    expect(await names()).toEqual(before.filter((name) => name !== old));
    expect(await store.oldIndexes({ drop: true })).toEqual([]);
    await store.prepare(NOW);
    expect(await store.oldIndexes({ drop: false })).toEqual([]);
    await keys.dropIndex('lease.clientId_1_mine_1');
  });

  it('may be a newer release’s when this one is rolled back to: what it wrote is used, and stays', async () => {
    const key = await addKey(store);
    await collection('keys').createIndex({ pool: 1, newField: 1 });
    const written = { newField: { nested: true } };
    await collection('keys').updateOne({ _id: key.keyId }, { $set: written });
    await setVersion(SCHEMA_VERSION + 1);

    const claimed = await store.keys.claim(makeClaim(NOW), { from: 0, to: 1 });
    expect(claimed).toMatchObject({ keyId: key.keyId, state: 'leased' });
    expect(await store.keys.extend(makeExtension(claimed as Key, NOW + 1))).toMatchObject({
      state: 'leased',
    });
    expect(await store.keys.count({ pool: POOL, now: NOW, limit: 10 })).toMatchObject({ leased: 1 });
    expect(await collection('keys').findOne({ _id: key.keyId })).toMatchObject(written);
    await collection('keys').dropIndex({ pool: 1, newField: 1 } as never);
  });
});
