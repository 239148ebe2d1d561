import { describe, expect, test } from 'vitest';
import type { FollowEventsOptions, FollowedEvent } from '../../../client/sdk/events.ts';
import { settle } from '../support/manual-clock.ts';
import { outcomeOf } from '../support/outcome-of.ts';
import { problem, type Script, ScriptedService, type SeenRequest } from '../support/scripted-service.ts';

/** A service with these events, by number. A cursor is the number of the last event before it. */
class ServiceWithEvents extends ScriptedService {
  recorded: string[] = [];
  /** What it answers in place of events. */
  fault: Script | undefined;
  /** Events of other types that a page passes over: it is shorter by their number. */
  hidden = new Set<string>();

  constructor() {
    super((request) => this.fault ?? this.#page(request));
  }

  #page({ query }: SeenRequest): Script {
    const from = Number(query.after ?? 0);
    const page = this.recorded.slice(from, from + Number(query.limit));
    const events = page
      .filter((eventId) => !this.hidden.has(eventId))
      .map((eventId) => ({ eventId, type: 'lease.lapsed', at: '2026-01-01T00:00:00.000Z' }));
    return { status: 200, body: { events, next: String(from + page.length) } };
  }

  record(count: number): void {
    for (let made = 0; made < count; made++) this.recorded.push(`event_${this.recorded.length + 1}`);
  }

  /** Follows in the background. */
  follow(options: FollowEventsOptions = {}) {
    const got: FollowedEvent[] = [];
    const stop = new AbortController();
    const run = async (): Promise<string> => {
      for await (const event of this.client.events.follow({ signal: stop.signal, ...options }))
        got.push(event);
      return 'ended';
    };
    return { got, stop, outcome: outcomeOf(run()), ids: () => got.map(({ eventId }) => eventId) };
  }
}

test('a list asks for what is wanted, and is repeated after a failure that may pass', async () => {
  let asked = 0;
  const service = new ScriptedService(() =>
    ++asked === 1 ? 'refuse' : { status: 200, body: { events: [], next: 'c' } },
  );
  const outcome = outcomeOf(service.client.events.list({ pool: 'p', type: 'key.deleted', tail: 5 }));
  await service.clock.advance(1000);
  expect(outcome.value).toEqual({ events: [], next: 'c' });
  expect(service.seen.map(({ path, query }) => ({ path, query }))).toEqual(
    Array(2).fill({ path: '/v1/events', query: { pool: 'p', type: 'key.deleted', tail: '5' } }),
  );
});

