import { describe, expect, it } from 'vitest';
import type { CreateKeysResponse, Key } from '../../shared/contract/keys.ts';
import type { Problem } from '../../shared/contract/problems.ts';
import { admin, START, useTestApi, viewer, worker } from '../support/test-api.ts';

describe('POST /v1/keys', () => {
  const api = useTestApi();

  it('adds one free key to the default pool when the body is empty', async () => {
    const { status, body } = await api.call<CreateKeysResponse>('POST', '/v1/keys');
    expect(status).toBe(201);
    expect(body.keys).toEqual([
      {
        keyId: expect.stringMatching(/^key_[\w-]{22}$/),
        pool: 'default',
        state: 'free',
        fencingToken: START,
        createdAt: '2026-01-01T12:00:00.000Z',
        expiresAt: '2026-01-01T12:05:00.000Z',
        expiresInMs: 300_000,
      },
    ]);
    expect(await api.getKey(body.keys[0]?.keyId as string)).toEqual(body.keys[0]);
  });

  it('adds up to 1000 keys at once, each with an id of its own', async () => {
    const keys = await api.createKeys(1000);
    expect(new Set(keys.map((key) => key.keyId)).size).toBe(1000);
    const pool = await api.call('GET', '/v1/pools/default');
    expect(pool.body).toHaveProperty('counts.free', { count: 1000, relation: 'exact' });
  });

  it('adds keys that live as long as the policy of their pool says', async () => {
    await api.putPool('seats', { keyTtlSeconds: null });
    const [seat] = await api.createKeys(1, 'seats');
    expect(seat).toMatchObject({ pool: 'seats', expiresAt: null, expiresInMs: null });

    await api.putPool('short', { leaseSeconds: 1, keyTtlSeconds: 3 });
    const [short] = await api.createKeys(1, 'short');
    expect(short).toMatchObject({ expiresAt: '2026-01-01T12:00:03.000Z', expiresInMs: 3000 });
  });

  it('adds nothing to a pool that does not exist', async () => {
    const before = await api.dump();
    const answer = await api.call('POST', '/v1/keys', { body: { pool: 'nowhere' } });
    expect(answer).toMatchObject({ status: 404, body: { code: 'pool_not_found' } });
    expect(await api.dump()).toBe(before);
  });

  it('adds all of the keys or none when the pool would hold more than it may', async () => {
    await api.putPool('seats', { maxKeys: 3 });
    await api.createKeys(2, 'seats');
    const before = await api.dump();
    const answer = await api.call('POST', '/v1/keys', { body: { pool: 'seats', count: 2 } });
    expect(answer).toMatchObject({ status: 409, body: { code: 'pool_full' } });
    expect(await api.dump()).toBe(before);
    expect(await api.createKeys(1, 'seats')).toHaveLength(1);
  });

  it.each([0, -1, 1001, 1.5, 1e300, '3', true, [3], null])('refuses a count of %j', async (count) => {
    const before = await api.dump();
    const answer = await api.call('POST', '/v1/keys', { body: { count } });
    expect(answer.status).toBe(400);
    expect(answer.body.errors?.map(({ path }) => path)).toContain('count');
    expect(await api.dump()).toBe(before);
  });
});

describe('POST /v1/keys with an Idempotency-Key', () => {
  const api = useTestApi();
  const create = (body: object, idempotencyKey = 'once') =>
    api.call<CreateKeysResponse>('POST', '/v1/keys', {
      body,
      headers: { 'idempotency-key': idempotencyKey },
    });

  it.each([{ count: 3 }, { values: ['sk-a', { value: 'sk-b', labels: { account: 'b' } }] }])(
    'answers 201 once, then 200 with the same keys: %j',
    async (body) => {
      const first = await create(body);
      expect(first.status).toBe(201);
      const before = await api.dump();
      expect(await create(body)).toMatchObject({ status: 200, body: first.body });
      expect(await api.dump()).toBe(before);
    },
  );

  it('answers 422 for another body, and 201 under another key', async () => {
    await create({ count: 1 });
    expect(await create({ count: 2 })).toMatchObject({
      status: 422,
      body: { code: 'idempotency_key_reused' },
    });
    expect(await create({ count: 1 }, 'again')).toMatchObject({ status: 201 });
  });

  it('answers 200 without the keys that were deleted since', async () => {
    const { body } = await create({ count: 2 });
    const [gone, stays] = body.keys as [Key, Key];
    await api.call('DELETE', `/v1/keys/${gone.keyId}`);
    expect(await create({ count: 2 })).toMatchObject({ status: 200, body: { keys: [stays] } });
  });
});

