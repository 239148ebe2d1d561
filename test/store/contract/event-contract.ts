import { describe, expect, it } from 'vitest';
import { type Event, makeEvent } from '../../../shared/domain/events.ts';
import type { EventFilter, PlacedEvent, Store } from '../../../shared/domain/store.ts';
import { persistently } from '../../domain/support/persistently.ts';
import { NOW, SECOND } from './scene.ts';
import { type MakeStore, useStore } from './store-fixture.ts';

const DAY = 86_400 * SECOND;

export function anEvent(seed: string, differing: Partial<Event> = {}): Event {
  return makeEvent({ type: 'lease.lapsed', at: NOW, ...differing }, seed);
}

/** Reads on until there is nothing more; the ids of what it read, in its order. */
async function followed(
  store: Store,
  { now = NOW, limit = 3, after = 0 } = {},
): Promise<{ ids: string[]; next: number }> {
  const ids: string[] = [];
  for (let at = after; ; ) {
    const { events, next } = await persistently(() => store.events.list({ now, limit, after: at }));
    expect(next).toBeGreaterThanOrEqual(at);
    ids.push(...events.map(({ eventId }) => eventId));
    if (events.length < limit) return { ids, next };
    at = next;
  }
}

export function describeEvents(makeStore: MakeStore): void {
  describe('events', () => {
    const test = useStore(makeStore);
    const add = (events: readonly Event[], store = test.store, now = NOW) =>
      store.events.add(events, { now, expiresAt: now + DAY });
    const withoutPosition = (events: readonly PlacedEvent[]) =>
      events.map(({ position: _, ...event }) => event);

    it('are listed in the order in which they were recorded, with every field', async () => {
      const first = anEvent('first', {
        pool: 'a',
        keyId: 'key',
        clientId: 'client',
        holder: 'host',
        fencingToken: NOW,
        by: 'admin',
      });
      const second = anEvent('second', { type: 'pool.changed', change: 'updated', fields: ['maxKeys'] });
      await add([first]);
      await add([second, anEvent('third', { type: 'key.created', count: 3 })]);
      const { events, next } = await test.store.events.list({ now: NOW, limit: 10 });
      expect(withoutPosition(events)).toEqual([
        first,
        second,
        anEvent('third', { type: 'key.created', count: 3 }),
      ]);
      const positions = events.map(({ position }) => position);
      expect(positions).toEqual([...new Set(positions)].toSorted((one, other) => one - other));
      expect(next).toBe(positions.at(-1));
      expect(await test.store.events.list({ now: NOW, limit: 10, after: next })).toEqual({
        events: [],
        next,
      });
    });

    it('are none at first, and adding none is nothing', async () => {
      await add([]);
      expect(await test.store.events.list({ now: NOW, limit: 10 })).toEqual({ events: [], next: 0 });
    });

    it('are recorded once by their id, however often they are added', async () => {
      await add([anEvent('a'), anEvent('b')]);
      await add([anEvent('b'), anEvent('c'), anEvent('a'), anEvent('d')]);
      await add([anEvent('a')]);
      await add([anEvent('e')]);
      const { ids, next } = await followed(test.store);
      expect(ids).toEqual(['a', 'b', 'c', 'd', 'e'].map((seed) => anEvent(seed).eventId));
      expect(await test.store.events.list({ now: NOW, limit: 10, after: next })).toEqual({
        events: [],
        next,
      });
    });

    it.each<[keyof EventFilter, Partial<Event>]>([
      ['pool', { pool: 'wanted' }],
      ['keyId', { keyId: 'wanted' }],
      ['clientId', { clientId: 'wanted' }],
      ['holder', { holder: 'wanted, "it is" in $quotes' }],
      ['type', { type: 'pool.exhausted' }],
    ])('are found by their %s, page by page and from the end', async (field, wanted) => {
      const value = wanted[field] as string;
      const seeds = Array.from({ length: 9 }, (_, i) => `${i}`);
      await add(seeds.map((seed) => anEvent(seed, Number(seed) % 2 === 0 ? wanted : { [field]: 'other' })));
      const list = (query: { limit: number; after?: number; tail?: boolean }) =>
        test.store.events.list({ now: NOW, by: { field, value }, ...query });
      const page = await list({ limit: 2 });
      const ids = (events: readonly PlacedEvent[]) => events.map(({ eventId }) => eventId);
      const expected = (...wantedSeeds: string[]) =>
        wantedSeeds.map((seed) => makeEvent({ type: wanted.type ?? 'lease.lapsed', at: NOW }, seed).eventId);
      expect(ids(page.events)).toEqual(expected('0', '2'));
      const rest = await list({ limit: 9, after: page.next });
      expect(ids(rest.events)).toEqual(expected('4', '6', '8'));
      expect(await list({ limit: 9, after: rest.next })).toEqual({ events: [], next: rest.next });
      const tail = await list({ limit: 2, tail: true });
      expect(ids(tail.events)).toEqual(expected('6', '8'));
      expect(tail.next).toBe(rest.next);
    });

    it('from the end are the newest, and lead on to those that follow', async () => {
      await add(['a', 'b', 'c'].map((seed) => anEvent(seed)));
      const tail = await test.store.events.list({ now: NOW, limit: 2, tail: true });
      expect(withoutPosition(tail.events)).toEqual([anEvent('b'), anEvent('c')]);
      await add([anEvent('d')]);
      expect((await followed(test.store, { after: tail.next })).ids).toEqual([anEvent('d').eventId]);
    });

    // At once: no reader makes the place of a slow writer void. Later: every reader does, as soon as it sees one.
    it.each([0, 60 * SECOND])(
      'reach every reader once while many write and read at once, with readers %i ms ahead',
      async (aheadMs) => {
        const stores = [test.store, await test.another()];
        const storeOf = (i: number) => stores[i % 2] as Store;
        // Every event is added by two of the writers.
        const batches = Array.from({ length: 64 }, (_, i) =>
          Array.from({ length: 4 }, (_none, j) => anEvent(`${(i >> 1) * 4 + ((j + i) % 4)}`)),
        );
        let isWriting = true;
        const reading = Array.from({ length: 3 }, async (_, i) => {
          const ids: string[] = [];
          let next = 0;
          for (let isLast = false; !isLast; ) {
            isLast = !isWriting;
            const page = await followed(storeOf(i), { now: NOW + aheadMs, limit: 7, after: next });
            ids.push(...page.ids);
            next = page.next;
          }
          return ids;
        });
        await Promise.all(batches.map((batch, i) => persistently(() => add(batch, storeOf(i)))));
        isWriting = false;
        const expected = new Set(batches.flat().map(({ eventId }) => eventId));
        // Whatever writers of lost connections left behind is settled by now.
        const order = (await followed(test.store, { now: NOW + 60 * SECOND, limit: 50 })).ids;
        expect(order.toSorted()).toEqual([...expected].toSorted());
        for (const ids of await Promise.all(reading)) expect(ids).toEqual(order.slice(0, ids.length));
        if (aheadMs > 0) for (const ids of await Promise.all(reading)) expect(ids).toEqual(order);
      },
    );

    it('are removed once they are to be forgotten, and nobody who follows notices', async () => {
      await add([anEvent('a'), anEvent('b'), anEvent('c')]);
      await add([anEvent('d')], test.store, NOW + SECOND);
      const { next } = await followed(test.store);
      const remove = (now: number, limit: number) => test.store.events.removeExpired({ now, limit });
      expect(await remove(NOW + DAY - 1, 10)).toBe(0);
      expect(await remove(NOW + DAY, 2)).toBe(2);
      expect(await remove(NOW + DAY, 2)).toBe(1);
      expect(await remove(NOW + DAY, 2)).toBe(0);
      expect((await followed(test.store)).ids).toEqual([anEvent('d').eventId]);
      expect(await remove(NOW + DAY + SECOND, 2)).toBe(1);
      expect(await test.store.events.list({ now: NOW, limit: 9 })).toEqual({ events: [], next });
      await add([anEvent('e')]);
      expect((await followed(test.store, { after: next })).ids).toEqual([anEvent('e').eventId]);
    });
  });

  describe('delivery', () => {
    const test = useStore(makeStore);
    const UNTIL = NOW + 30 * SECOND;
    const claim = (owner: string, differing: object = {}, store = test.store) =>
      store.events.claimDelivery({ receiver: 'webhook', owner, now: NOW, until: UNTIL, ...differing });
    const finish = (owner: string, sentTo: number) =>
      test.store.events.finishDelivery({ receiver: 'webhook', owner, sentTo });

    it('is the work of one sender at a time, of many that come at once', async () => {
      const other = await test.another();
      const claims = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          persistently(() => claim(`host ${i}`, {}, i % 2 ? other : test.store)),
        ),
      );
      expect(claims.filter((claimed) => claimed !== null)).toEqual([{ sentTo: 0 }]);
      expect(await claim('another', { receiver: 'bus' })).toEqual({ sentTo: 0 });
    });

    it('goes on by the same sender, and by another one once it is done or its time is over', async () => {
      await claim('host 1');
      expect(await claim('host 1', { until: UNTIL + SECOND })).toEqual({ sentTo: 0 });
      expect(await claim('host 2', { now: UNTIL })).toBeNull();
      expect(await claim('host 2', { now: UNTIL + SECOND, until: UNTIL + 9 * SECOND })).toEqual({
        sentTo: 0,
      });
      expect(await finish('host 1', 5)).toBe(false);
      expect(await finish('host 2', 7)).toBe(true);
      expect(await claim('host 1')).toEqual({ sentTo: 7 });
    });

    it('keeps how far events were sent, and never goes back', async () => {
      expect(await test.store.events.getDelivery('webhook')).toBeNull();
      await claim('host');
      await finish('host', 7);
      await finish('host', 5);
      expect(await test.store.events.getDelivery('webhook')).toEqual({ sentTo: 7 });
      expect(await test.store.events.getDelivery('bus')).toBeNull();
    });
  });
}
