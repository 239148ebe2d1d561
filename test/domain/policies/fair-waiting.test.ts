import { describe, expect, it } from 'vitest';
import type { HeldLease } from '../../../shared/contract/leases.ts';
import type { Waiting } from '../../../shared/contract/tickets.ts';
import { type AcquireRequest, acquireLease, acquireLeases } from '../../../shared/domain/acquire-lease.ts';
import type { Caller } from '../../../shared/domain/client.ts';
import type { Context } from '../../../shared/domain/context.ts';
import { unblockKey } from '../../../shared/domain/keys.ts';
import { releaseLease } from '../../../shared/domain/leases.ts';
import { deletePool, patchPool } from '../../../shared/domain/pools.ts';
import { deleteTicket, listTickets } from '../../../shared/domain/queue.ts';
import { sweep } from '../../../shared/domain/sweep.ts';
import { watchStore } from '../../support/watch-store.ts';
import { describeOnEveryStore } from '../support/every-store.ts';
import {
  FORBIDDEN,
  IDEMPOTENCY_KEY_REUSED,
  LEASE_LIMIT_REACHED,
  leaseEnded,
  NO_KEY_AVAILABLE,
  POOL_PAUSED,
  TICKET_ENDED,
} from '../support/expected-errors.ts';
import { interruptAfter } from '../support/interrupt.ts';
import { persistently } from '../support/persistently.ts';
import {
  ADMIN,
  ALICE,
  acquire,
  addKey,
  addKeys,
  BOB,
  LEASE,
  SECOND,
  setPolicy,
  startProcess,
  TOLERANCE,
  toTime,
} from '../support/world.ts';

/** When the first in the queue asks again, and after how long a ticket lapses that is not used. */
const POLL = 250;
const LAPSE = 5 * SECOND;

/** A client that waits for a key of the default pool. */
class Waiter {
  readonly caller: Caller;
  readonly #context: () => Context;
  #ticket: string | undefined;

  constructor(name: string, context: () => Context) {
    this.caller = { clientId: name, role: 'client' };
    this.#context = context;
  }

  get ticket(): string {
    return this.#ticket as string;
  }

  /** Asks for a key, with its ticket once it has one. */
  async ask(request: Partial<AcquireRequest> = {}): Promise<HeldLease | Waiting> {
    const acquired = await acquireLease(this.#context(), this.caller, {
      pool: 'default',
      wait: true,
      ticket: this.#ticket,
      ...request,
    });
    if ('lease' in acquired) return acquired.lease;
    this.#ticket = acquired.waiting.ticket;
    return acquired.waiting;
  }

  /** Asks, and is not served yet; returns its position. */
  async waits(request: Partial<AcquireRequest> = {}): Promise<number> {
    const answer = await this.ask(request);
    if (!('ticket' in answer)) throw new Error(`${this.caller.clientId} was served`);
    return answer.position;
  }

  /** Asks, and is served. */
  async isServed(request: Partial<AcquireRequest> = {}): Promise<HeldLease> {
    const answer = await this.ask(request);
    if ('ticket' in answer) throw new Error(`${this.caller.clientId} is at place ${answer.position}`);
    return answer;
  }
}

