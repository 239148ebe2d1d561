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
