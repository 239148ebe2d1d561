import { describe, expect, it } from 'vitest';
import { admin, otherWorker, useTestApi, worker } from '../support/test-api.ts';

describe('DELETE /v1/leases/{leaseId}', () => {
  const api = useTestApi();
  const release = (leaseId: string, as = worker) => api.call('DELETE', `/v1/leases/${leaseId}`, { as });

  it('frees the key at once, and the next lease of it has a larger fencing token', async () => {
    await api.createKeys();
    const lease = await api.acquire();
    expect(await release(lease.leaseId)).toMatchObject({ status: 204, body: undefined });
    expect(await api.getKey(lease.keyId)).toMatchObject({ state: 'free' });
    const next = await api.acquire({}, otherWorker);
    expect(next.keyId).toBe(lease.keyId);
    expect(next.fencingToken).toBeGreaterThan(lease.fencingToken);
  });

  it('answers a repeat with 204 as long as the key remembers it', async () => {
    await api.createKeys();
    const { leaseId } = await api.acquire();
    await release(leaseId);
    const before = await api.dump();
    expect(await release(leaseId)).toMatchObject({ status: 204 });
    api.now += 100_000;
    expect(await release(leaseId)).toMatchObject({ status: 204 });
    expect(await api.dump()).toBe(before);
  });

  it('answers a repeat with 204 though somebody else holds the key by now, and does not touch that lease', async () => {
    await api.createKeys();
    const { leaseId } = await api.acquire();
    await release(leaseId);
    await api.acquire({}, otherWorker);
    const before = await api.dump();
    expect(await release(leaseId)).toMatchObject({ status: 204 });
    expect(await api.dump()).toBe(before);
  });

  it('answers 410 for a lease that had lapsed', async () => {
    await api.createKeys();
    const { leaseId } = await api.acquire();
    api.now += 60_000;
    const ended = { status: 410, body: { code: 'lease_ended', reason: 'lapsed' } };
    expect(await release(leaseId)).toMatchObject(ended);
    expect(await release(leaseId)).toMatchObject(ended);
  });

  it("refuses another client's lease, an admin included, and changes nothing", async () => {
    await api.createKeys();
    const { leaseId } = await api.acquire();
    const before = await api.dump();
    for (const as of [otherWorker, admin]) {
      expect(await release(leaseId, as)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    }
    expect(await api.dump()).toBe(before);
  });
});