describeOnEveryStore((world, share) => {
  const makeWaiter = (name: string, context?: Context) => new Waiter(name, () => context ?? world.context);
  const release = ({ leaseId, clientId }: HeldLease) =>
    releaseLease(world.context, { clientId, role: 'client' }, leaseId);
  /** A fair pool whose keys are all held by Bob. */
  const holdAll = async (count = 1, policy = {}) => {
    await setPolicy(world.context, { fair: true, keyTtlSeconds: null, ...policy });
    await addKeys(world.context, count);
    const held: HeldLease[] = [];
    for (let number = 0; number < count; number += 1) held.push(await acquire(world.context, BOB));
    return held;
  };
  const queue = async (...names: string[]) => {
    const waiters = names.map((name) => makeWaiter(name));
    for (const [place, waiter] of waiters.entries()) expect(await waiter.waits()).toBe(place);
    return waiters as [Waiter, Waiter, Waiter];
  };
  const listed = async (page: Parameters<typeof listTickets>[3] = { limit: 100 }) =>
    listTickets(world.context, ADMIN, 'default', page);
  const names = async () => (await listed()).tickets.map(({ clientId }) => clientId);

  describe('a caller of a fair pool that asks to wait', () => {
    it('is served at once where a key is free', async () => {
      await setPolicy(world.context, { fair: true });
      await addKey(world.context);
      await makeWaiter('one').isServed();
      expect(await names()).toEqual([]);
    });

    it('gets a ticket with its place and when to ask again, later the further behind', async () => {
      await holdAll();
      const first = await makeWaiter('one').ask();
      expect(first).toEqual({
        ticket: expect.stringMatching(/^[\w-]{43}$/),
        pool: 'default',
        position: 0,
        retryAfterMs: POLL,
      });
      expect(await makeWaiter('two').ask()).toMatchObject({ position: 1 });
      const third = makeWaiter('three');
      await third.ask();
      const { retryAfterMs } = (await third.ask()) as Waiting;
      expect(retryAfterMs).toBeGreaterThan(POLL);
    });

    it('keeps its place by asking with its ticket, and hears of each step', async () => {
      const [bobs] = await holdAll();
      const [one, two, three] = await queue('one', 'two', 'three');
      for (let round = 0; round < 10; round += 1) {
        world.passTime(SECOND);
        expect([await three.waits(), await one.waits(), await two.waits()]).toEqual([2, 0, 1]);
      }
      await release(bobs as HeldLease);
      const lease = await one.isServed();
      expect([await three.waits(), await two.waits()]).toEqual([1, 0]);
      await release(lease);
      await two.isServed();
      expect(await three.waits()).toBe(0);
    });

    it('without a ticket is refused, or queues up, where somebody waits, though a key is free', async () => {
      const [bobs] = await holdAll();
      const [one] = await queue('one');
      await release(bobs as HeldLease);

      await expect(acquire(world.context, ALICE)).rejects.toMatchObject(NO_KEY_AVAILABLE);
      const two = makeWaiter('two');
      expect(await two.waits()).toBe(1);
      expect(await two.waits()).toBe(1);
      await one.isServed();
    });

    it('has a holder that operators see beside it', async () => {
      await holdAll();
      await makeWaiter('one').ask({ holder: 'host-7', priority: 4 });
      world.passTime(1500);
      expect(await listed()).toEqual({
        tickets: [
          {
            position: 0,
            clientId: 'one',
            holder: 'host-7',
            priority: 4,
            count: 1,
            waitingSince: toTime(world.now - 1500),
            waitingMs: 1500,
          },
        ],
      });
    });

    it('is refused in a pool that is not fair', async () => {
      await expect(makeWaiter('one').ask()).rejects.toMatchObject(NO_KEY_AVAILABLE);
    });

    it('is refused while the pool is paused, and goes on where it was if that ends in time', async () => {
      await holdAll();
      const [one, two] = await queue('one', 'two');
      await patchPool(world.context, ADMIN, 'default', { policy: { paused: true } });
      await expect(one.ask()).rejects.toMatchObject(POOL_PAUSED);
      await patchPool(world.context, ADMIN, 'default', { policy: { paused: false } });
      expect([await one.waits(), await two.waits()]).toEqual([0, 1]);
    });
  });

  describe('keys that are free while callers wait', () => {
    it('serve as many of the first as there are of them, in whatever order they ask', async () => {
      const held = await holdAll(3);
      const waiters = await queue('one', 'two', 'three', 'four', 'five');
      for (const lease of held.slice(0, 2)) await release(lease);

      for (const waiter of waiters.slice(2).toReversed()) await waiter.waits();
      await waiters[1].isServed();
      for (const waiter of waiters.slice(2)) await waiter.waits();
      await waiters[0].isServed();
      expect(await names()).toEqual(['three', 'four', 'five']);
    });

    it.each<[string, (held: HeldLease) => Promise<unknown>]>([
      ['after a lapse, with no sweep', async () => world.passTime(LEASE + TOLERANCE)],
      ['after an unblock by force', ({ keyId }) => unblockKey(world.context, ADMIN, keyId, { force: true })],
      [
        'after an unblock, when the old holder has surely stopped',
        async ({ keyId }) => {
          await unblockKey(world.context, ADMIN, keyId, { force: false });
          world.passTime(LEASE + TOLERANCE);
        },
      ],
      ['because the pool grows', () => addKey(world.context)],
      [
        'because it makes keys itself from now on',
        () => patchPool(world.context, ADMIN, 'default', { policy: { targetSize: 2 } }),
      ],
    ])('%s go to the first', async (_, free) => {
      const [bobs] = await holdAll();
      const [one, two] = await queue('one', 'two');
      const tick = async () => {
        await two.waits();
        await one.ask();
      };
      // They go on asking meanwhile.
      const { passTime } = world;
      const before = world.now;
      await free(bobs as HeldLease);
      const passedMs = world.now - before;
      if (passedMs > 0) {
        passTime(-passedMs);
        for (let passed = 0; passed < passedMs; passed += SECOND) {
          passTime(SECOND);
          if (passed + SECOND < passedMs) await tick();
        }
      }

      await two.waits();
      await one.isServed();
      expect(await two.waits()).toBe(0);
    });

    it('are made for the first where the pool lacks some of its target size', async () => {
      await setPolicy(world.context, { fair: true, targetSize: 1, keyTtlSeconds: null });
      const held = await acquire(world.context, BOB);
      const [one, two] = await queue('one', 'two');
      await releaseLease(world.context, BOB, held.leaseId, { outcome: 'discard' });

      await two.waits();
      const { keyId } = await one.isServed();
      expect(keyId).not.toBe(held.keyId);
      await two.waits();
    });
  });

  describe('a ticket', () => {
    it('lapses when it is not used for two polls, and blocks nobody then', async () => {
      const [bobs] = await holdAll();
      const [gone, next] = await queue('gone', 'next');
      await release(bobs as HeldLease);
      for (let passed = 0; passed < LAPSE; passed += POLL) {
        expect(await next.waits()).toBe(1);
        world.passTime(POLL);
      }

      await next.isServed();
      await expect(gone.ask()).rejects.toMatchObject(TICKET_ENDED);
      expect(await names()).toEqual([]);
    });

    it('that was told to ask later lapses later', async () => {
      await holdAll();
      const waiters = await queue(...Array.from({ length: 100 }, (_, index) => `waiter-${index}`));
      const last = waiters.at(-1) as Waiter;
      const { retryAfterMs } = (await last.ask()) as Waiting;
      expect(2 * retryAfterMs).toBeGreaterThan(LAPSE);
      world.passTime(2 * retryAfterMs - 1);
      await last.waits();
      await expect(waiters[0].ask()).rejects.toMatchObject(TICKET_ENDED);
    });

    it('that was served is found again by a caller whose response was lost, until its lease is over', async () => {
      const [bobs] = await holdAll(2);
      const [one, two] = await queue('one', 'two');
      await release(bobs as HeldLease);
      const lease = await one.isServed();
      world.passTime(10 * SECOND);

      expect(await one.isServed()).toMatchObject({
        leaseId: lease.leaseId,
        expiresInMs: LEASE - 10 * SECOND,
      });
      await expect(two.ask()).rejects.toMatchObject(TICKET_ENDED);
      await release(lease);
      await expect(one.ask()).rejects.toMatchObject(leaseEnded('released'));
    });

    it('of another client is useless, before and after it was served, and cannot be taken out of the queue', async () => {
      const [bobs] = await holdAll();
      const [one] = await queue('one');
      const thief = makeWaiter('thief');
      await expect(thief.ask({ ticket: one.ticket })).rejects.toMatchObject(TICKET_ENDED);
      await expect(deleteTicket(world.context, thief.caller, one.ticket)).rejects.toMatchObject(TICKET_ENDED);
      await release(bobs as HeldLease);
      await expect(thief.ask({ ticket: one.ticket })).rejects.toMatchObject(TICKET_ENDED);
      const lease = await one.isServed();
      await expect(thief.ask({ ticket: one.ticket })).rejects.toMatchObject(IDEMPOTENCY_KEY_REUSED);
      expect(await one.isServed()).toMatchObject({ leaseId: lease.leaseId });
    });

    it('is for its own pool, and one that never was is none', async () => {
      await holdAll();
      await setPolicy(world.context, { fair: true }, 'licences');
      const [one] = await queue('one');
      await expect(one.ask({ pool: 'licences' })).rejects.toMatchObject(TICKET_ENDED);
      await expect(makeWaiter('two').ask({ ticket: 'made-up' })).rejects.toMatchObject(TICKET_ENDED);
      expect(await one.waits()).toBe(0);
    });

    it('is over with its pool', async () => {
      await holdAll();
      const [one] = await queue('one');
      await deletePool(world.context, ADMIN, 'default');
      await setPolicy(world.context, { fair: true });
      await expect(one.ask()).rejects.toMatchObject(TICKET_ENDED);
      expect(await names()).toEqual([]);
    });

    it('leaves the queue when its client says so, once', async () => {
      await holdAll();
      const [one, two, three] = await queue('one', 'two', 'three');
      await expect(
        deleteTicket(world.context, { ...two.caller, pools: ['licences'] }, two.ticket),
      ).rejects.toMatchObject(FORBIDDEN);
      await deleteTicket(world.context, two.caller, two.ticket);

      expect([await one.waits(), await three.waits()]).toEqual([0, 1]);
      await expect(two.ask()).rejects.toMatchObject(TICKET_ENDED);
      await expect(deleteTicket(world.context, two.caller, two.ticket)).rejects.toMatchObject(TICKET_ENDED);
    });

    it('is removed by the sweep when it has lapsed', async () => {
      await holdAll();
      const [one] = await queue('one');
      world.passTime(LAPSE);
      await sweep(world.context, () => true);
      expect(await world.store.tickets.get(one.ticket)).toBeNull();
    });
  });

  describe('an idempotency key', () => {
    it('keeps the place of a caller that did not hear of its ticket', async () => {
      const [bobs] = await holdAll();
      const one = makeWaiter('one');
      const again = () => one.ask({ ticket: undefined, idempotencyKey: 'once' });
      const first = await again();
      const [, two] = [await makeWaiter('zero').waits(), makeWaiter('two')];
      await two.waits();

      expect(await again()).toEqual(first);
      expect(await names()).toEqual(['one', 'zero', 'two']);
      await release(bobs as HeldLease);
      expect(await again()).toMatchObject({ clientId: 'one' });
    });

    it('of a request that was served gives its lease again, not a place in the queue', async () => {
      await setPolicy(world.context, { fair: true });
      await addKeys(world.context, 2);
      const one = makeWaiter('one');
      const again = () => one.ask({ ticket: undefined, idempotencyKey: 'once' });
      const lease = (await again()) as HeldLease;
      await acquire(world.context, BOB);
      await makeWaiter('two').waits();

      expect(await again()).toMatchObject({ leaseId: lease.leaseId });
      expect(await names()).toEqual(['two']);
      await release(lease);
      await expect(again()).rejects.toMatchObject(leaseEnded('released'));
    });
  });

  describe('the priority of a ticket', () => {
    const wait = async (name: string, priority: number) => {
      const waiter = makeWaiter(name);
      await waiter.waits({ priority });
      return waiter;
    };

    it('goes first, and within it first come', async () => {
      const [bobs] = await holdAll();
      for (const [name, priority] of [
        ['a', 0],
        ['b', 9],
        ['c', 5],
        ['d', 9],
        ['e', 5],
      ] as const) {
        await wait(name, priority);
        world.passTime(1);
      }
      expect(await names()).toEqual(['b', 'd', 'c', 'e', 'a']);
      await release(bobs as HeldLease);
      await expect(acquire(world.context, ALICE, { priority: 9 })).rejects.toMatchObject(NO_KEY_AVAILABLE);
    });

    it('grows by one with each step of waiting, so that nobody starves', async () => {
      await holdAll(1, { agingSeconds: 10 });
      const patient = await wait('patient', 0);
      for (let passed = 0; passed < 25; passed += 1) {
        world.passTime(SECOND);
        await patient.waits();
      }
      await wait('two', 2);
      await wait('three', 3);
      expect(await names()).toEqual(['three', 'patient', 'two']);
    });

    it('never keeps a ticket waiting behind more urgent ones for longer than it takes to grow above them', async () => {
      const [bobs] = await holdAll(1, { agingSeconds: 2 });
      const patient = await wait('patient', 0);
      let lease = bobs as HeldLease;
      let waited = 0;
      // Somebody urgent comes each second, and each lease takes a second.
      for (; waited < 60; waited += 1) {
        const urgent = await wait(`urgent-${waited}`, 9);
        world.passTime(SECOND);
        await release(lease);
        const answer = await patient.ask();
        if (!('ticket' in answer)) break;
        lease = await urgent.isServed();
      }
      expect(waited).toBeLessThanOrEqual(9 * 2 + 1);
    });
  });

  describe('the queue of several hosts', () => {
    it('is one, in the order in which they came, though their clocks differ and processes end', async () => {
      const [bobs] = await holdAll();
      const ahead = await world.startProcess({ clockAheadMs: TOLERANCE - 1 });
      const behind = await world.startProcess({ clockAheadMs: 1 - TOLERANCE });
      const waiters = [
        makeWaiter('a', ahead),
        makeWaiter('b', behind),
        makeWaiter('c'),
        makeWaiter('d', behind),
        makeWaiter('e', ahead),
      ] as const;
      for (const [place, waiter] of waiters.entries()) expect(await waiter.waits()).toBe(place);
      expect(await names()).toEqual(['a', 'b', 'c', 'd', 'e']);
      await release(bobs as HeldLease);
      for (const waiter of waiters.slice(1).toReversed()) await waiter.waits();
      // Another process than the one that gave the ticket.
      const other = await world.startProcess();
      expect(
        await acquireLease(other, waiters[0].caller, {
          pool: 'default',
          wait: true,
          ticket: waiters[0].ticket,
        }),
      ).toMatchObject({ lease: { clientId: 'a' } });
    });

    it('gives a hundred who come at once a place each, and serves them in that order', {
      timeout: 120_000,
    }, async () => {
      const count = Math.ceil(100 * Math.max(share, 0.3));
      const held = await holdAll(3);
      const processes = [world.context, await world.startProcess(), await world.startProcess()];
      const waiters = Array.from({ length: count }, (_, index) =>
        makeWaiter(`waiter-${String(index).padStart(3, '0')}`, processes[index % 3]),
      );
      await Promise.all(
        waiters.map((waiter, index) =>
          persistently(() => waiter.waits({ idempotencyKey: `request-${index}` })),
        ),
      );

      const order = await names();
      expect(order.toSorted()).toEqual(waiters.map(({ caller }) => caller.clientId));
      const byName = new Map(waiters.map((waiter) => [waiter.caller.clientId, waiter]));
      let free = 0;
      for (const [served, name] of order.entries()) {
        if (free === 0) {
          for (const lease of held.splice(0)) await release(lease);
          free = 3;
        }
        // Those behind ask too, and all at once; only the next ones are served.
        const behind = order
          .slice(served + free, served + free + 4)
          .map((other) => byName.get(other) as Waiter);
        await Promise.all(behind.map((waiter) => persistently(() => waiter.waits())));
        held.push(await persistently(() => (byName.get(name) as Waiter).isServed()));
        free -= 1;
      }
      expect(await names()).toEqual([]);
    });

    it('shows who waits page by page, and how many', async () => {
      await holdAll();
      await queue(...Array.from({ length: 7 }, (_, index) => `waiter-${index}`));
      const pages: string[][] = [];
      const positions: number[] = [];
      for (let after: Awaited<ReturnType<typeof listed>>['next']; ; ) {
        const { tickets, next } = await listed({ limit: 3, after });
        pages.push(tickets.map(({ clientId }) => clientId));
        positions.push(...tickets.map(({ position }) => position));
        if (next === undefined) break;
        after = next;
      }
      expect(pages.map((page) => page.length)).toEqual([3, 3, 1]);
      expect(pages.flat()).toEqual(Array.from({ length: 7 }, (_, index) => `waiter-${index}`));
      expect(positions).toEqual([0, 1, 2, 3, 4, 5, 6]);
      const { policy: _, ...figures } = { policy: 0, ...(await describePool()) };
      expect(figures.waiting).toEqual({ count: 7, relation: 'exact' });
      await expect(
        listTickets(world.context, { ...ADMIN, pools: ['licences'] }, 'default', { limit: 1 }),
      ).rejects.toMatchObject(FORBIDDEN);
    });

    async function describePool() {
      return patchPool(world.context, ADMIN, 'default', { policy: {} });
    }
  });

  /** So many leases for the caller, or its ticket. */
  const askSeveral = async (caller: Caller, count: number, request: Partial<AcquireRequest> = {}) => {
    const acquired = await acquireLeases(world.context, caller, { pool: 'default', ...request, count });
    return 'waiting' in acquired ? acquired.waiting : acquired.leases;
  };
  const several = async (caller: Caller, count: number, request: Partial<AcquireRequest> = {}) => {
    const answer = await askSeveral(caller, count, request);
    if (!Array.isArray(answer)) throw new Error(`It is at place ${answer.position}`);
    return answer;
  };
  const placeOfSeveral = async (caller: Caller, count: number, request: Partial<AcquireRequest> = {}) => {
    const answer = await askSeveral(caller, count, { wait: true, ...request });
    if (Array.isArray(answer)) throw new Error('It was served');
    return answer;
  };

  describe('a caller that waits for several keys', () => {
    it('has one ticket, and its keys gather while those behind it wait, so that it does not starve', async () => {
      const held = await holdAll(4);
      const { ticket, position } = await placeOfSeveral(ALICE, 3);
      expect(position).toBe(0);
      const next = makeWaiter('next');
      expect(await next.waits()).toBe(3);
      expect((await listed()).tickets).toMatchObject([
        { clientId: ALICE.clientId, count: 3, position: 0 },
        { clientId: 'next', count: 1, position: 3 },
      ]);

      for (const lease of held.slice(0, 2)) {
        await release(lease);
        expect(await next.waits()).toBe(3);
        expect(await placeOfSeveral(ALICE, 3, { ticket })).toMatchObject({ ticket, position: 0 });
      }
      await release(held[2] as HeldLease);
      await next.waits();
      const leases = await several(ALICE, 3, { ticket });
      expect(new Set(leases.map(({ keyId }) => keyId)).size).toBe(3);
      expect(await next.waits()).toBe(0);
      await release(held[3] as HeldLease);
      await next.isServed();
    });

    it('passes nobody, and goes beside those before it where there are enough for all', async () => {
      const held = await holdAll(3);
      const [one] = await queue('one');
      const { ticket, position } = await placeOfSeveral(ALICE, 2);
      expect(position).toBe(1);
      for (const lease of held.slice(0, 2)) await release(lease);
      await placeOfSeveral(ALICE, 2, { ticket });
      await release(held[2] as HeldLease);
      expect(await several(ALICE, 2, { ticket })).toHaveLength(2);
      await one.isServed();
    });

    it('gets the same leases by its ticket again, and by its idempotency key', async () => {
      const held = await holdAll(2);
      const once = { idempotencyKey: 'once' };
      const { ticket } = await placeOfSeveral(ALICE, 2, once);
      expect(await placeOfSeveral(ALICE, 2, once)).toMatchObject({ ticket });
      for (const lease of held) await release(lease);

      const leases = await several(ALICE, 2, { ...once, ticket });
      const ids = leases.map(({ leaseId }) => leaseId);
      for (const request of [{ ticket }, once, { ...once, ticket }, { ...once, wait: true }]) {
        expect((await several(ALICE, 2, request)).map(({ leaseId }) => leaseId)).toEqual(ids);
      }
      expect(await names()).toEqual([]);
    });

    it('gets no ticket, or loses it, where the pool has fewer keys than that: it would keep all others waiting', async () => {
      const held = await holdAll(3);
      await expect(askSeveral(ALICE, 4, { wait: true })).rejects.toMatchObject(NO_KEY_AVAILABLE);
      const { ticket } = await placeOfSeveral(ALICE, 3);
      const next = makeWaiter('next');
      await next.waits();
      await releaseLease(world.context, BOB, (held[0] as HeldLease).leaseId, { outcome: 'discard' });

      await expect(askSeveral(ALICE, 3, { ticket })).rejects.toMatchObject(NO_KEY_AVAILABLE);
      expect(await next.waits()).toBe(0);
      await release(held[1] as HeldLease);
      await next.isServed();
    });

    it('gets those that the pool lacks of its target size made', async () => {
      await setPolicy(world.context, { fair: true, targetSize: 3, keyTtlSeconds: null });
      const held = await several(BOB, 3);
      const { ticket } = await placeOfSeveral(ALICE, 2);
      for (const { leaseId } of held.slice(0, 2)) {
        await releaseLease(world.context, BOB, leaseId, { outcome: 'discard' });
      }
      expect(await several(ALICE, 2, { ticket })).toHaveLength(2);
    });

    it('gets none, and loses its place, beyond its limit', async () => {
      const held = await holdAll(2, { maxLeasesPerClient: 2 });
      const [one] = held as [HeldLease];
      await release(one);
      const own = await acquire(world.context, ALICE);
      const { ticket } = await placeOfSeveral(ALICE, 2);
      await addKeys(world.context, 2);

      await expect(askSeveral(ALICE, 2, { ticket })).rejects.toMatchObject(LEASE_LIMIT_REACHED);
      expect(await names()).toEqual([]);
      await releaseLease(world.context, ALICE, own.leaseId);
      expect(await several(ALICE, 2)).toHaveLength(2);
    });

    it('is refused while the pool is paused', async () => {
      await holdAll(2);
      const { ticket } = await placeOfSeveral(ALICE, 2);
      await patchPool(world.context, ADMIN, 'default', { policy: { paused: true } });
      await expect(askSeveral(ALICE, 2, { ticket })).rejects.toMatchObject(POOL_PAUSED);
    });
  });

  describe('beside other policies', () => {
    it('a client that has reached its limit loses its place, and keeps nobody from theirs', async () => {
      const [bobs] = await holdAll(1, { maxLeasesPerClient: 1 });
      // Two programs of one client.
      const [one, two, next] = await queue('one', 'one', 'next');
      await release(bobs as HeldLease);
      await one.isServed();
      await addKey(world.context);

      expect(await next.waits()).toBe(1);
      await expect(two.ask()).rejects.toMatchObject(LEASE_LIMIT_REACHED);
      await next.isServed();
      expect(await names()).toEqual([]);
    });

    it('several at once that do not wait pass nobody', async () => {
      const held = await holdAll(3);
      const [one] = await queue('one');
      for (const lease of held) await release(lease);

      // Two more are free than callers wait.
      for (const lease of await several(ALICE, 2)) await release(lease);
      await expect(several(ALICE, 3)).rejects.toMatchObject(NO_KEY_AVAILABLE);
      await one.isServed();
    });

    it('a pool that is fair no longer serves whoever asks, and lets its tickets go', async () => {
      const [bobs] = await holdAll();
      const [one] = await queue('one');
      await patchPool(world.context, ADMIN, 'default', { policy: { fair: false } });
      await release(bobs as HeldLease);

      await acquire(world.context, ALICE);
      await expect(one.ask()).rejects.toMatchObject(NO_KEY_AVAILABLE);
    });
  });

  describe('a caller without a ticket', () => {
    it('passes nobody who had one when its call began', async () => {
      const [bobs] = await holdAll();
      await queue('one');
      const slow = interruptAfter(world.context, 'tickets.countAhead', () => release(bobs as HeldLease));

      await expect(acquire(slow, ALICE)).rejects.toMatchObject(NO_KEY_AVAILABLE);
      await expect(acquire(world.context, ALICE)).rejects.toMatchObject(NO_KEY_AVAILABLE);
    });

    it('pays for it with one verb more than in any other pool', async () => {
      await setPolicy(world.context, { fair: true });
      await addKeys(world.context, 500);
      const verbs: string[] = [];
      const watched = startProcess(
        watchStore(world.store, () => ({ before: (verb) => verbs.push(verb) })),
        () => world.now,
      );
      await acquire(watched, ALICE);
      verbs.length = 0;
      await acquire(watched, ALICE);
      expect(verbs).toEqual(['tickets.countAhead', 'keys.claim']);
    });
  });
});
