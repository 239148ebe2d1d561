import { describe, expect, test } from 'vitest';
import * as errors from '../../../client/sdk/errors.ts';
import { problem, type Script, ScriptedService } from '../support/scripted-service.ts';

const KEY = { keyId: 'key_1', fencingToken: 7 };
const POOL = { status: 200, body: { pool: 'p' } };

describe('what is sent again', () => {
  const throttled = { status: 429, body: { message: 'Too Many Requests' } };

  test('a client whose creation or rotation has an unknown outcome is not; one that was certainly not created is', async () => {
    const unknown = new ScriptedService(() => 'refuse');
    await expect(unknown.client.clients.create({ role: 'viewer' })).rejects.toThrow(errors.UnreachableError);
    await expect(unknown.client.clients.rotate('c')).rejects.toThrow(errors.UnreachableError);
    expect(unknown.seen).toHaveLength(2);

    const refused = new ScriptedService((_, count) =>
      count === 1 ? throttled : { status: 201, body: { clientId: 'c' } },
    );
    const created = refused.client.clients.create({ role: 'viewer' });
    await refused.clock.advance(1000);
    expect(await created).toEqual({ clientId: 'c' });
  });

  test('a creation of keys is, with one idempotency key for all tries and another one for the next', async () => {
    const service = new ScriptedService((_, count) =>
      count === 1 ? 'refuse' : { status: 201, body: { keys: [] } },
    );
    const request = { pool: 'p', values: ['secret', { value: 'other', labels: { region: 'eu' } }] };
    const created = service.client.keys.create(request);
    await service.clock.advance(1000);
    expect(await created).toEqual({ keys: [] });
    await service.client.keys.create(request);
    const [lost, repeat, next] = service.seen;
    expect(lost?.idempotencyKey).toMatch(/^[0-9a-f]{32}$/);
    expect(repeat).toMatchObject({ body: request, idempotencyKey: lost?.idempotencyKey });
    expect(next?.idempotencyKey).not.toBe(lost?.idempotencyKey);
  });

  test('a deletion is; not found by its repeat means that it was done', async () => {
    const lost = new ScriptedService((_, count) => (count === 1 ? 'refuse' : problem(404, 'key_not_found')));
    const deleted = lost.client.keys.delete(KEY);
    await lost.clock.advance(1000);
    await expect(deleted).resolves.toBeUndefined();

    const gone = new ScriptedService(() => problem(404, 'key_not_found'));
    await expect(gone.client.keys.delete(KEY)).rejects.toThrow(errors.NotFoundError);
  });

  test('an answer that never comes is given up, and the request sent again', async () => {
    const service = new ScriptedService((_, count) =>
      count === 1 ? 'hang' : { status: 200, body: { keyId: 'k' } },
    );
    const key = service.client.keys.get('k');
    await service.clock.advance(20_000);
    expect(await key).toEqual({ keyId: 'k' });
    expect(service.seen[0]?.aborted).toBe(true);
  });

  test('nothing after the caller gave up', async () => {
    const service = new ScriptedService(() => 'refuse');
    const caller = new AbortController();
    const reason = new Error('enough');
    const listed = expect(service.client.keys.list({ signal: caller.signal })).rejects.toBe(reason);
    await service.clock.advance(10);
    caller.abort(reason);
    await listed;
    const sent = service.seen.length;
    await service.clock.advance(10_000);
    expect(service.seen).toHaveLength(sent);
  });

  test('nothing hangs with a fetch that ignores its signal', async () => {
    const service = new ScriptedService((_, count) => (count === 1 ? 'deaf' : POOL));
    const read = service.client.pools.get('p');
    await service.clock.advance(20_000);
    expect(await read).toEqual(POOL.body);

    const deaf = new ScriptedService(() => 'deaf');
    const caller = new AbortController();
    const reason = new Error('enough');
    const listed = expect(deaf.client.keys.list({ signal: caller.signal })).rejects.toBe(reason);
    caller.abort(reason);
    await listed;
  });
});

