import { describe, expect, it } from 'vitest';
import { otherWorker, useTestApi, worker } from '../support/test-api.ts';

describe('POST /v1/keys/{keyId}/unblock', () => {
  const api = useTestApi();

  it("ends somebody's lease, and the holder is told", async () => {
    await api.createKeys();
    const { keyId, leaseId } = await api.acquire();
    const answer = await api.call('POST', `/v1/keys/${keyId}/unblock`);
    expect(answer).toMatchObject({ status: 200, body: { keyId, state: 'cooling', freeInMs: 61_000 } });
    expect(answer.body).not.toHaveProperty('lease');
    const keptAlive = await api.call('POST', `/v1/leases/${leaseId}/keep-alive`, { as: worker });
    expect(keptAlive).toMatchObject({ status: 410, body: { code: 'lease_ended', reason: 'unblocked' } });
  });

  it("gives the key to nobody before the holder's own deadline has passed", async () => {
    await api.createKeys();
    const { keyId } = await api.acquire({ leaseSeconds: 10 });
    await api.call('POST', `/v1/keys/${keyId}/unblock`);
    api.now += 10_999;
    const refused = await api.call('POST', '/v1/leases', { as: otherWorker });
    expect(refused).toMatchObject({ status: 409, body: { retryAfterMs: 1 } });
    api.now += 1;
    expect(await api.acquire({}, otherWorker)).toMatchObject({ keyId });
  });

  it('frees the key at once when forced, behind a larger fencing token', async () => {
    await api.createKeys();
    const lease = await api.acquire();
    const answer = await api.call('POST', `/v1/keys/${lease.keyId}/unblock?force=true`);
    expect(answer).toMatchObject({ status: 200, body: { state: 'free' } });
    const next = await api.acquire({}, otherWorker);
    expect(next.keyId).toBe(lease.keyId);
    expect(next.fencingToken).toBeGreaterThan(lease.fencingToken);
  });

  it('answers the same again while the key cools, and lets force cut that short', async () => {
    await api.createKeys();
    const { keyId } = await api.acquire();
    const first = await api.call('POST', `/v1/keys/${keyId}/unblock`);
    expect(await api.call('POST', `/v1/keys/${keyId}/unblock`)).toMatchObject({
      status: 200,
      body: first.body,
    });
    const forced = await api.call('POST', `/v1/keys/${keyId}/unblock?force=true`);
    expect(forced).toMatchObject({ status: 200, body: { state: 'free' } });
  });

  it('answers 409 for a free key, and changes nothing', async () => {
    const [key] = await api.createKeys();
    const before = await api.dump();
    const answer = await api.call('POST', `/v1/keys/${key?.keyId}/unblock`);
    expect(answer).toMatchObject({ status: 409, body: { code: 'key_not_leased' } });
    expect(await api.dump()).toBe(before);
  });

  it('answers 404 for a key that does not exist', async () => {
    const answer = await api.call('POST', '/v1/keys/key_never/unblock');
    expect(answer).toMatchObject({ status: 404, body: { code: 'key_not_found' } });
  });
});

describe('DELETE /v1/keys/{keyId}', () => {
  const api = useTestApi();

  it('deletes a key for every caller at once', async () => {
    const [key] = await api.createKeys();
    const path = `/v1/keys/${key?.keyId}`;
    expect(await api.call('DELETE', path)).toMatchObject({ status: 204, body: undefined });
    const notFound = { status: 404, body: { code: 'key_not_found' } };
    expect(await api.call('GET', path)).toMatchObject(notFound);
    expect(await api.call('DELETE', path)).toMatchObject(notFound);
    expect(await api.call('POST', `${path}/refresh`)).toMatchObject(notFound);
    expect(await api.call('POST', `${path}/unblock`)).toMatchObject(notFound);
    expect(await api.call('GET', '/v1/keys')).toMatchObject({ body: { keys: [] } });
    expect(await api.call('POST', '/v1/leases')).toMatchObject({ status: 409 });
  });

  it('ends the lease, and says so to its holder', async () => {
    await api.createKeys();
    const { keyId, leaseId } = await api.acquire();
    await api.call('DELETE', `/v1/keys/${keyId}`);
    const ended = { status: 410, body: { code: 'lease_ended', reason: 'deleted' } };
    expect(await api.call('POST', `/v1/leases/${leaseId}/keep-alive`, { as: worker })).toMatchObject(ended);
    expect(await api.call('GET', `/v1/leases/${leaseId}`, { as: worker })).toMatchObject(ended);
    expect(await api.call('DELETE', `/v1/leases/${leaseId}`, { as: worker })).toMatchObject(ended);
  });

  it("keeps the seat taken until the holder's own deadline has passed", async () => {
    await api.putPool('seats', { maxKeys: 1, leaseSeconds: 10 });
    await api.createKeys(1, 'seats');
    const { keyId } = await api.acquire({ pool: 'seats' });
    await api.call('DELETE', `/v1/keys/${keyId}?force=false`);
    const create = () => api.call('POST', '/v1/keys', { body: { pool: 'seats' } });
    api.now += 10_999;
    expect(await create()).toMatchObject({ status: 409, body: { code: 'pool_full' } });
    api.now += 1;
    expect(await create()).toMatchObject({ status: 201 });
  });

  it('frees the seat at once when forced', async () => {
    await api.putPool('seats', { maxKeys: 1 });
    await api.createKeys(1, 'seats');
    const { keyId } = await api.acquire({ pool: 'seats' });
    await api.call('DELETE', `/v1/keys/${keyId}?force=true`);
    expect(await api.createKeys(1, 'seats')).toHaveLength(1);
  });
});

describe.each([
  ['POST', '/unblock', 200],
  ['DELETE', '', 204],
])('%s /v1/keys/{keyId}%s with a fencing token', (method, suffix, status) => {
  const api = useTestApi();
  const end = (keyId: string, query: string) => api.call(method, `/v1/keys/${keyId}${suffix}?${query}`);

  it.each(['', '&force=true'])(
    'ends the lease that is meant, and answers a repeat the same%s',
    async (force) => {
      await api.createKeys();
      const { keyId, fencingToken } = await api.acquire();
      const first = await end(keyId, `fencingToken=${fencingToken}${force}`);
      expect(first).toMatchObject({ status });
      const before = await api.dump();
      expect(await end(keyId, `fencingToken=${fencingToken}${force}`)).toMatchObject({
        status,
        body: first.body,
      });
      expect(await api.dump()).toBe(before);
    },
  );

  it.each(['', '&force=true'])('answers 409 where another lease stands, and ends none%s', async (force) => {
    await api.createKeys();
    const { keyId, leaseId, fencingToken } = await api.acquire();
    await api.call('DELETE', `/v1/leases/${leaseId}`, { as: worker });
    await api.acquire({}, otherWorker);
    const before = await api.dump();
    expect(await end(keyId, `fencingToken=${fencingToken}${force}`)).toMatchObject({
      status: 409,
      body: { code: 'lease_changed' },
    });
    expect(await api.dump()).toBe(before);
  });
});
