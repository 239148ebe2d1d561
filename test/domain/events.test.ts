import { beforeEach, describe, expect, it } from 'vitest';
import type { Event } from '../../shared/contract/events.ts';
import type { Context } from '../../shared/domain/context.ts';
import { lapseOf, listEvents, oldestUnsentAt } from '../../shared/domain/events.ts';
import { deleteKey, unblockKey } from '../../shared/domain/keys.ts';
import { keepAliveLease, releaseLease } from '../../shared/domain/leases.ts';
import { sweep } from '../../shared/domain/sweep.ts';
import { watchStore } from '../support/watch-store.ts';
import { describeOnEveryStore } from './support/every-store.ts';
import { persistently } from './support/persistently.ts';
import {
  ADMIN,
  ALICE,
  acquire,
  addKey,
  BOB,
  KEY_LIFE,
  LEASE,
  startProcess,
  TOLERANCE,
  toTime,
} from './support/world.ts';

const AT_ONCE = 64;

it('a lapse has one id, whoever finds it, which does not tell the id of the lease', () => {
  const key = { keyId: 'key_1', pool: 'default/1', fencingToken: 7 };
  const lease = { id: 'proof-of-the-lease', clientId: 'alice', acquiredAt: 1, expiresAt: 2 };
  const { eventId } = lapseOf(key, lease);
  expect(lapseOf({ ...key, fencingToken: 8 }, { ...lease, expiresAt: 3 }).eventId).toBe(eventId);
  expect(lapseOf(key, { ...lease, id: 'another' }).eventId).not.toBe(eventId);
  expect(JSON.stringify(lapseOf(key, lease))).not.toContain(lease.id);
});

