import { describe, expect, test } from 'vitest';
import { LeaseLimitReachedError, NoKeyAvailableError } from '../../../client/sdk/errors.ts';
import { outcomeOf } from '../support/outcome-of.ts';
import {
  leaseAnswer,
  problem,
  type Script,
  ScriptedService,
  type SeenRequest,
} from '../support/scripted-service.ts';

const TICKET = 'ticket_1';

function waiting(position: number, ticket = TICKET): Script {
  return { status: 202, body: { ticket, pool: 'p', position, retryAfterMs: 500 + 50 * position } };
}

/** The scripts of the acquires, in their order, the last one for all that follow; what else is asked is done. */
function queue(...scripts: Script[]): ScriptedService {
  let acquires = 0;
  return new ScriptedService((request) => {
    if (request.method === 'DELETE') return { status: 204 };
    acquires += 1;
    return scripts[Math.min(acquires, scripts.length) - 1] as Script;
  });
}

const ticketOf = ({ body }: SeenRequest) => (body as { ticket?: string }).ticket;

describe('in the queue of a fair pool', () => {
  test('the ticket is kept over all polls, which come when the service says, until it is the turn', async () => {
    const service = queue(waiting(4), waiting(2), waiting(0), leaseAnswer());
    const outcome = outcomeOf(service.client.acquire({ pool: 'p', waitMs: 30_000, priority: 3 }));
    await service.clock.advance(30_000);
    expect(outcome.value).toMatchObject({ leaseId: 'lease_1' });
    expect(service.seen.map(({ at }) => at)).toEqual([0, 700, 1300, 1800]);
    expect(service.seen.map(ticketOf)).toEqual([undefined, TICKET, TICKET, TICKET]);
    expect(service.seen[3]?.body).toMatchObject({ pool: 'p', wait: true, priority: 3 });
    expect(new Set(service.seen.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
  });

  test('the place is told to whoever waits', async () => {
    const told: string[] = [];
    const service = queue(waiting(4), leaseAnswer());
    const onWaiting = ({ message }: Error) => void told.push(message);
    const outcome = outcomeOf(service.client.acquire({ waitMs: 30_000, onWaiting }));
    await service.clock.advance(1000);
    expect(outcome.value).toBeDefined();
    expect(told).toEqual(['No key of pool "p" is free; 4 go to others first']);
  });

  test('a lost response costs neither the place nor a second key', async () => {
    const service = queue('refuse', waiting(1), 'refuse', leaseAnswer({}, 200));
    const outcome = outcomeOf(service.client.acquire({ waitMs: 30_000 }));
    await service.clock.advance(10_000);
    expect(outcome.value).toMatchObject({ leaseId: 'lease_1' });
    expect(service.seen.map(ticketOf)).toEqual([undefined, undefined, TICKET, TICKET]);
    expect(new Set(service.seen.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
    expect(service.releases).toHaveLength(0);
  });

  test('a ticket that ended is followed by a new one', async () => {
    const service = queue(waiting(1), problem(410, 'ticket_ended'), waiting(5, 'ticket_2'), leaseAnswer());
    const outcome = outcomeOf(service.client.acquire({ waitMs: 30_000 }));
    await service.clock.advance(10_000);
    expect(outcome.value).toMatchObject({ leaseId: 'lease_1' });
    expect(service.seen.map(ticketOf)).toEqual([undefined, TICKET, undefined, 'ticket_2']);
    const [, second, third, fourth] = service.seen.map(({ idempotencyKey }) => idempotencyKey);
    expect(third).not.toBe(second);
    expect(fourth).toBe(third);
  });

  test('the queue is left when the time is over', async () => {
    const service = queue(waiting(9));
    const outcome = outcomeOf(service.client.acquire({ waitMs: 5000 }));
    await service.clock.advance(5000);
    expect(outcome.error).toBeInstanceOf(NoKeyAvailableError);
    expect(service.of('POST').at(-1)?.at).toBe(5000);
    expect(service.releases.map(({ path }) => path)).toEqual([`/v1/tickets/${TICKET}`]);
  });

  test('the queue is left when the caller gives up, between two polls and during one', async () => {
    for (const script of [waiting(9), 'hang' as const]) {
      const service = queue(waiting(9), script);
      const caller = new AbortController();
      const outcome = outcomeOf(service.client.acquire({ waitMs: 60_000, signal: caller.signal }));
      await service.clock.advance(1200);
      const reason = new Error('enough');
      caller.abort(reason);
      await service.clock.advance(2000);
      expect(outcome.error).toBe(reason);
      expect(service.releases.map(({ path }) => path)).toEqual([`/v1/tickets/${TICKET}`]);
      expect(service.clock.timers).toBe(0);
    }
  });

  test('a queue that cannot be left hides no other error', async () => {
    const service = new ScriptedService(({ method }) => (method === 'DELETE' ? 'hang' : waiting(9)));
    const outcome = outcomeOf(service.client.acquire({ waitMs: 1000 }));
    await service.clock.advance(3000);
    expect(outcome.error).toBeInstanceOf(NoKeyAvailableError);
  });

  test('a pool that is fair no more is asked as any other', async () => {
    const service = queue(waiting(1), problem(409, 'no_key_available', { retryAfterMs: 60_000 }));
    outcomeOf(service.client.acquire({ waitMs: 20_000 }));
    await service.clock.advance(15_000);
    expect(service.seen.slice(2).every((request) => ticketOf(request) === undefined)).toBe(true);
    expect(service.seen.length).toBeGreaterThan(5);
  });
});

test('who wants several waits with one ticket for all of them', async () => {
  const service = queue(waiting(2), { status: 201, body: { leases: [leaseAnswer().body] } });
  const outcome = outcomeOf(service.client.withLeases({ count: 1, waitMs: 10_000 }, () => 'done'));
  await service.clock.advance(5000);
  expect(outcome.value).toBe('done');
  const [first, second] = service.of('POST');
  expect(first?.body).toEqual({ count: 1, wait: true });
  expect(second?.body).toEqual({ count: 1, wait: true, ticket: ticketOf(second as typeof first & object) });
  expect(ticketOf(second as typeof first & object)).toBeDefined();
});

test('who does not wait asks for no place', async () => {
  const single = queue(leaseAnswer());
  await single.client.acquire();
  expect(single.seen[0]?.body).toEqual({});
});

describe('a client that has as many leases as it may have', () => {
  const limited = problem(429, 'lease_limit_reached', { retryAfterMs: 9000 });

  test('is told so, and when one of them ends', async () => {
    const service = queue(limited);
    const error = await service.client.acquire().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(LeaseLimitReachedError);
    expect(error).toMatchObject({ status: 429, retryAfterMs: 9000 });
    expect(service.seen).toHaveLength(1);
  });

  test('waits for one of them to end, in a fair pool with a new place', async () => {
    const service = queue(waiting(1), limited, limited, waiting(3, 'ticket_2'), leaseAnswer());
    const outcome = outcomeOf(service.client.acquire({ waitMs: 20_000 }));
    await service.clock.advance(20_000);
    expect(outcome.value).toMatchObject({ leaseId: 'lease_1' });
    expect(service.seen.map(ticketOf)).toEqual([undefined, TICKET, undefined, undefined, 'ticket_2']);
  });
});

describe('a lease that the pool lets live no longer', () => {
  /** Of a pool with leases of 60 s and a longest lease of 9 s. */
  const capped = (expiresInMs: number) =>
    leaseAnswer({ expiresInMs, maxExpiresAt: '2026-01-01T00:01:00.000Z' });

  test('is taken, although it is shorter than a keep-alive interval', async () => {
    const service = queue(capped(9000));
    expect(await service.client.acquire()).toMatchObject({ leaseId: 'lease_1' });
    expect(service.releases).toHaveLength(0);
  });

  test('leaves its work most of its time', async () => {
    const service = queue(capped(9000));
    let abortedAt: number | undefined;
    const outcome = outcomeOf(
      service.client.withLease({}, (_, signal) => {
        signal.addEventListener('abort', () => {
          abortedAt = service.clock.monotonicNow() - 5000;
        });
        return new Promise((resolve) => service.clock.schedule(() => resolve('done'), 8900));
      }),
    );
    await service.clock.advance(8900);
    expect(abortedAt).toBe(8100);
    expect(outcome.error).toMatchObject({ code: 'lease_lost' });
  });
});
