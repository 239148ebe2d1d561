import { describe, expect, it } from 'vitest';
import type { Place, Store, Ticket } from '../../../shared/domain/store.ts';
import { persistently } from '../../domain/support/persistently.ts';
import { NOW, OTHER_POOL, POOL, SECOND } from './scene.ts';
import { type MakeStore, useStore } from './store-fixture.ts';

const LAPSE = NOW + 5 * SECOND;

interface Given {
  readonly now?: number;
  readonly advanceMs?: number;
  readonly pool?: string;
  readonly clientId?: string;
  readonly holder?: string;
  readonly priority?: number;
  readonly count?: number;
  readonly expiresAt?: number;
}

export function describeTickets(makeStore: MakeStore): void {
  describe('tickets', () => {
    const test = useStore(makeStore);
    const tickets = () => test.store.tickets;

    const give = (ticketId: string, given: Given = {}, store = test.store): Promise<Ticket> => {
      const { now = NOW, advanceMs = 0, ...ticket } = given;
      return store.tickets.create(
        { ticketId, pool: POOL, clientId: 'client', priority: 0, count: 1, expiresAt: LAPSE, ...ticket },
        { now, advanceMs },
      );
    };
    const listed = async (now = NOW) =>
      (await tickets().list({ pool: POOL, now, limit: 100 })).map(({ ticketId }) => ticketId);

    describe('a new ticket', () => {
      it('has the next number of its pool, and a place by its time less what its priority is worth', async () => {
        const first = await give('a', {
          holder: 'host',
          priority: 3,
          count: 2,
          advanceMs: 3 * SECOND,
        });
        expect(first).toEqual({
          ticketId: 'a',
          pool: POOL,
          clientId: 'client',
          holder: 'host',
          priority: 3,
          count: 2,
          createdAt: NOW,
          number: 1,
          order: NOW - 3 * SECOND,
          expiresAt: LAPSE,
        });
        expect(await tickets().get('a')).toEqual(first);
        const second = await give('b', { now: NOW + 1 });
        expect(second).toMatchObject({ number: 2, createdAt: NOW + 1, order: NOW + 1 });
        expect(second.holder).toBeUndefined();
        expect(await give('c', { pool: OTHER_POOL })).toMatchObject({ number: 1 });
      });

      it('is never given an earlier time than one before it, whatever the clock says', async () => {
        await give('a', { now: NOW + SECOND });
        expect(await give('b', { now: NOW - SECOND })).toMatchObject({ createdAt: NOW + SECOND, number: 2 });
        expect(await give('c', { now: NOW + 2 * SECOND })).toMatchObject({ createdAt: NOW + 2 * SECOND });
        expect(await listed()).toEqual(['a', 'b', 'c']);
      });

      it('replaces one with the same id, and goes to the end of the queue', async () => {
        await give('a', { expiresAt: NOW });
        await give('b');
        expect(await give('a', { now: NOW + 1, clientId: 'another client' })).toMatchObject({ number: 3 });
        expect(await listed()).toEqual(['b', 'a']);
        expect(await tickets().get('a')).toMatchObject({ clientId: 'another client', expiresAt: LAPSE });
      });

      it('has a place of its own among a hundred that come at once', async () => {
        const stores = [test.store, await test.another()];
        const given = await Promise.all(
          Array.from({ length: 100 }, (_, i) =>
            persistently(() => give(`ticket ${i}`, {}, stores[i % 2] as Store)),
          ),
        );
        expect(new Set(given.map(({ number }) => number)).size).toBe(100);
        const inOrder = given.toSorted((one, other) => one.number - other.number);
        expect(await listed()).toEqual(inOrder.map(({ ticketId }) => ticketId));
      });
    });

    describe('the queue', () => {
      const ahead = async (ticketId: string, now = NOW, limit = 100) => {
        const before = (await tickets().get(ticketId)) as Ticket;
        return tickets().countAhead({ pool: POOL, before, now, limit });
      };

      it('goes by place, and of equals by number', async () => {
        await give('late', { now: NOW + SECOND });
        await give('equal, later', { now: NOW + SECOND });
        await give('more urgent', { now: NOW + SECOND, priority: 1, advanceMs: SECOND });
        await give('much later, but urgent', { now: NOW + 60 * SECOND, priority: 9, advanceMs: 60 * SECOND });
        const order = ['more urgent', 'much later, but urgent', 'late', 'equal, later'];
        expect(await listed()).toEqual(order);
        for (const [index, ticketId] of order.entries()) expect(await ahead(ticketId)).toBe(index);
        expect(await tickets().countAhead({ pool: POOL, now: NOW, limit: 100 })).toBe(4);
      });

      it('counts no lapsed tickets, none of other pools, and none beyond the limit', async () => {
        for (const id of ['a', 'b', 'c']) await give(id);
        await give('lapsed', { expiresAt: NOW + SECOND });
        await give('elsewhere', { pool: OTHER_POOL });
        await give('last');
        expect(await ahead('last', NOW + SECOND - 1)).toBe(4);
        expect(await ahead('last', NOW + SECOND)).toBe(3);
        expect(await ahead('last', NOW + SECOND, 2)).toBe(2);
        expect(await ahead('a')).toBe(0);
        expect(await ahead('elsewhere')).toBe(0);
        expect(await listed(NOW + SECOND)).toEqual(['a', 'b', 'c', 'last']);
        expect(await listed(LAPSE)).toEqual([]);
      });

      it('counts the keys that its tickets wait for', async () => {
        await give('three', { count: 3 });
        await give('one');
        await give('last', { count: 16 });
        expect([await ahead('three'), await ahead('one'), await ahead('last')]).toEqual([0, 3, 4]);
        expect(await tickets().countAhead({ pool: POOL, now: NOW, limit: 100 })).toBe(20);
        expect(await ahead('last', NOW, 3)).toBe(3);
        expect(await ahead('one', NOW, 2)).toBe(2);
      });

      it('is listed page by page, without a gap or a repeat', async () => {
        const ids = Array.from({ length: 7 }, (_, i) => `ticket ${i}`);
        for (const [i, id] of ids.entries()) await give(id, { now: NOW + Math.floor(i / 3) });
        const pages: string[][] = [];
        for (let after: Place | undefined; ; ) {
          const page = await tickets().list({ pool: POOL, now: NOW, limit: 2, after });
          const last = page.at(-1);
          if (last === undefined) break;
          pages.push(page.map(({ ticketId }) => ticketId));
          after = [last.order, last.number];
        }
        expect(pages.map((page) => page.length)).toEqual([2, 2, 2, 1]);
        expect(pages.flat()).toEqual(ids);
      });
    });

    describe('use of a ticket', () => {
      const use = (differing: object = {}) =>
        tickets().use({
          ...{ ticketId: 'a', pool: POOL, clientId: 'client', now: NOW, expiresAt: LAPSE + SECOND },
          ...differing,
        });

      it('moves its lapse forward, never back, and leaves its place', async () => {
        const ticket = await give('a');
        expect(await use()).toEqual({ ...ticket, expiresAt: LAPSE + SECOND });
        expect(await use({ expiresAt: LAPSE })).toEqual({ ...ticket, expiresAt: LAPSE + SECOND });
        expect(await tickets().get('a')).toEqual({ ...ticket, expiresAt: LAPSE + SECOND });
      });

      it.each<[string, object]>([
        ['that has lapsed', { now: LAPSE }],
        ['of another client', { clientId: 'another client' }],
        ['of another pool', { pool: OTHER_POOL }],
        ['that was never given', { ticketId: 'b' }],
      ])('changes nothing of one %s', async (_, differing) => {
        const ticket = await give('a');
        expect(await use(differing)).toBeNull();
        expect(await tickets().get('a')).toEqual(ticket);
      });

      it('works until the last moment', async () => {
        await give('a');
        expect(await use({ now: LAPSE - 1 })).not.toBeNull();
      });
    });

    describe('removal of tickets', () => {
      it('takes one out of the queue, once', async () => {
        await give('a');
        await give('b');
        expect(await tickets().remove('a')).toBe(true);
        expect(await tickets().remove('a')).toBe(false);
        expect(await tickets().get('a')).toBeNull();
        expect(await listed()).toEqual(['b']);
      });

      it('by the sweep takes those that have lapsed, up to a limit', async () => {
        for (const id of ['a', 'b', 'c']) await give(id, { expiresAt: NOW });
        await give('elsewhere', { expiresAt: NOW, pool: OTHER_POOL });
        await give('live', { expiresAt: NOW + 1 });
        const remove = (limit: number) => tickets().removeLapsed({ now: NOW, limit });
        expect(await remove(3)).toBe(3);
        expect(await remove(3)).toBe(1);
        expect(await remove(3)).toBe(0);
        expect(await tickets().get('live')).not.toBeNull();
      });

      it('takes no number back', async () => {
        await give('a');
        await tickets().remove('a');
        expect(await give('b')).toMatchObject({ number: 2 });
      });
    });
  });
}