describeOnEveryStore((world) => {
  describe('an ending', () => {
    beforeEach(async () => {
      await addKey(world.context);
    });

    const sweepNow = (context = world.context) => sweep(context, () => true);
    const eventsOf = async (type: Event['type']): Promise<Event[]> => {
      // Later: what a dead host left behind is passed.
      const context = { ...world.context, clock: () => world.now + 60_000 };
      return (await listEvents(context, ADMIN, { type, limit: 100 })).events;
    };

    it('by a lapse is one event, though two sweeps, acquires and keep-alives find it at once', async () => {
      const lease = await acquire(world.context, ALICE, { holder: 'host' });
      world.passTime(LEASE + TOLERANCE);
      const processes = [world.context, await world.startProcess(), await world.startProcess()] as const;
      const finders = [
        (context: Context) => persistently(() => sweepNow(context)),
        (context: Context) => acquire(context, BOB).catch(() => undefined),
        (context: Context) => keepAliveLease(context, ALICE, lease.leaseId).catch(() => undefined),
      ] as const;
      await Promise.all(
        Array.from({ length: AT_ONCE }, (_, i) => finders[i % 3]?.(processes[(i >> 2) % 3] as Context)),
      );
      await persistently(sweepNow);
      await persistently(sweepNow);
      expect(await eventsOf('lease.lapsed')).toEqual([
        {
          eventId: expect.any(String),
          type: 'lease.lapsed',
          at: toTime(world.now - TOLERANCE),
          pool: 'default',
          keyId: lease.keyId,
          clientId: ALICE.clientId,
          holder: 'host',
          fencingToken: lease.fencingToken,
        },
      ]);
    });

    const endings: Record<string, [Event['type'], (context: Context) => Promise<unknown>]> = {
      'found by a sweep': ['lease.lapsed', sweepNow],
      'found by an acquire': ['lease.lapsed', (context) => acquire(context, BOB)],
      'found by a deletion': ['lease.lapsed', (context) => deleteOnly(context)],
    };
    const deleteOnly = async (context: Context) => {
      const [key] = (await context.store.keys.listLeased({ clientId: ALICE.clientId, limit: 1 })) ?? [];
      await deleteKey(context, ADMIN, key?.keyId as string, { force: false });
    };

    it.each(Object.entries(endings))('%s is one event, wherever its finder dies', async (_, [type, find]) => {
      await acquire(world.context, ALICE);
      world.passTime(LEASE + TOLERANCE);
      // It dies right before, and right after, its first verb, its second one, and so on, and the next one goes on.
      for (let step = 1, isDone = false; !isDone; step++) {
        for (const moment of ['before', 'after'] as const) {
          let left = step;
          const die = (): void => {
            left -= 1;
            if (left === 0) throw new Error('Died');
          };
          const watched = watchStore(world.store, () => ({ [moment]: die }));
          const dying = startProcess(watched, () => world.now);
          await find(dying).catch(() => undefined);
          isDone = left > 0;
        }
      }
      await sweepNow();
      expect(await eventsOf(type)).toHaveLength(1);
      expect(await world.store.keys.listNoted({ limit: 9 })).toEqual([]);
    });

    it('by an admin or a discard shows at once, and where recording fails, after the next sweep', async () => {
      const shown = async () =>
        [...(await eventsOf('lease.unblocked')), ...(await eventsOf('key.discarded'))].map(
          ({ type }) => type,
        );
      const failing = startProcess(
        watchStore(world.store, () => ({
          before: (verb) => {
            if (verb === 'events.add') throw new Error('Not recorded');
          },
        })),
        () => world.now,
      );
      const first = await acquire(world.context, ALICE);
      await unblockKey(world.context, ADMIN, first.keyId, { force: true });
      expect(await shown()).toEqual(['lease.unblocked']);
      const second = await acquire(world.context, ALICE);
      await unblockKey(failing, ADMIN, second.keyId, { force: true });
      const third = await acquire(world.context, ALICE);
      await releaseLease(failing, ALICE, third.leaseId, { outcome: 'discard' });
      expect(await shown()).toEqual(['lease.unblocked']);
      await sweepNow();
      expect(await shown()).toEqual(['lease.unblocked', 'lease.unblocked', 'key.discarded']);
    });

    it('that is not recorded keeps its key from removal, also past its hard expiration', async () => {
      const { keyId } = await acquire(world.context, ALICE);
      world.passTime(KEY_LIFE);
      const dying = startProcess(
        watchStore(world.store, () => ({
          before: (verb) => {
            if (verb === 'events.add') throw new Error('Died');
          },
        })),
        () => world.now,
      );
      await expect(sweepNow(dying)).rejects.toThrow('Died');
      expect(await world.store.keys.removeExpired({ now: world.now, limit: 9 })).toBe(0);
      await sweepNow();
      expect(await eventsOf('lease.lapsed')).toMatchObject([{ keyId }]);
      expect(await world.store.keys.getStored(keyId)).toBeNull();
    });

    it('is not recorded of a release, a keep-alive, or an acquire of a free key', async () => {
      const { leaseId } = await acquire(world.context, ALICE);
      await keepAliveLease(world.context, ALICE, leaseId);
      await releaseLease(world.context, ALICE, leaseId);
      await sweepNow();
      const { events } = await listEvents(world.context, ADMIN, { limit: 9 });
      expect(events.map(({ type }) => type)).toEqual(['key.created']);
    });

    it('of a pool without free keys is one event a minute, whichever processes refuse', async () => {
      await acquire(world.context, ALICE);
      const other = await world.startProcess();
      const refuse = (context: Context) => expect(acquire(context, BOB)).rejects.toThrow();
      for (const context of [world.context, other, world.context]) await refuse(context);
      expect(await eventsOf('pool.exhausted')).toMatchObject([{ pool: 'default' }]);
      world.passTime(60_000);
      for (const context of [world.context, other]) {
        await acquire(context, ALICE).catch(() => undefined);
        await refuse(context);
      }
      expect(await eventsOf('pool.exhausted')).toHaveLength(2);
    });

    it('that was not sent yet tells since when', async () => {
      const { events } = await listEvents(world.context, ADMIN, { limit: 1 });
      expect(await oldestUnsentAt(world.context, 'webhook')).toBe(Date.parse(events[0]?.at as string));
      const { next } = await listEvents(world.context, ADMIN, { limit: 9 });
      const delivery = { receiver: 'webhook', owner: 'host' };
      await world.store.events.claimDelivery({ ...delivery, now: world.now, until: world.now + 1 });
      await world.store.events.finishDelivery({ ...delivery, sentTo: next });
      expect(await oldestUnsentAt(world.context, 'webhook')).toBeUndefined();
    });
  });
});
