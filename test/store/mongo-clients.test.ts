import { afterEach, beforeEach, expect, it } from 'vitest';
import { authenticate, generateClient } from '../../shared/domain/clients.ts';
import type { Store } from '../../shared/domain/store.ts';
import { describeWithMongoDb } from '../support/mongodb.ts';
import { NOW, SECOND } from './contract/scene.ts';
import { useStore } from './contract/store-fixture.ts';
import { beforeFirst, makeMongoStore, openWiredStore, type WiredStore } from './mongo-fixture.ts';

const MINUTE = 60 * SECOND;
/** The look for another admin is the second one. */
const LOOK = 2;

describeWithMongoDb('a client that two processes put into MongoDB at once', (database) => {
  const test = useStore(makeMongoStore(database));

  it('is replaced by the one that the primary key refused', async () => {
    const { store, wire, close } = await openWiredStore(database);
    let isFirst = true;
    wire.intercept = async (name) => {
      if (name !== 'update' || !isFirst) return undefined;
      isFirst = false;
      return { ok: 1, n: 0, writeErrors: [{ index: 0, code: 11000, errmsg: 'E11000 duplicate key error' }] };
    };
    const client = { clientId: 'ci', role: 'client', secretHash: 'hash', createdAt: NOW } as const;
    await store.clients.put(client);
    expect(await test.store.clients.get('ci')).toEqual(client);
    await close();
  });
});

