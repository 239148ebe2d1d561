import { describe, expect, it } from 'vitest';
import type { Lease } from '../../shared/contract/leases.ts';
import { admin, otherWorker, START, useTestApi, worker } from '../support/test-api.ts';

describe('POST /v1/leases', () => {
  const api = useTestApi();

  it('leases a free key of the default pool for its full length when the body is empty', async () => {
    const [key] = await api.createKeys();
    api.now += 5_000;
    const answer = await api.call<Lease>('POST', '/v1/leases', { as: worker });
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      leaseId: expect.stringMatching(/^[\w-]{40,}$/),
      keyId: key?.keyId,
      pool: 'default',
      value: key?.keyId,
      fencingToken: START + 1,
      clientId: worker.clientId,
      acquiredAt: '2026-01-01T12:00:05.000Z',
      expiresAt: '2026-01-01T12:01:05.000Z',
      expiresInMs: 60_000,
      keepAliveEveryMs: 20_000,
    });
    expect(await api.getKey(answer.body.keyId)).toMatchObject({ state: 'leased', expiresInMs: 300_000 });
  });

  it('gives each key to one caller, then answers 409 with the time until one is free', async () => {
    await api.createKeys(3);
    const leases = [await api.acquire(), await api.acquire({}, otherWorker), await api.acquire({}, admin)];
    expect(new Set(leases.map((lease) => lease.keyId)).size).toBe(3);
    api.now += 100;
    const answer = await api.call('POST', '/v1/leases', { as: worker });
    expect(answer).toMatchObject({
      status: 409,
      headers: { 'retry-after': '61' },
      body: { code: 'no_key_available', retryAfterMs: 60_900 },
    });
  });

  it('gives a lapsed key again, behind a larger fencing token, once the clock tolerance has passed', async () => {
    await api.createKeys();
    const first = await api.acquire();
    api.now += 60_999;
    const refused = await api.call('POST', '/v1/leases', { as: otherWorker });
    expect(refused).toMatchObject({
      status: 409,
      headers: { 'retry-after': '1' },
      body: { retryAfterMs: 1 },
    });
    api.now += 1;
    const next = await api.acquire({}, otherWorker);
    expect(next.keyId).toBe(first.keyId);
    expect(next.fencingToken).toBeGreaterThan(first.fencingToken);
  });

  it('tells callers of an empty pool to come back in five seconds', async () => {
    const answer = await api.call('POST', '/v1/leases', { as: worker });
    expect(answer).toMatchObject({
      status: 409,
      headers: { 'retry-after': '5' },
      body: { code: 'no_key_available', retryAfterMs: 5000 },
    });
  });

  it('takes a pool, a shorter lease and a label of the holder', async () => {
    await api.putPool('seats', { leaseSeconds: 30 });
    await api.createKeys(1, 'seats');
    const request = { pool: 'seats', leaseSeconds: 10, holder: 'Büro 7 — 北京 🖥' };
    expect(await api.acquire(request)).toMatchObject({
      pool: 'seats',
      holder: 'Büro 7 — 北京 🖥',
      expiresInMs: 10_000,
      keepAliveEveryMs: 3333,
    });
  });

  it("refuses a lease longer than the pool's, and leases nothing", async () => {
    await api.createKeys();
    const before = await api.dump();
    const answer = await api.call('POST', '/v1/leases', { as: worker, body: { leaseSeconds: 61 } });
    expect(answer).toMatchObject({
      status: 400,
      body: { code: 'invalid_request', errors: [{ path: 'leaseSeconds' }] },
    });
    expect(await api.dump()).toBe(before);
  });

  it('answers 404 for a pool that does not exist', async () => {
    const answer = await api.call('POST', '/v1/leases', { as: worker, body: { pool: 'nowhere' } });
    expect(answer).toMatchObject({ status: 404, body: { code: 'pool_not_found' } });
  });

  it('answers 409 for a paused pool, while the leases it gave before go on', async () => {
    await api.createKeys(2);
    const { leaseId } = await api.acquire();
    await api.putPool('default', { paused: true });
    const answer = await api.call('POST', '/v1/leases', { as: worker });
    expect(answer).toMatchObject({ status: 409, body: { code: 'pool_paused' } });
    const keptAlive = await api.call('POST', `/v1/leases/${leaseId}/keep-alive`, { as: worker });
    expect(keptAlive.status).toBe(200);
  });
});