describe('POST /v1/keys with values', () => {
  const api = useTestApi();
  const importValues = (values: unknown, more: object = {}) =>
    api.call<CreateKeysResponse & Problem>('POST', '/v1/keys', { body: { values, ...more } });

  it('adds a key for each, with its labels and without its value, which a lease gives', async () => {
    const { status, body } = await importValues([{ value: 'sk-a', labels: { account: 'a' } }]);
    expect(status).toBe(201);
    expect(body.keys).toMatchObject([{ labels: { account: 'a' }, expiresAt: null }]);
    expect(body.keys[0]).not.toHaveProperty('value');
    expect(await api.acquire()).toMatchObject({ value: 'sk-a', labels: { account: 'a' } });
  });

  it('answers 409 where one is in the pool already, with its place and not its text', async () => {
    await importValues(['sk-a']);
    const { status, body } = await importValues(['sk-b', 'sk-a']);
    expect({ status, code: body.code }).toEqual({ status: 409, code: 'value_exists' });
    expect(body.errors).toEqual([{ path: 'values.1', message: 'Is in the pool already' }]);
  });

  it.each<[unknown, object, string]>([
    [[], {}, 'values'],
    [[''], {}, 'values.0'],
    [['x'.repeat(4097)], {}, 'values.0'],
    [['☃'.repeat(1366)], {}, 'values.0'],
    [Array.from({ length: 1001 }, (_, index) => `sk-${index}`), {}, 'values'],
    [['sk-a'], { count: 1 }, 'count'],
    [[{ value: 'sk-a', labels: { ' ': 'x' } }], {}, 'values.0'],
  ])('answers 400 for %.40j with %j, and names %s', async (values, more, path) => {
    const { status, body } = await importValues(values, more);
    expect(status).toBe(400);
    expect(body.errors?.map((error) => error.path.startsWith(path))).toContain(true);
  });

  it('takes a thousand values of 4 KiB', async () => {
    const values = Array.from({ length: 1000 }, (_, index) => `${index}`.padEnd(4096, 'x'));
    expect((await importValues(values)).body.keys).toHaveLength(1000);
  });
});

describe('PATCH /v1/keys/{keyId}', () => {
  const api = useTestApi();
  const patch = (keyId: string, body: unknown) =>
    api.call<Key & Problem>('PATCH', `/v1/keys/${keyId}`, { body });

  it('replaces all labels, and changes nothing else', async () => {
    const [key] = await api.createKeys();
    const { keyId } = key as Key;
    expect(await patch(keyId, { labels: { region: 'eu', account: 'ops' } })).toMatchObject({ status: 200 });
    expect((await patch(keyId, { labels: { region: 'us' } })).body).toEqual({
      ...key,
      labels: { region: 'us' },
    });
    expect((await patch(keyId, { labels: {} })).body).toEqual({ ...key, labels: {} });
  });

  it('keeps the labels of a leased key in its lease', async () => {
    await api.createKeys();
    const { leaseId, keyId } = await api.acquire();
    await patch(keyId, { labels: { region: 'eu' } });
    const { body } = await api.call('GET', `/v1/leases/${leaseId}`, { as: worker });
    expect(body).toMatchObject({ labels: { region: 'eu' } });
  });

  it('answers 404 for a key that is not there, or no more', async () => {
    const [key] = await api.createKeys();
    await api.call('DELETE', `/v1/keys/${key?.keyId}`);
    for (const keyId of ['key_never', key?.keyId as string]) {
      expect(await patch(keyId, { labels: {} })).toMatchObject({
        status: 404,
        body: { code: 'key_not_found' },
      });
    }
  });

  const NINE = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`label-${index}`, 'x']));
  it.each([{}, { labels: null }, { labels: NINE }, { labels: { a: 1 } }, { labels: { a: 'x'.repeat(201) } }])(
    'refuses %.60j',
    async (body) => {
      const [key] = await api.createKeys();
      expect(await patch(key?.keyId as string, body)).toMatchObject({ status: 400 });
      expect(await api.getKey(key?.keyId as string)).toEqual(key);
    },
  );
});

describe.each(['GET', 'HEAD'])('%s /v1/keys/{keyId}', (method) => {
  const api = useTestApi();

  it('answers a free key', async () => {
    const [key] = await api.createKeys();
    const answer = await api.call<Key>(method, `/v1/keys/${key?.keyId}`, { as: viewer });
    expect(answer).toMatchObject({ status: 200, body: key });
  });

  it('answers who holds a key, and neither its lease id nor its value', async () => {
    await api.createKeys();
    const lease = await api.acquire({ holder: 'build-agent-7', leaseSeconds: 30 });
    api.now += 10_000;
    const answer = await api.call<Key>(method, `/v1/keys/${lease.keyId}`, { as: viewer });
    expect(answer.body).toEqual({
      keyId: lease.keyId,
      pool: 'default',
      state: 'leased',
      fencingToken: lease.fencingToken,
      createdAt: '2026-01-01T12:00:00.000Z',
      expiresAt: '2026-01-01T12:05:00.000Z',
      expiresInMs: 290_000,
      lease: {
        clientId: worker.clientId,
        holder: 'build-agent-7',
        acquiredAt: '2026-01-01T12:00:00.000Z',
        expiresAt: '2026-01-01T12:00:30.000Z',
        expiresInMs: 20_000,
      },
    });
  });

  it('answers how long a key still cools', async () => {
    await api.createKeys();
    const lease = await api.acquire({ leaseSeconds: 30 });
    api.now += 30_400;
    const answer = await api.call<Key>(method, `/v1/keys/${lease.keyId}`, { as: viewer });
    expect(answer.body).toMatchObject({ state: 'cooling', freeInMs: 600 });
    expect(answer.body).not.toHaveProperty('lease');
  });

  it('answers 404 for a key that never was, was deleted or has expired', async () => {
    const [deleted, expired] = await api.createKeys(2);
    await api.call('DELETE', `/v1/keys/${deleted?.keyId}`);
    const notFound = { status: 404, body: { code: 'key_not_found' } };
    expect(await api.call(method, '/v1/keys/key_never')).toMatchObject(notFound);
    expect(await api.call(method, `/v1/keys/${deleted?.keyId}`)).toMatchObject(notFound);
    api.now += 299_999;
    expect(await api.call(method, `/v1/keys/${expired?.keyId}`)).toMatchObject({ status: 200 });
    api.now += 1;
    expect(await api.call(method, `/v1/keys/${expired?.keyId}`)).toMatchObject(notFound);
  });
});

