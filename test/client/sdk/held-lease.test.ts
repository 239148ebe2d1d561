import { describe, expect, test } from 'vitest';
import { createClient } from '../../../client/sdk/create-client.ts';
import { LeaseEndedError, LeaseLostError } from '../../../client/sdk/errors.ts';
import type { HeldLease } from '../../../client/sdk/held-lease.ts';
import {
  CREDENTIAL,
  LEASE_MS,
  leaseAnswer,
  problem,
  type Script,
  ScriptedService,
} from '../support/scripted-service.ts';

const none = problem(409, 'no_key_available', { retryAfterMs: 600_000 });
const ended = (reason: string) => problem(410, 'lease_ended', { reason });

/** Answers `answer` so many milliseconds after it was asked. */
function answerIn(
  ms: number,
  service: () => ScriptedService,
  answer: ReturnType<typeof leaseAnswer>,
): Script {
  return async () => {
    await new Promise<void>((resolve) => service().clock.schedule(resolve, ms));
    return answer;
  };
}

/** What comes of a promise while the clock of the service is moved. */
async function advancing<Value>(
  service: ScriptedService,
  ms: number,
  promise: Promise<Value>,
): Promise<Value> {
  promise.catch(() => undefined);
  await service.clock.advance(ms);
  return promise;
}

describe('the time of a lease that was acquired by hand', () => {
  test('counts from before the request was sent', async () => {
    const service: ScriptedService = new ScriptedService(() => answerIn(9000, () => service, leaseAnswer()));
    const lease = await advancing(service, 10_000, service.client.acquire());
    expect(lease.remainingMs()).toBe(LEASE_MS - 10_000);
    await service.clock.advance(LEASE_MS);
    expect(lease.remainingMs()).toBe(0);
  });

  test('counts from the attempt that succeeded, not from the waiting before it', async () => {
    const service = new ScriptedService((request) => (request.at < 30_000 ? none : leaseAnswer()));
    const lease = await advancing(service, 30_000, service.client.acquire({ waitMs: 30_000 }));
    expect(lease.remainingMs()).toBe(LEASE_MS);
  });

  test('counts from the first request with the same idempotency key when that one began the lease', async () => {
    // The host that answers the repeat has a clock that is 900 ms behind.
    const service: ScriptedService = new ScriptedService((request, count) =>
      count === 1 ? 'hang' : leaseAnswer({ expiresInMs: LEASE_MS - request.at + 900 }, 200),
    );
    const lease = await advancing(service, 20_000, service.client.acquire());
    expect(lease.remainingMs()).toBe(LEASE_MS - 20_000);
  });

  test('is less when the answer to the repeat says less', async () => {
    const service: ScriptedService = new ScriptedService((_, count) =>
      count === 1 ? 'refuse' : leaseAnswer({ expiresInMs: 30_000 }, 200),
    );
    const lease = await advancing(service, 1000, service.client.acquire());
    expect(lease.remainingMs()).toBe(30_000 - 1000 + (service.seen[1]?.at ?? 0));
  });

  test('counts from the repeat when that one began the lease', async () => {
    const service = new ScriptedService((_, count) => (count === 1 ? 'hang' : leaseAnswer()));
    const lease = await advancing(service, 20_000, service.client.acquire());
    expect(lease.remainingMs()).toBe(LEASE_MS - 20_000 + (service.seen[1]?.at ?? 0));
  });

  test('is not cut by a wait in which every request was answered', async () => {
    const service = new ScriptedService((request) => {
      if (request.at < 50_000) return none;
      return request.at < 53_000 ? 'hang' : leaseAnswer({}, 200);
    });
    const lease = await advancing(service, 70_000, service.client.acquire({ waitMs: 70_000 }));
    const hung = service.seen.find(({ at }) => at >= 50_000);
    expect(lease.remainingMs()).toBeLessThanOrEqual(LEASE_MS - 70_000 + (hung?.at ?? 0));
    expect(lease.remainingMs()).toBeGreaterThan(LEASE_MS - 70_000 + 47_000);
  });

  test('goes on with a keep-alive, for every copy of the lease', async () => {
    const service: ScriptedService = new ScriptedService((request) =>
      request.path.endsWith('/keep-alive')
        ? answerIn(2000, () => service, leaseAnswer({}, 200))
        : leaseAnswer(),
    );
    const lease = await service.client.acquire();
    await service.clock.advance(20_000);
    const kept = await advancing(service, 2000, service.client.keepAlive(lease.leaseId));
    expect([lease.remainingMs(), kept.remainingMs()]).toEqual([LEASE_MS - 2000, LEASE_MS - 2000]);
  });

  test('is in no JSON', async () => {
    const service = new ScriptedService(() => leaseAnswer());
    expect(JSON.parse(JSON.stringify(await service.client.acquire()))).toEqual(leaseAnswer().body);
  });
});

