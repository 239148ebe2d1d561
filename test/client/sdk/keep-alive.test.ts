import { describe, expect, test } from 'vitest';
import { LeaseEndedError, LeaseLostError, NoKeyAvailableError } from '../../../client/sdk/errors.ts';
import type { HeldLease } from '../../../client/sdk/held-lease.ts';
import { settle } from '../support/manual-clock.ts';
import {
  LEASE_MS,
  leaseAnswer,
  problem,
  type Script,
  ScriptedService,
  type SeenRequest,
} from '../support/scripted-service.ts';

/** A service that leases a key and releases it, and answers keep-alives as the test says. */
function serviceWith(keepAlive: (count: number) => Script): ScriptedService {
  let count = 0;
  return new ScriptedService((request: SeenRequest) => {
    if (request.method === 'DELETE') return { status: 204 };
    if (request.path.endsWith('/keep-alive')) return keepAlive(++count);
    return leaseAnswer();
  });
}

/** Work that holds the lease until the test says so. */
function hold(service: ScriptedService, options: { safetyMarginMs?: number; signal?: AbortSignal } = {}) {
  let finish = (): void => undefined;
  let fail = (_: unknown): void => undefined;
  let signal: AbortSignal | undefined;
  let held: HeldLease | undefined;
  let settled = false;
  const result = service.client.withLease(options, (lease, workSignal) => {
    signal = workSignal;
    held = lease;
    return new Promise<string>((resolve, reject) => {
      finish = () => resolve('done');
      fail = reject;
    });
  });
  result.then(
    () => {
      settled = true;
    },
    () => {
      settled = true;
    },
  );
  return {
    result,
    finish: () => finish(),
    fail: (error: unknown) => fail(error),
    get settled() {
      return settled;
    },
    get aborted() {
      return signal?.aborted;
    },
    get reason(): unknown {
      return signal?.reason;
    },
    remainingMs: () => held?.remainingMs(),
    graceMs: () => held?.graceMs(),
  };
}

const alive = (): Script => leaseAnswer({}, 200);

describe('keep-alives', () => {
  test('go out at the interval that the service gave, for as long as the work lasts', async () => {
    const service = serviceWith(alive);
    const work = hold(service);
    await service.clock.advance(100_000);
    expect(service.keepAlives.map(({ at }) => at)).toEqual([20_000, 40_000, 60_000, 80_000, 100_000]);
    expect(work.aborted).toBe(false);
    work.finish();
    expect(await work.result).toBe('done');
  });

  test('are none after the release, and the release is one', async () => {
    const service = serviceWith(alive);
    const work = hold(service);
    await service.clock.advance(30_000);
    work.finish();
    await work.result;
    expect(service.clock.timers).toBe(0);
    await service.clock.advance(200_000);
    expect(service.keepAlives).toHaveLength(1);
    expect(service.releases).toHaveLength(1);
    expect(service.seen.at(-1)?.method).toBe('DELETE');
  });

  test('never overlap, even when answers are slower than the interval', async () => {
    const service = serviceWith((count) => (count === 1 ? 'hang' : alive()));
    const work = hold(service);
    await service.clock.advance(120_000);
    expect(service.mostUnderWay).toBe(1);
    expect(service.keepAlives[0]?.aborted).toBe(true);
    expect(work.aborted).toBe(false);
    work.finish();
    await work.result;
  });

  test('that hang in a fetch which ignores its signal are given up, at the latest with the lease', async () => {
    const deaf = serviceWith(() => 'deaf');
    const always = hold(deaf);
    await deaf.clock.advance(LEASE_MS);
    expect(always.reason).toBeInstanceOf(LeaseLostError);
    always.finish();
    await expect(always.result).rejects.toBe(always.reason);
  });

  test('one that is under way when the work ends is over before the release goes out', async () => {
    const service = serviceWith(() => 'hang');
    const work = hold(service);
    await service.clock.advance(20_000);
    expect(service.underWay).toBe(1);
    work.finish();
    expect(await work.result).toBe('done');
    expect(service.keepAlives[0]?.aborted).toBe(true);
    expect(service.mostUnderWay).toBe(1);
  });

  test.each([
    ['a refused connection', 'refuse' as Script],
    ['a 500', problem(500, 'internal')],
    ['a 503', problem(503, 'database_unavailable', { retryAfterMs: 2000 })],
    ['the gateway throttling', { status: 429, body: { message: 'Too Many Requests' } }],
    ['a page of a proxy', { status: 200, body: '<html>' }],
    ['a 404 of a proxy', { status: 404, body: 'nothing here' }],
    ['a 401 of a firewall', { status: 401, body: '<html>Sign in' }],
    ['a 403 of a firewall', { status: 403, body: { message: 'Blocked' } }],
  ])('are repeated soon after %s', async (_, failure) => {
    const service = serviceWith((count) => (count < 4 ? failure : alive()));
    const work = hold(service);
    await service.clock.advance(25_000);
    expect(service.keepAlives.length).toBeGreaterThanOrEqual(4);
    await service.clock.advance(60_000);
    expect(work.aborted).toBe(false);
    work.finish();
    expect(await work.result).toBe('done');
  });

  test('the first 410 is final', async () => {
    const service = serviceWith((count) =>
      count === 1 ? problem(410, 'lease_ended', { reason: 'unblocked' }) : alive(),
    );
    const work = hold(service);
    await service.clock.advance(20_000);
    expect(work.reason).toBeInstanceOf(LeaseEndedError);
    expect(work.reason).toMatchObject({ reason: 'unblocked', status: 410, requestId: 'r-1' });
    await service.clock.advance(60_000);
    expect(service.keepAlives).toHaveLength(1);
    work.finish();
    await expect(work.result).rejects.toBe(work.reason);
    expect(service.releases).toHaveLength(0);
  });

  test('a revoked credential ends the work at once, with that error', async () => {
    const service = serviceWith(() => ({ status: 403, body: { message: 'Forbidden' } }));
    const work = hold(service);
    await service.clock.advance(20_000);
    expect(work.reason).toMatchObject({ code: 'forbidden', status: 403 });
    work.finish();
    await expect(work.result).rejects.toBe(work.reason);
  });
});