describe('following', () => {
  test('gives every event once and in order, page after page, then what comes, every two seconds', async () => {
    const service = new ServiceWithEvents();
    service.record(450);
    const { ids } = service.follow({ key: 'key_1', holder: 'host 1' });
    await service.clock.advance(250);
    expect(ids()).toEqual(service.recorded);
    // Two full pages and the rest at once; soon after it another look, which led nowhere.
    expect(service.seen.map(({ at, query }) => [at, query.after])).toEqual([
      [0, undefined],
      [0, '200'],
      [0, '400'],
      [250, '450'],
    ]);
    for (const { query } of service.seen) {
      expect(query).toMatchObject({ key: 'key_1', holder: 'host 1', limit: '200' });
    }

    await service.clock.advance(4000);
    expect(service.seen.slice(4).map(({ at }) => at)).toEqual([2250, 4250]);
    service.record(3);
    await service.clock.advance(2000);
    expect(ids()).toEqual(service.recorded);
  });

  test('pages without a match are passed over, and not asked for without a pause', async () => {
    const service = new ServiceWithEvents();
    service.record(500);
    service.hidden = new Set(service.recorded.slice(0, -1));
    const { ids } = service.follow({ pollMs: 800 });
    await service.clock.advance(200);
    expect(ids()).toEqual(['event_500']);
    expect(service.seen.map(({ at }) => at)).toEqual([0, 100, 200]);
  });

  test.each([
    ['no connection', 'refuse' as const],
    ['no answer', 'hang' as const],
    ['a failing database', problem(503, 'database_unavailable', { retryAfterMs: 1000 })],
    ['too many requests', { status: 429, body: { message: 'Too Many Requests' } }],
    ['the page of a firewall', { status: 403, body: '<html>no</html>' }],
  ])('%s, for however long, loses and repeats nothing', async (_, fault) => {
    const service = new ServiceWithEvents();
    const told: (string | undefined)[] = [];
    service.record(2);
    const { ids, outcome } = service.follow({ onOutage: (error) => told.push(error?.code) });
    await service.clock.advance(0);
    service.fault = fault;
    await service.clock.advance(600_000);
    service.record(3);
    expect(ids()).toHaveLength(2);
    expect(told).toHaveLength(1);
    service.fault = undefined;
    await service.clock.advance(20_000);
    expect(ids()).toEqual(service.recorded);
    expect(told).toEqual([expect.any(String), undefined]);
    expect(outcome).toEqual({});
  });

  test('the pauses grow while the service fails', async () => {
    const service = new ServiceWithEvents();
    service.fault = 'refuse';
    service.follow();
    await service.clock.advance(60_000);
    const pauses = service.seen.slice(1).map(({ at }, index) => at - (service.seen[index]?.at ?? 0));
    expect(pauses.slice(0, 6)).toEqual([50, 100, 200, 400, 800, 1500]);
    expect(Math.max(...pauses)).toBe(1500);
  });

  test.each([
    ['a credential that was revoked', { status: 403, body: { message: 'Forbidden' } }, 'forbidden'],
    ['a filter that is none', problem(400, 'invalid_request', { errors: [] }), 'invalid_request'],
    ['another service, from the start', { status: 200, body: '<html>' }, 'unexpected_answer'],
  ])('ends with the error at %s', async (_, fault, code) => {
    const service = new ServiceWithEvents();
    service.fault = fault;
    const { outcome } = service.follow();
    await service.clock.advance(0);
    expect(outcome.error).toMatchObject({ code });
    expect(service.clock.timers).toBe(0);
  });

  test('the signal ends it quietly: while it waits, during a request, during an outage, and between two events', async () => {
    for (const fault of [undefined, 'hang' as const, 'deaf' as const, 'refuse' as const]) {
      const service = new ServiceWithEvents();
      const { stop, outcome } = service.follow();
      await service.clock.advance(1000);
      service.fault = fault;
      await service.clock.advance(2000);
      stop.abort();
      await settle();
      expect(outcome).toEqual({ value: 'ended' });
      expect(service.clock.timers).toBe(0);
    }

    const service = new ServiceWithEvents();
    service.record(3);
    const stop = new AbortController();
    const got: string[] = [];
    for await (const { eventId } of service.client.events.follow({ signal: stop.signal })) {
      got.push(eventId);
      stop.abort();
    }
    expect(got).toEqual(['event_1']);
    for await (const _ of service.client.events.follow({ signal: stop.signal })) expect.unreachable();
    expect(service.seen).toHaveLength(1);
  });

  test('leaving the loop leaves nothing behind', async () => {
    const service = new ServiceWithEvents();
    service.record(3);
    for await (const _ of service.client.events.follow()) break;
    expect(service.clock.timers).toBe(0);
    expect(service.seen).toHaveLength(1);
  });

  test('a program that stops after any event and goes on from what it saved misses none', async () => {
    const service = new ServiceWithEvents();
    service.record(405);
    for (const stopsAfter of [1, 57, 200, 201, 400, 404, 405]) {
      const seen = new Set<string>();
      let saved: string | undefined;
      for await (const { eventId, after } of service.client.events.follow()) {
        seen.add(eventId);
        saved = after;
        if (seen.size === stopsAfter) break;
      }
      const rest = service.follow({ after: saved });
      await service.clock.advance(0);
      rest.stop.abort();
      await settle();
      // Only events of one page come again.
      expect(rest.ids().filter((id) => seen.has(id)).length).toBeLessThan(200);
      expect(new Set([...seen, ...rest.ids()])).toEqual(new Set(service.recorded));
    }
  });

  test('a length of time that is none is refused at once', () => {
    const { client } = new ServiceWithEvents();
    expect(() => client.events.follow({ pollMs: Number.NaN })).toThrow(TypeError);
  });
});
