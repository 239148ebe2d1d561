import type { Event as EventBody } from '../contract/events.ts';
import type { Context } from './context.ts';
import { describeEvent } from './describe.ts';
import { oldestUnsentAt } from './events.ts';

/** How long a sender has a receiver to itself, in milliseconds; after one that died, others wait no longer. */
const CLAIM_MS = 60_000;

/** No send begins when less than this is left of the claim, in milliseconds: so long may it take, on any host's clock. */
const LONGEST_SEND_MS = 20_000;

/** Events that are sent before it is noted how far: so many are repeated by whoever takes over from one that died. */
const PAGE = 100;

/** Where events are sent. */
export interface Receiver {
  /** Its delivery goes by this: a receiver with another name is sent all that is kept. */
  readonly name: string;
  /** The most events of one send. */
  readonly batchSize: number;
  /** Takes less than `LONGEST_SEND_MS`. */
  send(events: readonly EventBody[]): Promise<Receipt>;
}

export interface Receipt {
  /** How many of the events were taken, counted from the first to the last before one that was not. */
  readonly taken: number;
  /** Where that is not all of them. */
  readonly failure?: SendFailure | undefined;
}

export interface SendFailure {
  /** For the log: a status or the code of an error, nothing that is secret. */
  readonly reason: string;
  /** The receiver wants nothing before. */
  readonly retryAfterMs?: number | undefined;
  /** The receiver wants nothing any more. */
  readonly isFinal?: boolean;
}

export interface SendReport {
  readonly sent: number;
  /** How long ago the oldest event happened that was not sent; 0 where all were. */
  readonly oldestUnsentAgeMs: number;
  readonly failure?: SendFailure | undefined;
}

/**
 * Sends what was not sent yet, in its order, until all is sent, a send fails or the time is over. The events themselves
 * are the outbox, and the delivery says how far they were sent: nothing is lost as long as it is kept. At least once:
 * what was sent before a failure to note it is sent again, under the same id.
 *
 * Race closed: two senders at once. The delivery is claimed, and no send begins that might outlast the claim. Only a
 * process that was suspended in the middle of a send carries it out late: a repeat.
 * @param owner names the process. It may go on at once where its last call failed.
 * @throws DatabaseUnavailableError
 */
export async function sendEvents(
  context: Context,
  { receiver, owner, hasTime }: { receiver: Receiver; owner: string; hasTime: () => boolean },
): Promise<SendReport> {
  const { events: store } = context.store;
  const delivery = { receiver: receiver.name, owner };
  const age = (at: number | undefined): number => (at === undefined ? 0 : Math.max(context.clock() - at, 0));

  for (let sent = 0; ; ) {
    // A look first: most of the time there is nothing to send, and nothing is written.
    const oldest = await oldestUnsentAt(context, receiver.name);
    const now = context.clock();
    const until = now + CLAIM_MS;
    const claim =
      oldest !== undefined && hasTime() ? await store.claimDelivery({ ...delivery, now, until }) : null;
    if (claim === null) return { sent, oldestUnsentAgeMs: age(oldest) };

    const { events, next } = await store.list({ now, limit: PAGE, after: claim.sentTo });
    let taken = 0;
    let failure: SendFailure | undefined;
    while (taken < events.length && failure === undefined) {
      if (!hasTime() || context.clock() > until - LONGEST_SEND_MS) break;
      const batch = events.slice(taken, taken + receiver.batchSize);
      const receipt = await receiver.send(batch.map(describeEvent));
      taken += receipt.taken;
      failure = receipt.failure;
    }
    sent += taken;
    const sentTo = taken === events.length ? next : (events[taken - 1]?.position ?? claim.sentTo);
    // Of no effect where another one has taken over; the claim that comes next tells.
    await store.finishDelivery({ ...delivery, sentTo });
    if (failure !== undefined) {
      return { sent, oldestUnsentAgeMs: age(events[taken]?.at), failure };
    }
  }
}
