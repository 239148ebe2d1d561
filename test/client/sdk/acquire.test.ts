import { describe, expect, test } from 'vitest';
import { NoKeyAvailableError, PoolPausedError } from '../../../client/sdk/errors.ts';
import { outcomeOf } from '../support/outcome-of.ts';
import { leaseAnswer, problem, ScriptedService } from '../support/scripted-service.ts';

const none = (retryAfterMs: number) => problem(409, 'no_key_available', { retryAfterMs });

describe('without waiting', () => {
  test('no free key is an error at once, which says when one may be', async () => {
    const service = new ScriptedService(() => none(42_000));
    await expect(service.client.acquire()).rejects.toMatchObject({
      code: 'no_key_available',
      status: 409,
      retryAfterMs: 42_000,
    });
    expect(service.seen).toHaveLength(1);
  });

  test('failures that may pass are repeated three times, with one idempotency key', async () => {
    const service = new ScriptedService(() => 'refuse');
    const outcome = outcomeOf(service.client.acquire());
    await service.clock.advance(10_000);
    expect(outcome.error).toMatchObject({ code: 'unreachable' });
    expect(service.seen).toHaveLength(4);
    expect(new Set(service.seen.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
  });

  test('two acquires have two idempotency keys', async () => {
    const service = new ScriptedService(() => leaseAnswer());
    await service.client.acquire();
    await service.client.acquire();
    const [first, second] = service.seen;
    expect(first?.idempotencyKey).toMatch(/^[0-9a-f]{32}$/);
    expect(second?.idempotencyKey).not.toBe(first?.idempotencyKey);
  });

  test('a 410 means that the lease of a lost answer is over: the next try is a new attempt', async () => {
    const service = new ScriptedService((_, count) => {
      if (count === 1) return 'refuse';
      return count === 2 ? problem(410, 'lease_ended', { reason: 'lapsed' }) : leaseAnswer();
    });
    const outcome = outcomeOf(service.client.acquire());
    await service.clock.advance(5000);
    expect(outcome.value).toMatchObject({ leaseId: 'lease_1' });
    const [first, second, third] = service.seen.map(({ idempotencyKey }) => idempotencyKey);
    expect(second).toBe(first);
    expect(third).not.toBe(first);
  });

  test('what the request asks for is sent, and that it waits; waitMs and the signal are not', async () => {
    const service = new ScriptedService(() => leaseAnswer());
    const signal = new AbortController().signal;
    await service.client.acquire({ pool: 'p', holder: 'h', leaseSeconds: 5, waitMs: 1, signal });
    expect(service.seen[0]).toMatchObject({
      method: 'POST',
      path: '/v1/leases',
      body: { pool: 'p', holder: 'h', leaseSeconds: 5 },
    });
    expect(Object.keys(service.seen[0]?.body as object)).toEqual(['pool', 'holder', 'leaseSeconds', 'wait']);
  });

  test('a lease with too little left for a keep-alive is given back, and another one acquired', async () => {
    const service = new ScriptedService((request, count) => {
      if (request.method === 'DELETE') return { status: 204 };
      return count === 1 ? leaseAnswer({ expiresInMs: 19_000 }) : leaseAnswer({ leaseId: 'lease_2' });
    });
    const outcome = outcomeOf(service.client.acquire());
    await service.clock.advance(1000);
    expect(outcome.value).toMatchObject({ leaseId: 'lease_2' });
    expect(service.seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /v1/leases',
      'DELETE /v1/leases/lease_1',
      'POST /v1/leases',
    ]);
    expect(service.seen[2]?.idempotencyKey).not.toBe(service.seen[0]?.idempotencyKey);
  });
});

describe('waiting', () => {
  test('asks again until a key is free', async () => {
    const service = new ScriptedService((_, count) => (count < 6 ? none(60_000) : leaseAnswer()));
    const outcome = outcomeOf(service.client.acquire({ waitMs: 30_000 }));
    await service.clock.advance(30_000);
    expect(outcome.value).toMatchObject({ leaseId: 'lease_1' });
    expect(service.seen).toHaveLength(6);
  });

  test('asks a last time when the time is over, and then fails with what the service said', async () => {
    const service = new ScriptedService(() => none(60_000));
    const outcome = outcomeOf(service.client.acquire({ waitMs: 30_000 }));
    await service.clock.advance(29_999);
    expect(outcome.error).toBeUndefined();
    await service.clock.advance(1);
    expect(outcome.error).toBeInstanceOf(NoKeyAvailableError);
    expect(service.seen.at(-1)?.at).toBe(30_000);
    // It goes on after each but the last: that one is the refusal that the service counts.
    const says = service.seen.map(({ body }) => (body as { wait?: true }).wait);
    expect(says).toEqual([...Array(says.length - 1).fill(true), undefined]);
  });

  test('never pauses for more than a few seconds: a release may come long before the lease would lapse', async () => {
    const service = new ScriptedService(
      () => none(600_000),
      () => 0.999,
    );
    outcomeOf(service.client.acquire({ waitMs: 60_000 }));
    await service.clock.advance(60_000);
    const pauses = service.seen.slice(1).map(({ at }, index) => at - (service.seen[index]?.at ?? 0));
    expect(Math.max(...pauses)).toBeLessThanOrEqual(3000);
    expect(service.seen.length).toBeLessThan(60);
  });

  test('comes back when the service said that a key is free, if that is sooner', async () => {
    const service = new ScriptedService(
      ({ at }) => none(at > 10_000 ? 700 : 60_000),
      () => 0.999,
    );
    outcomeOf(service.client.acquire({ waitMs: 60_000 }));
    await service.clock.advance(20_000);
    const [first, second] = service.seen.filter(({ at }) => at > 10_000);
    const pause = (second?.at ?? 0) - (first?.at ?? 0);
    expect(pause).toBeGreaterThanOrEqual(700);
    expect(pause).toBeLessThan(1000);
  });

  test('goes on through failures that may pass, until the time is over', async () => {
    const service = new ScriptedService(() => 'refuse');
    const outcome = outcomeOf(service.client.acquire({ waitMs: 60_000 }));
    await service.clock.advance(59_999);
    expect(outcome.error).toBeUndefined();
    await service.clock.advance(10_000);
    expect(outcome.error).toMatchObject({ code: 'unreachable' });
  });

  test('waits for a paused pool as well', async () => {
    const service = new ScriptedService((_, count) =>
      count < 3 ? problem(409, 'pool_paused') : leaseAnswer(),
    );
    const outcome = outcomeOf(service.client.acquire({ waitMs: 10_000 }));
    await service.clock.advance(10_000);
    expect(outcome.value).toMatchObject({ leaseId: 'lease_1' });

    const impatient = new ScriptedService(() => problem(409, 'pool_paused'));
    await expect(impatient.client.acquire()).rejects.toThrow(PoolPausedError);
  });

  test('does not wait where waiting is of no use', async () => {
    const service = new ScriptedService(() => problem(404, 'pool_not_found'));
    await expect(service.client.acquire({ waitMs: 60_000 })).rejects.toMatchObject({
      code: 'pool_not_found',
    });
    expect(service.seen).toHaveLength(1);
  });

  test('ends with the reason of an abort', async () => {
    const service = new ScriptedService(() => none(60_000));
    const caller = new AbortController();
    const outcome = outcomeOf(service.client.acquire({ waitMs: 60_000, signal: caller.signal }));
    await service.clock.advance(5000);
    const reason = new Error('enough');
    caller.abort(reason);
    await service.clock.advance(0);
    expect(outcome.error).toBe(reason);
    expect(service.clock.timers).toBe(0);
  });

  test('releases a lease that comes after the abort', async () => {
    const service: ScriptedService = new ScriptedService((request) => {
      if (request.method === 'DELETE') return { status: 204 };
      return async () => {
        await new Promise<void>((resolve) => service.clock.schedule(resolve, 1500));
        return leaseAnswer();
      };
    });
    const caller = new AbortController();
    const outcome = outcomeOf(service.client.withLease({ signal: caller.signal }, () => 'never'));
    await service.clock.advance(100);
    const reason = new Error('enough');
    caller.abort(reason);
    await service.clock.advance(2000);
    expect(outcome.error).toBe(reason);
    expect(service.releases).toHaveLength(1);
  });

  test('a request that hangs after the abort is given up soon', async () => {
    const service = new ScriptedService(() => 'hang');
    const caller = new AbortController();
    const outcome = outcomeOf(service.client.acquire({ signal: caller.signal }));
    await service.clock.advance(100);
    const reason = new Error('enough');
    caller.abort(reason);
    await service.clock.advance(2000);
    expect(outcome.error).toBe(reason);
  });
});
