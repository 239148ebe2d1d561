import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Creation, Store } from '../../shared/domain/store.ts';
import { describeWithMongoDb } from '../support/mongodb.ts';
import { NOW, SECOND } from './contract/scene.ts';
import { useStore } from './contract/store-fixture.ts';
import { beforeFirst, makeMongoStore, openWiredStore, type WiredStore } from './mongo-fixture.ts';
import type { WireCommand } from './mongo-wire.ts';

const RESERVED = 2 ** 32;
const VALUES = [{ hashes: ['a', 'old-a'] }, { hashes: ['b'] }, { hashes: ['c'] }];

describeWithMongoDb('what MongoDB remembers of creations', (database) => {
  const test = useStore(makeMongoStore(database));
  let slow: WiredStore;
  let sent: { name: string; command: WireCommand }[];

  beforeEach(async () => {
    slow = await openWiredStore(database);
  });

  afterEach(() => slow.close());

  function makeCreation(keyId: string): Creation {
    const hashes = { requestHash: 'hash', requestBody: 'body' };
    return { ...hashes, keyIds: [keyId], expiresAt: NOW + SECOND, done: false };
  }

  it('is one note, however many carry out the same request at once', async () => {
    const stores = [test.store, await test.another(), await test.another()];
    const noted = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        (stores[index % 3] as Store).keys.beginCreation(makeCreation(`key_${index}`), NOW),
      ),
    );
    expect(new Set(noted.map(({ keyIds }) => keyIds[0]))).toHaveLength(1);
  });

  it('is returned by a write, so that a majority has it', async () => {
    const creation = await test.store.keys.beginCreation(makeCreation('key_1'), NOW);
    sent = [];
    slow.wire.intercept = async (name, command) => {
      if (command[name] === 'creations') sent.push({ name, command });
      return undefined;
    };
    expect(await slow.store.keys.beginCreation(makeCreation('key_2'), NOW)).toEqual(creation);
    expect(sent).toMatchObject([
      { name: 'delete' },
      { name: 'findAndModify', command: { writeConcern: { w: 'majority' } } },
    ]);
  });

  it('gives no token of a value twice when somebody imports it between the look and the write', async () => {
    slow.wire.intercept = beforeFirst('update', () =>
      test.store.keys.reserveTokens([{ hashes: ['b'] }], NOW),
    );
    expect(await slow.store.keys.reserveTokens(VALUES, NOW)).toEqual([NOW, NOW + RESERVED, NOW]);
    // Those that were not in the way have reserved one block, not two.
    expect(await test.store.keys.reserveTokens(VALUES, NOW)).toEqual([
      NOW + RESERVED,
      NOW + 2 * RESERVED,
      NOW + RESERVED,
    ]);
  });

  it('gives no token of a value twice to many who import it at once', async () => {
    const stores = [test.store, await test.another(), await test.another()];
    const firsts = await Promise.all(
      Array.from({ length: 20 }, (_, index) => (stores[index % 3] as Store).keys.reserveTokens(VALUES, NOW)),
    );
    for (const place of VALUES.keys()) {
      expect(new Set(firsts.map((each) => each[place]))).toHaveLength(20);
    }
  });

  it('is one look and one write for many values', async () => {
    sent = [];
    slow.wire.intercept = async (name, command) => {
      if (command[name] === 'valueTokens') sent.push({ name, command });
      return undefined;
    };
    const values = Array.from({ length: 250 }, (_, index) => ({ hashes: [`new-${index}`, `old-${index}`] }));
    expect(new Set(await slow.store.keys.reserveTokens(values, NOW))).toEqual(new Set([NOW]));
    expect(sent.map(({ name }) => name)).toEqual(['find', 'update']);
    expect(sent[1]?.command.updates).toHaveLength(500);
  });
});