describe('POST /v1/leases with an Idempotency-Key', () => {
  const api = useTestApi();

  const acquire = (idempotencyKey: string, as = worker, body?: unknown) =>
    api.call<Lease>('POST', '/v1/leases', { as, body, headers: { 'idempotency-key': idempotencyKey } });

  it('answers a repeat with 200 and the same lease, and leases no second key', async () => {
    await api.createKeys(3);
    const first = await acquire('job-1');
    expect(first.status).toBe(201);
    const before = await api.dump();
    api.now += 10_000;
    const repeat = await acquire('job-1');
    expect(repeat).toMatchObject({ status: 200, body: { ...first.body, expiresInMs: 50_000 } });
    expect(await api.dump()).toBe(before);
  });

  it('answers a repeat with the lease as it stands after a keep-alive', async () => {
    await api.createKeys();
    const { body: lease } = await acquire('job-1');
    api.now += 50_000;
    await api.call('POST', `/v1/leases/${lease.leaseId}/keep-alive`, { as: worker });
    api.now += 30_000;
    expect(await acquire('job-1')).toMatchObject({
      status: 200,
      body: { leaseId: lease.leaseId, expiresInMs: 30_000 },
    });
  });

  it('gives another key to another client that sends the same text', async () => {
    await api.createKeys(2);
    const mine = await acquire('job-1');
    const theirs = await acquire('job-1', otherWorker);
    expect(theirs.status).toBe(201);
    expect(theirs.body.keyId).not.toBe(mine.body.keyId);
  });

  it('answers 410 with the reason after the lease, until the key is leased again', async () => {
    await api.createKeys();
    const { body: lease } = await acquire('job-1');
    await api.call('DELETE', `/v1/leases/${lease.leaseId}`, { as: worker });
    const ended = { status: 410, body: { code: 'lease_ended', reason: 'released' } };
    expect(await acquire('job-1')).toMatchObject(ended);

    const lapsing = await acquire('job-2');
    api.now += 60_000;
    expect(await acquire('job-2')).toMatchObject({ status: 410, body: { reason: 'lapsed' } });
    api.now += 1_000;
    expect(await acquire('job-2')).toMatchObject({ status: 410, body: { reason: 'lapsed' } });

    const again = await acquire('job-3');
    expect(again).toMatchObject({ status: 201, body: { keyId: lapsing.body.keyId } });
    expect(await acquire('job-2')).toMatchObject({ status: 409, body: { code: 'no_key_available' } });
  });

  it('answers 410 after an unblock, and forgets the request when its key is deleted', async () => {
    await api.createKeys(3);
    const unblocked = await acquire('job-1');
    await api.call('POST', `/v1/keys/${unblocked.body.keyId}/unblock`);
    expect(await acquire('job-1')).toMatchObject({ status: 410, body: { reason: 'unblocked' } });
    const deleted = await acquire('job-2');
    await api.call('DELETE', `/v1/keys/${deleted.body.keyId}`);
    const again = await acquire('job-2');
    expect(again.status).toBe(201);
    expect(again.body.keyId).not.toBe(deleted.body.keyId);
  });

  it('answers a repeat though the pool was paused meanwhile', async () => {
    await api.createKeys();
    const { body: lease } = await acquire('job-1');
    await api.putPool('default', { paused: true });
    expect(await acquire('job-1')).toMatchObject({ status: 200, body: { leaseId: lease.leaseId } });
    expect(await acquire('job-2')).toMatchObject({ status: 409, body: { code: 'pool_paused' } });
  });

  it.each([{ pool: 'seats' }, { leaseSeconds: 30 }, { holder: 'host-2' }, { leaseSeconds: 60 }, {}])(
    'answers 422 for the same text with another body, and leases nothing: %o',
    async (body) => {
      await api.createKeys(2);
      await api.putPool('seats');
      await api.createKeys(1, 'seats');
      const { body: lease } = await acquire('job-1', worker, { holder: 'host-1' });
      const before = await api.dump();
      const reused = { status: 422, body: { code: 'idempotency_key_reused' } };
      expect(await acquire('job-1', worker, body)).toMatchObject(reused);
      expect(await api.dump()).toBe(before);
      await api.call('DELETE', `/v1/leases/${lease.leaseId}`, { as: worker });
      expect(await acquire('job-1', worker, body)).toMatchObject(reused);
    },
  );

  it('takes 255 visible characters', async () => {
    await api.createKeys();
    const longest = '!~.'.repeat(85);
    expect(await acquire(longest)).toMatchObject({ status: 201 });
    expect(await acquire(longest)).toMatchObject({ status: 200 });
  });

  it.each([
    ['an empty one', ''],
    ['one of 256 characters', 'x'.repeat(256)],
    ['one with a space', 'two words'],
    ['one with a tab', 'tab\t'],
    ['one with a NUL', 'nul\0'],
    ['one that is not ASCII', 'ümlaut'],
  ])('refuses %s, and leases nothing', async (_, idempotencyKey) => {
    await api.createKeys();
    const before = await api.dump();
    const answer = await acquire(idempotencyKey);
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: 'idempotency-key' }] } });
    expect(await api.dump()).toBe(before);
  });
});