describe('the local deadline', () => {
  test('aborts the signal a safety margin before the lease can lapse, counted from before the request was sent', async () => {
    const service = serviceWith(() => 'refuse');
    const work = hold(service);
    await service.clock.advance(LEASE_MS - 5001);
    expect(work.aborted).toBe(false);
    await service.clock.advance(1);
    expect(work.reason).toBeInstanceOf(LeaseLostError);
    expect((work.reason as Error).cause).toMatchObject({ code: 'unreachable' });
    expect(work.remainingMs()).toBe(0);
    expect(work.graceMs()).toBe(5000);
    work.finish();
    await expect(work.result).rejects.toBe(work.reason);
  });

  test('is counted from before an acquire whose answer was slow', async () => {
    const clockOf = (service: ScriptedService) => service.clock;
    const service: ScriptedService = new ScriptedService((request) => {
      if (request.method === 'DELETE') return { status: 204 };
      if (request.path.endsWith('/keep-alive')) return 'refuse';
      return async () => {
        await new Promise<void>((resolve) => clockOf(service).schedule(resolve, 9000));
        return leaseAnswer();
      };
    });
    const work = hold(service);
    await service.clock.advance(9000);
    expect(work.remainingMs()).toBe(LEASE_MS - 9000);
    await service.clock.advance(LEASE_MS - 9000 - 5000);
    expect(work.aborted).toBe(true);
    work.finish();
    await expect(work.result).rejects.toThrow(LeaseLostError);
  });

  test('is not moved by an answer that comes after it', async () => {
    // Sent after 20 s, so the service's own end is at 80 s; but ours, and with it our claim, has passed at 60 s.
    const service: ScriptedService = serviceWith(() => async () => {
      service.clock.freeze(42_000, 'goes on');
      return leaseAnswer({}, 200);
    });
    const work = hold(service);
    await service.clock.advance(20_000);
    expect(work.reason).toBeInstanceOf(LeaseLostError);
    work.finish();
    await expect(work.result).rejects.toThrow(LeaseLostError);
  });

  test('is moved by a slow answer only as far as its request was sent', async () => {
    const service: ScriptedService = serviceWith((count) =>
      count === 1
        ? async () => {
            await new Promise<void>((resolve) => service.clock.schedule(resolve, 8000));
            return leaseAnswer({}, 200);
          }
        : 'refuse',
    );
    const work = hold(service);
    await service.clock.advance(28_000);
    expect(work.remainingMs()).toBe(LEASE_MS - 8000);
    await service.clock.advance(LEASE_MS - 8000 - 5000);
    expect(work.aborted).toBe(true);
    work.finish();
    await expect(work.result).rejects.toThrow(LeaseLostError);
  });

  test.each(['goes on', 'stands still'] as const)(
    'passed during a suspension in which the monotonic clock %s: nothing is sent, the signal is aborted',
    async (monotonic) => {
      const service = serviceWith(alive);
      const work = hold(service);
      await service.clock.advance(10_000);
      service.clock.freeze(LEASE_MS, monotonic);
      await service.clock.advance(1000);
      expect(work.reason).toBeInstanceOf(LeaseLostError);
      expect(service.keepAlives).toHaveLength(0);
      expect(work.remainingMs()).toBe(0);
      work.finish();
      await expect(work.result).rejects.toThrow(LeaseLostError);
    },
  );

  test('survives a suspension that is shorter than the lease', async () => {
    const service = serviceWith(alive);
    const work = hold(service);
    await service.clock.advance(10_000);
    service.clock.freeze(30_000, 'stands still');
    await service.clock.advance(1000);
    expect(service.keepAlives).toHaveLength(1);
    await service.clock.advance(100_000);
    expect(work.aborted).toBe(false);
    work.finish();
    expect(await work.result).toBe('done');
  });

  test('does not care for a wall clock that is set back', async () => {
    const service = serviceWith(() => 'refuse');
    const work = hold(service);
    await service.clock.advance(1000);
    service.clock.setWall(-3_600_000);
    await service.clock.advance(LEASE_MS - 5000 - 1000);
    expect(work.reason).toBeInstanceOf(LeaseLostError);
    work.finish();
    await expect(work.result).rejects.toThrow(LeaseLostError);
  });

  test('small steps of the wall clock forward do not add up', async () => {
    const service = serviceWith(alive);
    const work = hold(service);
    for (let minute = 0; minute < 10; minute++) {
      await service.clock.advance(60_000);
      service.clock.setWall(10_000);
    }
    expect(work.aborted).toBe(false);
    work.finish();
    expect(await work.result).toBe('done');
  });

  test('is noticed after work that let no timer run', async () => {
    const service = serviceWith(alive);
    const result = service.client.withLease({}, () => {
      service.clock.freeze(LEASE_MS, 'goes on');
      return 'too late';
    });
    await expect(result).rejects.toThrow(LeaseLostError);
  });

  test('a margin is never more than a third of the lease', async () => {
    const service = serviceWith(() => 'refuse');
    const work = hold(service, { safetyMarginMs: 10 * LEASE_MS });
    await service.clock.advance((2 * LEASE_MS) / 3 - 1);
    expect(work.aborted).toBe(false);
    await service.clock.advance(1);
    expect(work.aborted).toBe(true);
    work.finish();
    await expect(work.result).rejects.toThrow(LeaseLostError);
  });
});

