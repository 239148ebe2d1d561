import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Store } from '../../shared/domain/store.ts';
import type { KeyDocument } from '../../shared/store/mongo/key-document.ts';
import { describeWithMongoDb } from '../support/mongodb.ts';
import { addKey, makeClaim, makeKey, NAME, NOW, POOL, stored } from './contract/scene.ts';
import { useStore } from './contract/store-fixture.ts';
import { beforeFirst, makeMongoStore, openWiredStore, type WiredStore } from './mongo-fixture.ts';

describeWithMongoDb('the seats of a pool in MongoDB', (database) => {
  const test = useStore(makeMongoStore(database));
  const documents = database.db.collection<KeyDocument>('keys');
  let slow: WiredStore;

  beforeEach(async () => {
    slow = await openWiredStore(database);
  });

  afterEach(() => slow.close());

  it('are never more than the target, whatever mints at once', async () => {
    const stores = [test.store, await test.another(), await test.another()];
    const minted = await Promise.all(
      Array.from({ length: 64 }, async (_, index) => {
        const { keys } = stores[index % 3] as Store;
        const seat = index % 10;
        if (index % 2 === 0) return (await keys.mint(makeKey({ seat }))) === 'seat_taken' ? 0 : 1;
        return keys.mintMissing([makeKey({ seat }), makeKey({ seat: (seat + 1) % 10 })]);
      }),
    );
    expect(minted.reduce((sum, count) => sum + count, 0)).toBe(10);
    const seated = await test.store.keys.listSeated({ name: NAME, below: 10 });
    expect(seated.map(({ seat }) => seat).toSorted((one, other) => one - other)).toEqual([
      ...Array(10).keys(),
    ]);
  });

  it('are a range of their index, of a width that every target fits in', async () => {
    await test.store.keys.mintMissing([0, 9, 10, 9_999].map((seat) => makeKey({ seat })));
    await test.store.keys.mint(makeKey({ seat: 3, pool: 'default-2/000000000000007' }));
    const seatsBelow = async (below: number) =>
      (await test.store.keys.listSeated({ name: NAME, below })).map(({ seat }) => seat);
    expect(await seatsBelow(10)).toEqual([0, 9]);
    expect(await seatsBelow(10_000)).toEqual([0, 9, 10, 9_999]);
    expect(await documents.distinct('seatId')).toContain('default#000010');
  });

  it('all come in the first batch, which has a time limit', async () => {
    const keys = Array.from({ length: 1500 }, (_, seat) => makeKey({ seat }));
    expect(await test.store.keys.mintMissing(keys)).toBe(1500);
    const sent: string[] = [];
    slow.wire.intercept = async (name) => {
      sent.push(name);
      return undefined;
    };
    expect(await slow.store.keys.listSeated({ name: NAME, below: 2000 })).toHaveLength(1500);
    expect(sent).toContain('find');
    expect(sent).not.toContain('getMore');
  });

  it('keep a key beyond them that is claimed between the look for free ones and their removal', async () => {
    const claimed = await addKey(test.store);
    await addKey(test.store);
    slow.wire.intercept = beforeFirst('delete', () => test.store.keys.reclaim(claimed, makeClaim(NOW)));
    const query = { pool: POOL, below: 2, now: NOW, limit: 10 };
    expect(await slow.store.keys.removeBeyond(query)).toBe(1);
    expect(await stored(test.store, claimed)).toMatchObject({ state: 'leased' });
  });
});
