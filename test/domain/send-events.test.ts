import { describe, expect, it } from 'vitest';
import { type Event as EventBody, eventSchema } from '../../shared/contract/events.ts';
import type { Context } from '../../shared/domain/context.ts';
import { DatabaseUnavailableError } from '../../shared/domain/errors.ts';
import { makeEvent } from '../../shared/domain/events.ts';
import { type Receipt, type Receiver, type SendReport, sendEvents } from '../../shared/domain/send-events.ts';
import type { Store } from '../../shared/domain/store.ts';
import { randomFrom } from '../support/seeded-random.ts';
import { type Watch, watchStore } from '../support/watch-store.ts';
import { describeOnEveryStore } from './support/every-store.ts';
import { SECOND, startProcess, type World } from './support/world.ts';

/** Takes everything, unless a test says otherwise. */
class Inbox implements Receiver {
  readonly name = 'inbox';
  readonly batchSize: number;
  readonly batches: (readonly EventBody[])[] = [];
  answer: (batch: readonly EventBody[]) => Promise<Receipt> | Receipt = (batch) => ({ taken: batch.length });

  constructor(batchSize = 10) {
    this.batchSize = batchSize;
  }

  async send(batch: readonly EventBody[]): Promise<Receipt> {
    const receipt = await this.answer(batch);
    this.batches.push(batch.slice(0, receipt.taken));
    return receipt;
  }

  get keyIds(): string[] {
    return this.batches.flat().map(({ keyId }) => keyId as string);
  }
}

const DOWN: Receipt = { taken: 0, failure: { reason: 'ECONNREFUSED' } };

const send = (
  context: Context,
  receiver: Receiver,
  owner = 'one',
  hasTime = () => true,
): Promise<SendReport> => sendEvents(context, { receiver, owner, hasTime });

/** As many deletions of keys, `from` upwards; returns the ids of the keys. */
async function record(context: Context, count: number, from = 0): Promise<string[]> {
  const keyIds = Array.from({ length: count }, (_, index) => `key_${from + index}`);
  const at = context.clock();
  await context.events.record(
    keyIds.map((keyId) => makeEvent({ type: 'key.deleted', at, pool: 'default', keyId })),
    at,
  );
  return keyIds;
}

