import { describe, expect, it } from 'vitest';
import type { Holder } from '../../shared/contract/leases.ts';
import type { Caller } from '../../shared/domain/client.ts';
import type { Context } from '../../shared/domain/context.ts';
import { listHolders } from '../../shared/domain/holders.ts';
import { unblockKey } from '../../shared/domain/keys.ts';
import { deletePool } from '../../shared/domain/pools.ts';
import type { KeyStore, LeasePage } from '../../shared/domain/store.ts';
import { describeOnEveryStore } from './support/every-store.ts';
import { FORBIDDEN, invalid } from './support/expected-errors.ts';
import { ADMIN, ALICE, acquire, addKeys, BOB, LEASE, setPolicy, toTime } from './support/world.ts';

describeOnEveryStore((world) => {
  const as = (clientId: string): Caller => ({ clientId, role: 'client' });
  const list = (query: Partial<Parameters<typeof listHolders>[2]> = {}, caller = ADMIN) =>
    listHolders(world.context, caller, { limit: 50, ...query });
  const keyIds = (holders: readonly { keyId: string }[]) => holders.map(({ keyId }) => keyId);
  const addPool = async (pool: string, count: number) => {
    await setPolicy(world.context, {}, pool);
    await addKeys(world.context, count, pool);
  };
  /** Each a millisecond after the one before. */
  const acquireAll = async (clientIds: readonly string[], pool?: string) => {
    const leases: { keyId: string }[] = [];
    for (const clientId of clientIds) {
      leases.push(
        await acquire(world.context, as(clientId), { ...(pool && { pool }), holder: `Host ${clientId}` }),
      );
      world.passTime(1);
    }
    return leases;
  };
  const readAll = async (
    query: Partial<Parameters<typeof listHolders>[2]>,
    between: () => Promise<unknown> = async () => undefined,
  ) => {
    const pages: Holder[][] = [];
    for (let after: string | undefined; ; ) {
      const { holders, next } = await list({ ...query, after });
      pages.push(holders);
      if (next === undefined) return pages;
      after = next;
      await between();
    }
  };

  describe('the list of holders', () => {
    it('has the leases of all clients and pools, the oldest first, without what would let one speak for the holder', async () => {
      await addKeys(world.context, 3);
      await addPool('seats', 1);
      const [oldest] = await acquireAll(['bob']);
      const seat = await acquire(world.context, ALICE, { pool: 'seats', holder: 'desk 7' });
      const acquiredAt = world.now;
      world.passTime(1000);
      const [third, fourth] = await acquireAll(['bob', 'alice']);
      const { holders, next } = await list();
      expect(next).toBeUndefined();
      expect(keyIds(holders)).toEqual(keyIds([oldest, seat, third, fourth] as Holder[]));
      expect(holders[1]).toEqual({
        keyId: seat.keyId,
        pool: 'seats',
        clientId: 'alice',
        holder: 'desk 7',
        fencingToken: seat.fencingToken,
        acquiredAt: toTime(acquiredAt),
        heldMs: 1002,
        expiresAt: toTime(acquiredAt + LEASE),
        expiresInMs: LEASE - 1002,
      });
    });

    it('has what is asked for: of a client, of a pool, of holders that contain a text in upper or lower case', async () => {
      await addKeys(world.context, 2);
      await addPool('seats', 2);
      const [a, b] = await acquireAll(['alice', 'bob']);
      const [c] = await acquireAll(['alice'], 'seats');
      const d = await acquire(world.context, BOB, { pool: 'seats' });
      const found = async (query: Parameters<typeof list>[0]) => keyIds((await list(query)).holders);
      expect(await found({ client: 'alice' })).toEqual(keyIds([a, c] as Holder[]));
      expect(await found({ pool: 'seats' })).toEqual(keyIds([c, d] as Holder[]));
      expect(await found({ holder: 'hOST B' })).toEqual(keyIds([b] as Holder[]));
      expect(await found({ client: 'alice', pool: 'default', holder: 'host' })).toEqual(
        keyIds([a] as Holder[]),
      );
      expect(await found({ client: 'nobody' })).toEqual([]);
    });

    it('leaves out what is over, and what is of pools that are gone, with no sweep', async () => {
      await addKeys(world.context, 3);
      await addPool('doomed', 1);
      await acquireAll(['alice']);
      world.passTime(LEASE - 2);
      const [, unblocked] = await acquireAll(['bob', 'bob']);
      await acquireAll(['bob'], 'doomed');
      await unblockKey(world.context, ADMIN, unblocked?.keyId as string, { force: false });
      await deletePool(world.context, ADMIN, 'doomed');
      expect((await list()).holders).toMatchObject([{ clientId: 'bob', heldMs: 3 }]);
    });

    it('shows a credential that is limited to some pools those alone', async () => {
      await addKeys(world.context, 1);
      await addPool('seats', 1);
      await acquireAll(['alice']);
      const [seat] = await acquireAll(['alice'], 'seats');
      const limited: Caller = { clientId: 'viewer', role: 'viewer', pools: ['seats'] };
      expect(keyIds((await list({}, limited)).holders)).toEqual([seat?.keyId]);
      expect(keyIds((await list({ client: 'alice', pool: 'seats' }, limited)).holders)).toEqual([
        seat?.keyId,
      ]);
      await expect(list({ pool: 'default' }, limited)).rejects.toMatchObject(FORBIDDEN);
    });

    it('goes on page by page without gap or repeat, whatever ends meanwhile', async () => {
      await addKeys(world.context, 12);
      const leases = await acquireAll(['a', 'b', 'a', 'c', 'a', 'b', 'a', 'c', 'c', 'a', 'b', 'a']);
      const ended = [leases[0], leases[5], leases[10]] as { keyId: string }[];
      const pages = await readAll({ limit: 2 }, async () => {
        const [next] = ended.splice(0, 1);
        if (next) await unblockKey(world.context, ADMIN, next.keyId, { force: false });
      });
      expect(pages.every((page) => page.length <= 2)).toBe(true);
      expect(keyIds(pages.flat())).toEqual(keyIds(leases.filter((_, index) => index !== 5 && index !== 10)));
    });

    it('has every lease of more than a hundred clients, the oldest first of each hundred', async () => {
      const clientIds = Array.from(
        { length: 230 },
        (_, number) => `client-${String(number % 115).padStart(3, '0')}`,
      );
      await addKeys(world.context, clientIds.length);
      const leases = await acquireAll(clientIds.toReversed());
      const whose = new Map(
        leases.map(({ keyId }, index) => [keyId, clientIds.toReversed()[index] as string]),
      );
      const groupOf = ({ keyId }: { keyId: string }) => ((whose.get(keyId) as string) > 'client-099' ? 1 : 0);
      const expected = leases.toSorted((one, other) => groupOf(one) - groupOf(other));
      expect(keyIds((await readAll({ limit: 30 })).flat())).toEqual(keyIds(expected));
      expect(keyIds((await readAll({ limit: 30, holder: 'HOST CLIENT-11' })).flat())).toEqual(
        keyIds(expected.filter(({ keyId }) => whose.get(keyId)?.startsWith('client-11'))),
      );
    });

    it('misses no lease of the clients that were there, though others come in between', async () => {
      const clientIds = Array.from({ length: 120 }, (_, number) => `client-${100 + number}`);
      await addKeys(world.context, 160);
      const leases = await acquireAll(clientIds);
      let come = 0;
      const pages = await readAll({ limit: 40 }, async () => {
        if (come < 40) await acquireAll(Array.from({ length: 20 }, () => `client-150-${come++}`));
      });
      const seen = new Set(keyIds(pages.flat()));
      expect(leases.filter(({ keyId }) => !seen.has(keyId))).toEqual([]);
    });

    it('misses no lease of the clients that stay, though others go', async () => {
      const clientIds = Array.from({ length: 120 }, (_, number) => `client-${219 - number}`);
      await addKeys(world.context, clientIds.length);
      const leases = await acquireAll(clientIds);
      const going = leases.slice(-30);
      const pages = await readAll({ limit: 10 }, async () => {
        for (const { keyId } of going.splice(0))
          await unblockKey(world.context, ADMIN, keyId, { force: true });
      });
      const [late, early] = [leases.slice(0, 20), leases.slice(20, -30)];
      expect(keyIds(pages.flat())).toEqual(keyIds([...early, ...late]));
    });

    it('looks at no more than 2,000 keys for a page, and goes on where it stopped', async () => {
      const clientIds = Array.from({ length: 99 }, (_, number) => `client-${number}`);
      const many = Array.from({ length: 25 }, () => 'a-many');
      await addKeys(world.context, clientIds.length + many.length);
      const leases = await acquireAll([...many, ...clientIds]);
      const asked: number[] = [];
      const watched: Context = { ...world.context, store: { ...world.store, keys: countAsked(asked) } };
      const query = { limit: 200, holder: 'host' };
      const first = await listHolders(watched, ADMIN, query);
      expect(asked).toHaveLength(100);
      expect(asked.reduce((sum, limit) => sum + limit)).toBe(2000);
      expect(keyIds(first.holders)).toEqual(keyIds(leases.slice(0, 20)));
      const second = await listHolders(watched, ADMIN, { ...query, after: first.next });
      expect(keyIds(second.holders)).toEqual(keyIds(leases.slice(20)));
    });

    it('says of the last page that it is, however many leases behind it have lapsed', async () => {
      const [live, lapsed] = [3, 40];
      await addKeys(world.context, live + lapsed);
      const leases = await acquireAll(Array.from({ length: live }, () => 'alice'));
      for (let number = 0; number < lapsed; number += 1) {
        await acquire(world.context, ALICE, { leaseSeconds: 1 });
      }
      world.passTime(1000);
      for (const query of [{}, { client: 'alice' }]) {
        const pages = await readAll({ ...query, limit: 2 });
        expect(pages.map(keyIds)).toEqual([keyIds(leases.slice(0, 2)), keyIds(leases.slice(2))]);
        expect(await readAll({ ...query, limit: live })).toHaveLength(1);
      }
    });

    it.each(['a/b', 'a/b/x/key', '/a/1', 'no id/b/1/key'])('refuses to start at %j', async (after) => {
      await expect(list({ after })).rejects.toMatchObject(invalid('cursor'));
    });
  });

  /** The keys of the world, which note how many each look for leases asks for. */
  function countAsked(asked: number[]): KeyStore {
    return new Proxy(world.store.keys, {
      get(keys, name: keyof KeyStore) {
        if (name !== 'listLeased') return keys[name];
        return (page: LeasePage) => {
          asked.push(page.limit);
          return keys.listLeased(page);
        };
      },
    });
  }
});
