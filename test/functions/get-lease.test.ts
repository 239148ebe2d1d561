import { describe, expect, it } from 'vitest';
import type { Lease } from '../../shared/contract/leases.ts';
import { admin, otherWorker, useTestApi, worker } from '../support/test-api.ts';

describe('GET /v1/leases/{leaseId}', () => {
  const api = useTestApi();
  const get = (leaseId: string, as = worker) => api.call<Lease>('GET', `/v1/leases/${leaseId}`, { as });

  it('answers the lease as it was given, with the time that is left', async () => {
    await api.createKeys();
    const lease = await api.acquire({ holder: 'build-agent-7' });
    api.now += 25_000;
    expect(await get(lease.leaseId)).toMatchObject({ status: 200, body: { ...lease, expiresInMs: 35_000 } });
  });

  it('answers 410 with the reason once the lease is over', async () => {
    await api.createKeys(2);
    const released = await api.acquire();
    await api.call('DELETE', `/v1/leases/${released.leaseId}`, { as: worker });
    expect(await get(released.leaseId)).toMatchObject({ status: 410, body: { reason: 'released' } });
    const lapsed = await api.acquire();
    api.now += 60_000;
    expect(await get(lapsed.leaseId)).toMatchObject({ status: 410, body: { reason: 'lapsed' } });
  });

  it("shows another client's lease to nobody, an admin included, live or over", async () => {
    await api.createKeys();
    const { leaseId } = await api.acquire();
    const forbidden = { status: 403, body: { code: 'forbidden' } };
    expect(await get(leaseId, otherWorker)).toMatchObject(forbidden);
    expect(await get(leaseId, admin)).toMatchObject(forbidden);
    await api.call('DELETE', `/v1/leases/${leaseId}`, { as: worker });
    expect(await get(leaseId, otherWorker)).toMatchObject(forbidden);
  });
});
