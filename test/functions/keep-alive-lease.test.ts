import { describe, expect, it } from 'vitest';
import { encodeLeaseId, generateLeaseProof } from '../../shared/domain/lease-id.ts';
import { admin, otherWorker, useTestApi, withoutValue, worker } from '../support/test-api.ts';

describe('POST /v1/leases/{leaseId}/keep-alive', () => {
  const api = useTestApi();
  const keepAlive = (leaseId: string, as = worker) =>
    api.call('POST', `/v1/leases/${leaseId}/keep-alive`, { as });

  it('extends the lease by its own length from now, and refreshes the key', async () => {
    await api.createKeys();
    const lease = await api.acquire({ leaseSeconds: 30 });
    api.now += 29_999;
    const answer = await keepAlive(lease.leaseId);
    expect(answer).toMatchObject({
      status: 200,
      body: { ...withoutValue(lease), expiresAt: '2026-01-01T12:00:59.999Z', expiresInMs: 30_000 },
    });
    expect(await api.getKey(lease.keyId)).toMatchObject({ expiresInMs: 300_000 });
  });

  it('keeps a lease alive for as long as its holder does', async () => {
    await api.createKeys();
    const { leaseId } = await api.acquire();
    for (let beat = 0; beat < 30; beat += 1) {
      api.now += 20_000;
      expect(await keepAlive(leaseId)).toMatchObject({ status: 200 });
    }
  });

  it('answers 410 from the end of the lease on, for good, even if nobody took the key', async () => {
    await api.createKeys();
    const { leaseId } = await api.acquire();
    api.now += 60_000;
    const ended = { status: 410, body: { code: 'lease_ended', reason: 'lapsed' } };
    expect(await keepAlive(leaseId)).toMatchObject(ended);
    api.now -= 1;
    expect(await keepAlive(leaseId)).toMatchObject(ended);
  });

  it('answers 410 after a release, and never touches the lease after', async () => {
    await api.createKeys();
    const old = await api.acquire();
    await api.call('DELETE', `/v1/leases/${old.leaseId}`, { as: worker });
    expect(await keepAlive(old.leaseId)).toMatchObject({ status: 410, body: { reason: 'released' } });
    await api.acquire();
    const before = await api.dump();
    api.now += 1_000;
    expect(await keepAlive(old.leaseId)).toMatchObject({ status: 410, body: { code: 'lease_ended' } });
    expect(await api.dump()).toBe(before);
  });

  it("refuses another client's lease, an admin included, and changes nothing", async () => {
    await api.createKeys();
    const { leaseId } = await api.acquire();
    const before = await api.dump();
    api.now += 1_000;
    for (const as of [otherWorker, admin]) {
      expect(await keepAlive(leaseId, as)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    }
    expect(await api.dump()).toBe(before);
  });

  it('answers 410 for a lease that never was', async () => {
    const [key] = await api.createKeys();
    const pool = 'default/000000000000001';
    const forged = encodeLeaseId({ keyId: key?.keyId as string, pool, proof: generateLeaseProof(60_000) });
    expect(await keepAlive(forged)).toMatchObject({ status: 410, body: { code: 'lease_ended' } });
  });

  it('does not believe a lease id whose length, key or pool was changed', async () => {
    await api.createKeys(2);
    const { leaseId } = await api.acquire({ leaseSeconds: 10 });
    const other = await api.acquire();
    const [keyId, pool, proof] = Buffer.from(leaseId, 'base64url').toString().split('|') as string[];
    const random = proof?.split('.')[1];
    const before = await api.dump();
    for (const changed of [
      [keyId, pool, `${(86_400_000).toString(36)}.${random}`],
      [other.keyId, pool, proof],
      [keyId, 'default/000000000000000', proof],
      [keyId, 'elsewhere/000000000000001', proof],
    ]) {
      const forged = Buffer.from(changed.join('|')).toString('base64url');
      expect(await keepAlive(forged)).toMatchObject({ status: 410, body: { code: 'lease_ended' } });
    }
    expect(await api.dump()).toBe(before);
  });

  it.each(['x', 'lease_1', 'a|b|c', '||', 'a|b|1.short', 'a|b|1.aaaaaaaaaaaaaaaaaaaaaa|d', '\0|\0|\0'])(
    'answers 400 for the id %j, which this service never gave',
    async (text) => {
      const answer = await keepAlive(Buffer.from(text).toString('base64url'));
      expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: 'leaseId' }] } });
    },
  );
});