describe('the release', () => {
  test("follows a throw, and the error is the work's", async () => {
    const service = serviceWith(alive);
    const work = hold(service);
    await service.clock.advance(1000);
    const error = new Error('mine');
    work.fail(error);
    await expect(work.result).rejects.toBe(error);
    expect(service.releases).toHaveLength(1);
  });

  test('follows an abort by the caller, once the work has ended; the lease is kept until then', async () => {
    const service = serviceWith(alive);
    const caller = new AbortController();
    const work = hold(service, { signal: caller.signal });
    await service.clock.advance(1000);
    const reason = new Error('enough');
    caller.abort(reason);
    expect(work.reason).toBe(reason);
    await service.clock.advance(50_000);
    expect(work.settled).toBe(false);
    expect(service.keepAlives).toHaveLength(2);
    work.fail(reason);
    await expect(work.result).rejects.toBe(reason);
    expect(service.releases).toHaveLength(1);
  });

  test('is tried even when the lease was lost by our own clock: the service may still have it', async () => {
    const service = serviceWith(() => 'refuse');
    const work = hold(service);
    await service.clock.advance(LEASE_MS);
    work.finish();
    await expect(work.result).rejects.toThrow(LeaseLostError);
    expect(service.releases).toHaveLength(1);
  });

  test('that never gets through does not take the result away, and is reported', async () => {
    const service = new ScriptedService((request) =>
      request.method === 'DELETE' ? 'refuse' : leaseAnswer(),
    );
    const failures: unknown[] = [];
    const result = service.client.withLease(
      { onReleaseFailed: (error) => failures.push(error) },
      () => 'mine',
    );
    await service.clock.advance(10_000);
    expect(await result).toBe('mine');
    expect(failures).toMatchObject([{ code: 'unreachable' }]);
    expect(service.releases).toHaveLength(4);
  });

  test('answered 410 takes nothing away: the work was done in time', async () => {
    const service = new ScriptedService((request) =>
      request.method === 'DELETE' ? problem(410, 'lease_ended', { reason: 'unblocked' }) : leaseAnswer(),
    );
    const result = service.client.withLease({}, () => 'mine');
    expect(await result).toBe('mine');
  });

  test('alone, a 410 to its repeat is done, a 410 to its first try is an error', async () => {
    const lost = new ScriptedService((_, count) =>
      count === 1 ? 'refuse' : problem(410, 'lease_ended', { reason: 'unknown' }),
    );
    const released = lost.client.release('lease_1');
    await lost.clock.advance(1000);
    await expect(released).resolves.toBeUndefined();

    const over = new ScriptedService(() => problem(410, 'lease_ended', { reason: 'lapsed' }));
    await expect(over.client.release('lease_1')).rejects.toMatchObject({ reason: 'lapsed' });
  });
});

test('withLease runs no work when there is no key', async () => {
  const service = new ScriptedService(() => problem(409, 'no_key_available', { retryAfterMs: 5000 }));
  let ran = false;
  const result = service.client.withLease({}, () => {
    ran = true;
  });
  await expect(result).rejects.toThrow(NoKeyAvailableError);
  await settle();
  expect(ran).toBe(false);
});