describe('POST /v1/keys/{keyId}/pause and /resume', () => {
  const api = useTestApi();

  it('take a key out of service and put it back, each repeatable', async () => {
    const [key] = await api.createKeys();
    const path = `/v1/keys/${key?.keyId}`;
    const pause = (body?: object) => api.call('POST', `${path}/pause`, body && { body });
    const at = new Date(api.now).toISOString();
    const paused = {
      state: 'paused',
      expiresAt: null,
      paused: { at, by: admin.clientId, reason: 'In repair' },
    };
    expect(await pause({ reason: 'In repair' })).toMatchObject({ status: 200, body: paused });
    api.now += 1000;
    expect(await pause()).toMatchObject({ status: 200, body: paused });
    expect((await api.call('GET', '/v1/keys?state=paused')).body).toMatchObject({ keys: [paused] });
    expect((await api.call('GET', '/v1/keys?state=free')).body).toEqual({ keys: [] });
    expect((await api.call('GET', '/v1/pools/default')).body).toMatchObject({
      counts: { free: { count: 0 }, paused: { count: 1, relation: 'exact' } },
    });
    expect(await api.call('POST', '/v1/leases')).toMatchObject({ status: 409 });
    for (let time = 1; time <= 2; time++) {
      const { status, body } = await api.call('POST', `${path}/resume`);
      expect({ status, body }).toMatchObject({ status: 200, body: { state: 'free', expiresInMs: 300_000 } });
      expect(body).not.toHaveProperty('paused');
    }
    expect(await api.call('POST', '/v1/leases')).toMatchObject({ status: 201 });
    expect(await pause()).toMatchObject({ body: { state: 'leased', paused: { by: admin.clientId } } });
  });

  it('refuse a reason that is too long, and a key that there is not', async () => {
    const [key] = await api.createKeys();
    const body = { reason: 'x'.repeat(201) };
    expect(await api.call('POST', `/v1/keys/${key?.keyId}/pause`, { body })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'reason' }] },
    });
    for (const action of ['pause', 'resume']) {
      expect(await api.call('POST', `/v1/keys/key_never/${action}`)).toMatchObject({
        status: 404,
        body: { code: 'key_not_found' },
      });
    }
  });
});

describe('POST /v1/keys/{keyId}/refresh', () => {
  const api = useTestApi();

  it("restarts the key's hard-expiration clock", async () => {
    const [key] = await api.createKeys();
    api.now += 299_999;
    const answer = await api.call('POST', `/v1/keys/${key?.keyId}/refresh`);
    expect(answer).toMatchObject({ status: 200, body: { keyId: key?.keyId, expiresInMs: 300_000 } });
    api.now += 299_999;
    expect(await api.getKey(key?.keyId as string)).toMatchObject({ expiresInMs: 1 });
  });

  it('leaves the lease of a leased key as it is', async () => {
    await api.createKeys();
    const lease = await api.acquire();
    api.now += 20_000;
    const answer = await api.call('POST', `/v1/keys/${lease.keyId}/refresh`);
    expect(answer.body).toMatchObject({
      state: 'leased',
      expiresInMs: 300_000,
      lease: { expiresInMs: 40_000 },
    });
  });

  it('gives the life that the policy has now, though it became shorter', async () => {
    const [key] = await api.createKeys();
    await api.putPool('default', { leaseSeconds: 1, keyTtlSeconds: 10 });
    api.now += 5_000;
    const answer = await api.call('POST', `/v1/keys/${key?.keyId}/refresh`);
    expect(answer.body).toMatchObject({ expiresInMs: 10_000 });
  });

  it('answers 404 from the hard expiration on', async () => {
    const [key] = await api.createKeys();
    api.now += 300_000;
    const answer = await api.call('POST', `/v1/keys/${key?.keyId}/refresh`);
    expect(answer).toMatchObject({ status: 404, body: { code: 'key_not_found' } });
  });
});
