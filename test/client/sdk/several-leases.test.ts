import { describe, expect, test } from 'vitest';
import { LeaseEndedError } from '../../../client/sdk/errors.ts';
import { outcomeOf } from '../support/outcome-of.ts';
import { leaseAnswer, problem, type Script, ScriptedService } from '../support/scripted-service.ts';

const three = ['lease_1', 'lease_2', 'lease_3'].map((leaseId) => leaseAnswer({ leaseId }).body);

/** Answers every acquire, keep-alive and release well, but for what the test says. */
function service(special: (path: string, method: string) => Script | undefined = () => undefined) {
  return new ScriptedService(({ method, path }) => {
    const given = special(path, method);
    if (given !== undefined) return given;
    if (method === 'DELETE') return { status: 204 };
    if (path.endsWith('/keep-alive')) return leaseAnswer({ leaseId: path.split('/')[3] }, 200);
    return { status: 201, body: { leases: three } };
  });
}

describe('withLeases', () => {
  test('asks for all in one request, keeps each alive, and releases each', async () => {
    const scripted = service();
    const outcome = outcomeOf(
      scripted.client.withLeases({ pool: 'p', count: 3 }, async (leases) => {
        await new Promise<void>((resolve) => scripted.clock.schedule(resolve, 100_000));
        return leases.map(({ leaseId }) => leaseId);
      }),
    );
    await scripted.clock.advance(101_000);
    expect(outcome.value).toEqual(['lease_1', 'lease_2', 'lease_3']);
    expect(scripted.of('POST', '/leases').map(({ body }) => body)).toEqual([{ pool: 'p', count: 3 }]);
    for (const leaseId of outcome.value ?? []) {
      expect(scripted.of('POST', `${leaseId}/keep-alive`).length).toBeGreaterThanOrEqual(3);
      expect(scripted.of('DELETE', leaseId)).toHaveLength(1);
    }
  });

  test('waits until all can be had at once', async () => {
    let asked = 0;
    const scripted = service((path) => {
      if (!path.endsWith('/leases')) return undefined;
      asked += 1;
      return asked < 4 ? problem(409, 'no_key_available', { retryAfterMs: 60_000 }) : undefined;
    });
    const outcome = outcomeOf(scripted.client.withLeases({ count: 3, waitMs: 10_000 }, () => 'done'));
    await scripted.clock.advance(10_000);
    expect(outcome.value).toBe('done');
    expect(asked).toBe(4);
  });

  test('ends the work when one lease is over, and releases the others', async () => {
    const scripted = service((path) =>
      path.endsWith('lease_2/keep-alive') ? problem(410, 'lease_ended', { reason: 'unblocked' }) : undefined,
    );
    let seen: AbortSignal | undefined;
    const outcome = outcomeOf(
      scripted.client.withLeases({ count: 3 }, (_, signal) => {
        seen = signal;
        return new Promise((resolve) => signal.addEventListener('abort', resolve));
      }),
    );
    await scripted.clock.advance(25_000);
    expect(seen?.reason).toBeInstanceOf(LeaseEndedError);
    expect(outcome.error).toBe(seen?.reason);
    expect(scripted.releases.map(({ path }) => path).sort()).toEqual([
      '/v1/leases/lease_1',
      '/v1/leases/lease_3',
    ]);
  });

  test('gives all back when the response came too late for one of them', async () => {
    let asked = 0;
    const scripted = service((path) => {
      if (!path.endsWith('/leases')) return undefined;
      asked += 1;
      const late = { ...(three[2] as object), expiresInMs: 1000 };
      return asked === 1 ? { status: 201, body: { leases: [three[0], three[1], late] } } : undefined;
    });
    const outcome = outcomeOf(scripted.client.withLeases({ count: 3 }, () => scripted.releases.length));
    await scripted.clock.advance(1000);
    expect(outcome.value).toBe(3);
    expect(asked).toBe(2);
  });
});

describe('how a lease is released', () => {
  test('is what its work said last, of each lease by itself', async () => {
    const scripted = service();
    await scripted.client.withLeases({ count: 3 }, ([first, second]) => {
      first?.releaseAs('discard');
      second?.releaseAs('discard');
      second?.releaseAs('cooldown');
    });
    const outcomes = scripted.releases.map(({ path, query }) => [path.split('/')[3], query.outcome]);
    expect(Object.fromEntries(outcomes)).toEqual({
      lease_1: 'discard',
      lease_2: 'cooldown',
      lease_3: undefined,
    });
  });

  test('is said also when the work failed, and in every repeat of the release', async () => {
    let releases = 0;
    const scripted = new ScriptedService(({ method }) => {
      if (method !== 'DELETE') return leaseAnswer();
      releases += 1;
      return releases === 1 ? 'refuse' : { status: 204 };
    });
    const failure = new Error('429 from the third party');
    const outcome = outcomeOf(
      scripted.client.withLease({}, (lease) => {
        lease.releaseAs('cooldown');
        throw failure;
      }),
    );
    await scripted.clock.advance(1000);
    expect(outcome.error).toBe(failure);
    expect(scripted.releases.map(({ query }) => query.outcome)).toEqual(['cooldown', 'cooldown']);
  });

  test('can be said by hand', async () => {
    const scripted = new ScriptedService(() => ({ status: 204 }));
    await scripted.client.release('lease_1', { outcome: 'discard' });
    expect(scripted.releases[0]?.query).toEqual({ outcome: 'discard' });
  });
});