describe('nothing is left of a lease', () => {
  type End = (service: ScriptedService, lease: HeldLease) => Promise<unknown>;

  test.each<[string, Script, End]>([
    ['that was released', { status: 204 }, ({ client }, { leaseId }) => client.release(leaseId)],
    [
      'whose release never got through',
      'refuse',
      (service, { leaseId }) => advancing(service, 10_000, service.client.release(leaseId)),
    ],
    ['that lapsed', ended('lapsed'), ({ client }, { leaseId }) => client.keepAlive(leaseId)],
    ['that an admin ended', ended('unblocked'), ({ client }, { leaseId }) => client.keepAlive(leaseId)],
    [
      'that is over when it is read',
      ended('deleted'),
      ({ client }, { leaseId }) => client.leases.get(leaseId),
    ],
    [
      'that this client ended by force',
      { status: 200, body: {} },
      ({ client }, lease) => client.keys.unblock(lease, { force: true }),
    ],
    ['whose key this client deleted', { status: 204 }, ({ client }, lease) => client.keys.delete(lease)],
    ['whose pool this client deleted', { status: 202 }, ({ client }, { pool }) => client.pools.delete(pool)],
  ])('%s', async (_, script, end) => {
    const service = new ScriptedService((_request, count) => (count === 1 ? leaseAnswer() : script));
    const lease = await service.client.acquire();
    expect(() => lease.throwIfLost()).not.toThrow();
    await end(service, lease).catch(() => undefined);
    expect(lease.remainingMs()).toBe(0);
    expect(() => lease.throwIfLost()).toThrow(LeaseEndedError);
  });

  test('whose time is over by our own clocks', async () => {
    const service = new ScriptedService(() => leaseAnswer());
    const lease = await service.client.acquire();
    service.clock.freeze(LEASE_MS, 'stands still');
    expect(lease.remainingMs()).toBe(0);
    expect(() => lease.throwIfLost()).toThrow(LeaseLostError);
  });

  test('an end of another lease of the same key, or of another pool, leaves it alone', async () => {
    const service = new ScriptedService((_, count) =>
      count === 1 ? leaseAnswer() : { status: 202, body: {} },
    );
    const lease = await service.client.acquire();
    await service.client.keys.unblock({ ...lease, fencingToken: lease.fencingToken - 1 });
    await service.client.pools.delete('another');
    expect(lease.remainingMs()).toBe(LEASE_MS);
  });
});