describeWithMongoDb('removing an admin from MongoDB', (database) => {
  const test = useStore(makeMongoStore(database));
  const documents = database.db.collection<{ _id: string; removingAt?: Date }>('clients');
  let slow: WiredStore;

  beforeEach(async () => {
    slow = await openWiredStore(database);
  });

  afterEach(() => slow.close());

  async function addAdmins(...ids: string[]): Promise<void> {
    for (const clientId of ids) {
      await test.store.clients.put({ clientId, role: 'admin', secretHash: 'hash', createdAt: NOW });
    }
  }

  const remove = (clientId: string, now = NOW, store: Store = test.store) =>
    store.clients.remove(clientId, now);
  const expire = (clientId: string, store: Store = test.store) =>
    store.clients.rotate(
      { clientId, secretHash: 'hash' },
      { secretHash: 'newer', expiresAt: NOW + MINUTE },
      NOW,
    );
  const mark = (clientId: string, at: number) =>
    documents.updateOne({ _id: clientId }, { $set: { removingAt: new Date(at) } });
  const left = () => documents.distinct('_id');

  /** What `happen` does comes right before the look for another admin, after the mark. */
  function beforeLook(happen: () => Promise<unknown>): void {
    let count = 0;
    slow.wire.intercept = async (name) => {
      if (name !== 'findAndModify') return undefined;
      count += 1;
      if (count % LOOK === 0) await happen();
      return undefined;
    };
  }

  it('while that one removes this one, leaves one of them, or both', async () => {
    await addAdmins('a', 'b');
    beforeLook(async () => expect(await remove('b')).toBe('last_admin'));
    expect(await remove('a', NOW, slow.store)).toBe('removed');
    expect(await left()).toEqual(['b']);
  });

  it('while that one is made to expire, leaves one of them lasting, or both', async () => {
    await addAdmins('a', 'b');
    beforeLook(async () => expect(await expire('b')).toBe('last_admin'));
    expect(await remove('a', NOW, slow.store)).toBe('removed');
    await addAdmins('a');
    beforeLook(async () => expect(await remove('b')).toBe('last_admin'));
    expect(await expire('a', slow.store)).toBe('rotated');
    expect(await documents.findOne({ _id: 'a' })).not.toHaveProperty('removingAt');
  });

  it('which has just been made to expire, needs no other', async () => {
    await addAdmins('a', 'b');
    slow.wire.intercept = beforeFirst('findAndModify', async () => {
      expect(await expire('a')).toBe('rotated');
    });
    expect(await remove('a', NOW, slow.store)).toBe('removed');
    expect(await left()).toEqual(['b']);
  });

  it('is refused when the other one is about to be removed, and takes its own mark back', async () => {
    await addAdmins('a', 'b');
    await mark('b', NOW - MINUTE + 1);
    expect(await remove('a')).toBe('last_admin');
    expect(await documents.findOne({ _id: 'a' })).not.toHaveProperty('removingAt');
    expect(await documents.findOne({ _id: 'b' })).toHaveProperty('removingAt');
  });

  it('goes by no mark of a process that died a minute ago', async () => {
    await addAdmins('a', 'b');
    await mark('b', NOW - MINUTE);
    expect(await remove('a')).toBe('removed');
    expect(await left()).toEqual(['b']);
  });

  it('gives up its mark when another took it for void, and looks again', async () => {
    await addAdmins('a', 'b');
    slow.wire.intercept = beforeFirst('findAndModify', async () => {
      // What was in the way has been deleted before: the next deletion is the one after the look.
      slow.wire.intercept = beforeFirst('delete', async () => {
        expect(await remove('b', NOW + MINUTE)).toBe('removed');
      });
    });
    expect(await remove('a', NOW, slow.store)).toBe('last_admin');
    expect(await left()).toEqual(['a']);
  });

  it('which somebody else has just removed, finds it gone', async () => {
    await addAdmins('a', 'b', 'c');
    beforeLook(() => remove('a', NOW - 1));
    expect(await remove('a', NOW, slow.store)).toBe('not_found');
    expect(await left()).toEqual(['b', 'c']);
  });

  it('which somebody else with a slower clock is about to remove too, goes on without a further look', async () => {
    await addAdmins('a', 'b');
    const slower = await openWiredStore(database);
    const [marked, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let slowerRemoval: Promise<unknown> | undefined;
    slower.wire.intercept = beforeFirst('findAndModify', async () => {
      slower.wire.intercept = beforeFirst('findAndModify', async () => {
        marked.resolve();
        await go.promise;
      });
    });
    let looks = 0;
    beforeLook(async () => {
      looks += 1;
      slowerRemoval = remove('a', NOW - 1, slower.store);
      await marked.promise;
    });
    expect(await remove('a', NOW, slow.store)).toBe('removed');
    expect(looks).toBe(1);
    go.resolve();
    expect(await slowerRemoval).toBe('not_found');
    await slower.close();
  });

  it('does not keep it from calling as long as it is not removed', async () => {
    const { client, credential } = generateClient({ role: 'admin' }, NOW);
    await test.store.clients.put(client);
    await mark(client.clientId, NOW);
    expect(await test.store.clients.get(client.clientId)).toEqual(client);
    expect(await test.store.clients.list({ limit: 9 })).toEqual([client]);
    expect(await authenticate(test.store.clients, credential, NOW)).toMatchObject({ role: 'admin' });
  });

  it('takes no look where others are left anyway: of clients, viewers and limited admins', async () => {
    await test.store.clients.put({ clientId: 'ci', role: 'client', secretHash: 'hash', createdAt: NOW });
    slow.wire.intercept = async (name) => {
      if (name === 'findAndModify') throw new Error('Not needed');
      return undefined;
    };
    expect(await remove('ci', NOW, slow.store)).toBe('removed');
  });

  it('never removes both of two that remove each other at once', async () => {
    const other = await test.another();
    for (let round = 0; round < 100; round++) {
      await addAdmins('a', 'b');
      const results = await Promise.all([remove('a', NOW + round), remove('b', NOW + round, other)]);
      expect(results.filter((result) => result === 'removed').length).toBeLessThanOrEqual(1);
      expect((await left()).length).toBeGreaterThan(0);
      expect(await documents.countDocuments({ removingAt: { $exists: true } })).toBe(0);
    }
  });
});