describe('sending events', () => {
  describeOnEveryStore((world: World) => {
    it('sends each once, in their order, as the API shows them, and notes how far', async () => {
      const inbox = new Inbox();
      const recorded = await record(world.context, 123);
      expect(await send(world.context, inbox)).toEqual({ sent: 123, oldestUnsentAgeMs: 0 });
      expect(inbox.keyIds).toEqual(recorded);
      expect(Math.max(...inbox.batches.map((batch) => batch.length))).toBe(10);
      expect(inbox.batches[0]?.[0]).toEqual({
        eventId: expect.stringMatching(/^event_[\w-]{22}$/),
        type: 'key.deleted',
        at: new Date(world.now).toISOString(),
        pool: 'default',
        keyId: 'key_0',
      });
      for (const event of inbox.batches.flat()) expect(eventSchema.parse(event)).toEqual(event);
      const more = await record(world.context, 2, 123);
      expect(await send(world.context, inbox, 'two')).toEqual({ sent: 2, oldestUnsentAgeMs: 0 });
      expect(inbox.keyIds).toEqual([...recorded, ...more]);
    });

    it('writes nothing where there is nothing to send', async () => {
      const inbox = new Inbox();
      await record(world.context, 1);
      await send(world.context, inbox);
      const used: string[] = [];
      const watching = watched(world, { before: (verb) => used.push(verb) });
      expect(await send(watching, inbox)).toEqual({ sent: 0, oldestUnsentAgeMs: 0 });
      expect(used).toEqual(['events.getDelivery', 'events.list']);
    });

    it('goes on after what was taken of a batch, and tells how old the rest is', async () => {
      const inbox = new Inbox();
      const recorded = await record(world.context, 25);
      world.passTime(5 * SECOND);
      inbox.answer = (batch) =>
        inbox.batches.length < 1
          ? { taken: 10 }
          : { taken: Math.min(3, batch.length), failure: { reason: 'x' } };
      expect(await send(world.context, inbox)).toEqual({
        sent: 13,
        oldestUnsentAgeMs: 5 * SECOND,
        failure: { reason: 'x' },
      });
      expect(inbox.keyIds).toEqual(recorded.slice(0, 13));
      inbox.answer = (batch) => ({ taken: batch.length });
      expect(await send(world.context, inbox, 'two')).toEqual({ sent: 12, oldestUnsentAgeMs: 0 });
      expect(inbox.keyIds).toEqual(recorded);
    });

    it('loses nothing while the receiver is down', async () => {
      const inbox = new Inbox();
      inbox.answer = () => DOWN;
      const recorded = await record(world.context, 3);
      for (const minute of [1, 2, 3]) {
        world.passTime(60 * SECOND);
        recorded.push(...(await record(world.context, 40, 40 * minute)));
        expect(await send(world.context, inbox)).toEqual({
          sent: 0,
          oldestUnsentAgeMs: minute * 60 * SECOND,
          failure: DOWN.failure,
        });
      }
      inbox.answer = (batch) => ({ taken: batch.length });
      await send(world.context, inbox);
      expect(inbox.keyIds).toEqual(recorded);
    });

    it('loses nothing while the database is down now and then, and repeats under the same ids', async () => {
      const inbox = new Inbox(3);
      const recorded = await record(world.context, 150);
      const random = randomFrom(7);
      const fail = () => {
        if (random() < 0.2) throw new DatabaseUnavailableError();
      };
      const shaky = watched(world, { before: fail, after: fail });
      let failures = 0;
      for (let sent: SendReport | undefined; sent === undefined; ) {
        sent = await send(shaky, inbox).catch(() => undefined);
        if (sent === undefined) failures += 1;
      }
      expect(failures).toBeGreaterThan(0);
      const byId = Map.groupBy(inbox.batches.flat(), ({ eventId }) => eventId);
      expect([...byId.values()].map(([first]) => first?.keyId)).toEqual(recorded);
      expect(inbox.keyIds.length).toBeGreaterThan(recorded.length);
      for (const repeats of byId.values())
        expect(new Set(repeats.map((one) => JSON.stringify(one))).size).toBe(1);
    });

    it('leaves the sending to one of several processes at a time: each event is sent once', async () => {
      const inbox = new Inbox(1);
      const recorded = await record(world.context, 60);
      const processes = await Promise.all([world.startProcess(), world.startProcess()]);
      const run = async (context: Context, owner: string): Promise<void> => {
        while (inbox.keyIds.length < recorded.length) await send(context, inbox, owner);
      };
      await Promise.all(processes.map((context, index) => run(context, `process ${index}`)));
      expect(inbox.keyIds).toEqual(recorded);
    });

    it('waits for a sender that died until its claim runs out, then sends what that one did not note', async () => {
      const inbox = new Inbox();
      const recorded = await record(world.context, 15);
      const dying = watched(world, {
        before: (verb) => {
          if (verb === 'events.finishDelivery') throw new Error('killed');
        },
      });
      inbox.answer = (batch) => (inbox.batches.length < 1 ? { taken: batch.length } : DOWN);
      await expect(send(dying, inbox, 'dead')).rejects.toThrow('killed');
      expect(inbox.keyIds).toEqual(recorded.slice(0, 10));

      const other = await world.startProcess();
      inbox.answer = (batch) => ({ taken: batch.length });
      world.passTime(59_999);
      expect(await send(other, inbox, 'other')).toEqual({ sent: 0, oldestUnsentAgeMs: 59_999 });
      world.passTime(1);
      expect(await send(other, inbox, 'other')).toEqual({ sent: 15, oldestUnsentAgeMs: 0 });
      expect(inbox.keyIds).toEqual([...recorded.slice(0, 10), ...recorded]);
    });

    it('goes on at once with a claim of its own that it could not give back', async () => {
      const inbox = new Inbox();
      await record(world.context, 5);
      const failing = watched(world, {
        before: (verb) => {
          if (verb === 'events.finishDelivery') throw new DatabaseUnavailableError();
        },
      });
      await expect(send(failing, inbox, 'one')).rejects.toThrow(DatabaseUnavailableError);
      expect(await send(world.context, inbox, 'one')).toEqual({ sent: 5, oldestUnsentAgeMs: 0 });
    });

    it('begins no send that might outlast its claim', async () => {
      const inbox = new Inbox(1);
      await record(world.context, 8);
      inbox.answer = async () => {
        const now = world.now + 20 * SECOND - 1;
        const query = { receiver: inbox.name, owner: 'other', now, until: now + SECOND };
        expect(await world.store.events.claimDelivery(query)).toBeNull();
        world.passTime(15 * SECOND);
        return { taken: 1 };
      };
      expect(await send(world.context, inbox)).toEqual({ sent: 8, oldestUnsentAgeMs: 0 });
    });

    it('stops where another one has taken over, and takes nothing of what that one noted back', async () => {
      const inbox = new Inbox();
      const recorded = await record(world.context, 120);
      const other = await world.startProcess();
      let isFirst = true;
      inbox.answer = async (batch) => {
        if (isFirst) {
          isFirst = false;
          world.passTime(60 * SECOND); // It was suspended.
          expect(await send(other, inbox, 'other')).toEqual({ sent: 120, oldestUnsentAgeMs: 0 });
        }
        return { taken: batch.length };
      };
      expect(await send(world.context, inbox)).toMatchObject({ sent: 10 });
      expect(inbox.keyIds).toEqual([...recorded, ...recorded.slice(0, 10)]);
      expect(await send(world.context, inbox)).toEqual({ sent: 0, oldestUnsentAgeMs: 0 });
    });

    it('stops when the time is over, and goes on the next time', async () => {
      const inbox = new Inbox(1);
      const recorded = await record(world.context, 5);
      let left = 3;
      expect(await send(world.context, inbox, 'one', () => left-- > 0)).toEqual({
        sent: 2,
        oldestUnsentAgeMs: 0,
      });
      expect(await send(world.context, inbox, 'two')).toMatchObject({ sent: 3 });
      expect(inbox.keyIds).toEqual(recorded);
    });

    it('has a delivery for each receiver', async () => {
      const recorded = await record(world.context, 2);
      const [first, second] = [new Inbox(), new Inbox()];
      await send(world.context, first);
      expect(await send(world.context, Object.assign(second, { name: 'another' }))).toMatchObject({
        sent: 2,
      });
      expect(second.keyIds).toEqual(recorded);
    });
  });
});

/** A process on the world's database, with something around each verb. */
function watched(world: World, watch: Watch): Context {
  const store: Store = watchStore(world.store, () => watch);
  return startProcess(store, () => world.now);
}