describe('the end of a lease', () => {
  test('names the lease that the key had when it was read, in the first request and in its repeats', async () => {
    const service = new ScriptedService((_, count) =>
      count % 2 === 1 ? 'refuse' : { status: 200, body: KEY },
    );
    const ends = Promise.all([
      service.client.keys.unblock(KEY, { force: true }),
      service.client.keys.delete(KEY),
    ]);
    await service.clock.advance(5000);
    await ends;
    expect(service.seen.length).toBeGreaterThanOrEqual(3);
    expect(new Set(service.seen.map(({ query }) => query.fencingToken))).toEqual(new Set(['7']));
    expect(service.of('POST', '/unblock')[0]?.query.force).toBe('true');
    expect(service.of('DELETE')[0]?.query.force).toBeUndefined();
  });

  test.each([undefined, Number.NaN, '7'])('is refused without a fencing token (%s)', async (fencingToken) => {
    const service = new ScriptedService(() => POOL);
    const key = { keyId: 'key_1', fencingToken: fencingToken as number };
    await expect(service.client.keys.unblock(key)).rejects.toThrow(TypeError);
    await expect(service.client.keys.delete(key)).rejects.toThrow(TypeError);
    expect(service.seen).toHaveLength(0);
  });

  test('that met another lease is an error', async () => {
    const service = new ScriptedService(() => problem(409, 'lease_changed'));
    await expect(service.client.keys.unblock(KEY)).rejects.toThrow(errors.LeaseChangedError);
    await expect(service.client.keys.delete(KEY)).rejects.toThrow(errors.LeaseChangedError);
    expect(service.seen).toHaveLength(2);
  });

  test.each(['lease_changed', 'key_not_leased'])(
    'whose answer got lost is done when the repeat finds %s: the lease that was meant is over',
    async (code) => {
      const now = { keyId: 'key_1', fencingToken: 8, state: 'leased' };
      const service = new ScriptedService((request, count) => {
        if (request.method === 'GET') return { status: 200, body: now };
        return count === 1 ? 'refuse' : problem(409, code);
      });
      const unblocked = service.client.keys.unblock(KEY);
      await service.clock.advance(1000);
      expect(await unblocked).toEqual(now);
    },
  );

  test('by a deletion is not done when the repeat finds another lease: the key is still there', async () => {
    const service = new ScriptedService((_, count) =>
      count === 1 ? 'refuse' : problem(409, 'lease_changed'),
    );
    const deleted = expect(service.client.keys.delete(KEY)).rejects.toThrow(errors.LeaseChangedError);
    await service.clock.advance(1000);
    await deleted;
  });
});

describe('a pool', () => {
  test.each([
    ['no answer', 'refuse' as Script, errors.UnreachableError],
    ['a 503', problem(503, 'database_unavailable', { retryAfterMs: 1 }), errors.ServiceUnavailableError],
    [
      'the gateway throttling',
      { status: 429, body: { message: 'Too Many Requests' } },
      errors.ThrottledError,
    ],
  ])('is deleted by one request, whatever comes back: %s', async (_, script, errorClass) => {
    const service = new ScriptedService(() => script);
    const error = await service.client.pools.delete('p').catch((reason: unknown) => reason);
    await service.clock.advance(60_000);
    expect(error).toBeInstanceOf(errorClass);
    expect(service.seen).toHaveLength(1);
    if (!(error instanceof errors.ThrottledError)) {
      expect((error as Error).message).toContain('it is not known whether this was done');
    }
  });

  test('is changed by what is named, and created or replaced as a whole', async () => {
    const service = new ScriptedService(() => POOL);
    const expectedUpdatedAt = '2026-01-01T00:00:00.000Z';
    await service.client.pools.update('p', { paused: true });
    await service.client.pools.update('p', { maxKeys: null }, { expectedUpdatedAt });
    await service.client.pools.put('p', { leaseSeconds: 30 }, { expectedUpdatedAt });
    await service.client.pools.refresh('p');
    expect(service.seen.map(({ method, path, body }) => ({ method, path, body }))).toEqual([
      { method: 'PATCH', path: '/v1/pools/p', body: { paused: true } },
      { method: 'PATCH', path: '/v1/pools/p', body: { maxKeys: null, expectedUpdatedAt } },
      { method: 'PUT', path: '/v1/pools/p', body: { leaseSeconds: 30, expectedUpdatedAt } },
      { method: 'POST', path: '/v1/pools/p/refresh', body: undefined },
    ]);
  });

  test('is changed again after a lost answer, unless the repeat would find its own change', async () => {
    const script = (_: unknown, count: number): Script => (count === 1 ? 'refuse' : POOL);
    const repeated = new ScriptedService(script);
    const updated = repeated.client.pools.update('p', { paused: true });
    await repeated.clock.advance(1000);
    expect(await updated).toEqual(POOL.body);

    const once = new ScriptedService(script);
    const expectedUpdatedAt = '2026-01-01T00:00:00.000Z';
    await expect(once.client.pools.update('p', {}, { expectedUpdatedAt })).rejects.toThrow(/not known/);
    expect(once.seen).toHaveLength(1);
  });
});

test('a client is rotated as it is asked for', async () => {
  const service = new ScriptedService(() => ({ status: 201, body: { credential: 'c.new' } }));
  const request = { keepOldSeconds: 0, expiresInSeconds: null };
  expect(await service.client.clients.rotate('c', request)).toEqual({ credential: 'c.new' });
  expect(service.seen).toMatchObject([{ method: 'POST', path: '/v1/clients/c/secrets', body: request }]);
});

test('a client is revoked by force when it is said so, and says who it is', async () => {
  const service = new ScriptedService(() => ({ status: 200, body: { clientId: 'c', role: 'admin' } }));
  await service.client.clients.delete('c');
  await service.client.clients.delete('c', { force: true });
  expect(service.seen.map(({ query }) => query.force)).toEqual([undefined, 'true']);
  expect(await service.client.me()).toEqual({ clientId: 'c', role: 'admin' });
  expect(service.seen.at(-1)).toMatchObject({ method: 'GET', path: '/v1/me' });
});