describe('under withLease', () => {
  const whileHeld = (
    service: ScriptedService,
    work: (lease: HeldLease, signal: AbortSignal) => unknown,
  ): Promise<unknown> => service.client.withLease({}, work).catch((error: unknown) => error);
  const answering = (script: Script) =>
    new ScriptedService((_, count) => (count === 1 ? leaseAnswer() : script));

  test('throwIfLost tells work that blocks the event loop', async () => {
    const service = answering({ status: 204 });
    let aborted: boolean | undefined;
    const error = await whileHeld(service, (lease, signal) => {
      lease.throwIfLost();
      // No timer runs meanwhile.
      service.clock.freeze(LEASE_MS - 5000, 'goes on');
      try {
        lease.throwIfLost();
      } finally {
        aborted = signal.aborted;
      }
    });
    expect(error).toBeInstanceOf(LeaseLostError);
    expect(aborted).toBe(true);
  });

  test('a release by hand aborts the work', async () => {
    const service = answering({ status: 204 });
    const error = await whileHeld(service, async (lease, signal) => {
      await service.client.release(lease.leaseId);
      expect(signal.aborted).toBe(true);
      expect(lease.remainingMs()).toBe(0);
    });
    expect(error).toMatchObject({ code: 'lease_ended', reason: 'released' });
    expect(service.releases).toHaveLength(1);
  });

  test('a lease that is handed out of it is over with it', async () => {
    const lease = await answering({ status: 204 }).client.withLease({}, (held) => held);
    expect(lease.remainingMs()).toBe(0);
    expect(lease.graceMs()).toBe(0);
  });

  test.each([
    ['unblocked', LEASE_MS - 20_000],
    ['deleted', LEASE_MS - 20_000],
    ['lapsed', 0],
    ['released', 0],
    ['unknown', 0],
  ])('a lease that is over (%s) leaves %i ms to stop in', async (reason, graceMs) => {
    const service = answering(ended(reason));
    let left: number[] = [];
    const error = whileHeld(service, async (lease, signal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      left = [lease.remainingMs(), lease.graceMs()];
    });
    expect(await advancing(service, 20_000, error)).toMatchObject({ reason });
    expect(left).toEqual([0, graceMs]);
  });

  test('a fetch that ignores its signal hangs neither the keep-alives, nor the release, nor the acquire', async () => {
    const failures: unknown[] = [];
    const service = answering('deaf');
    const held = service.client.withLease({ onReleaseFailed: (error) => failures.push(error) }, () => 'done');
    expect(await advancing(service, 60_000, held)).toBe('done');
    expect(failures).toMatchObject([{ code: 'unreachable' }]);

    const deaf = new ScriptedService(() => 'deaf');
    await expect(advancing(deaf, 60_000, deaf.client.acquire())).rejects.toMatchObject({
      code: 'unreachable',
    });
    await expect(advancing(deaf, 60_000, deaf.client.keepAlive('lease_1'))).rejects.toMatchObject({
      code: 'unreachable',
    });
  });

  test("the caller's signal gives up a release that hangs, and the result stays", async () => {
    const failures: unknown[] = [];
    const service = answering('hang');
    const caller = new AbortController();
    const options = { signal: caller.signal, onReleaseFailed: (error: unknown) => failures.push(error) };
    const held = service.client.withLease(options, () => 'done');
    await service.clock.advance(100);
    expect(service.releases).toHaveLength(1);
    caller.abort(new Error('enough'));
    expect(await held).toBe('done');
    expect(failures).toMatchObject([{ code: 'unreachable', cause: { message: 'enough' } }]);
  });

  test('each keep-alive that extended the lease is told', async () => {
    let told = 0;
    const service = new ScriptedService((request, count) => {
      if (request.method === 'DELETE') return { status: 204 };
      return count === 2 ? problem(503, 'internal') : leaseAnswer({}, 200);
    });
    const held = service.client.withLease(
      { onKeptAlive: () => told++ },
      () => new Promise<void>((resolve) => service.clock.schedule(resolve, 50_000)),
    );
    await advancing(service, 50_000, held);
    expect(told).toBe(service.keepAlives.length - 1);
  });
});

describe('an option that is no duration is refused at the call', () => {
  const odd = [Number.NaN, -1, '30s', null, {}] as unknown as number[];

  test.each(odd)('%s', async (ms) => {
    const service = new ScriptedService(() => leaseAnswer());
    const never = (): never => {
      throw new Error('The work ran');
    };
    await expect(service.client.acquire({ waitMs: ms })).rejects.toThrow(/^waitMs must be a number/);
    await expect(service.client.withLease({ waitMs: ms }, never)).rejects.toThrow(/^waitMs must be/);
    await expect(service.client.withLease({ safetyMarginMs: ms }, never)).rejects.toThrow(/^safetyMarginMs/);
    const options = { url: 'https://service.test', credential: CREDENTIAL, requestTimeoutMs: ms };
    expect(() => createClient(options)).toThrow(/^requestTimeoutMs must be/);
    expect(service.seen).toHaveLength(0);
  });

  test('waiting for ever is one', async () => {
    const service = new ScriptedService(() => leaseAnswer());
    await service.client.acquire({ waitMs: Number.POSITIVE_INFINITY });
  });
});

test('whoever waits is told why, before each pause', async () => {
  const service = new ScriptedService(
    (_, count) => [none, problem(409, 'pool_paused'), problem(503, 'internal')][count - 1] ?? leaseAnswer(),
  );
  const told: string[] = [];
  const onWaiting = ({ code }: { code: string }): unknown => told.push(code);
  await advancing(service, 30_000, service.client.acquire({ waitMs: 30_000, onWaiting }));
  expect(told).toEqual(['no_key_available', 'pool_paused']);
});
