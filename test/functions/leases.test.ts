import { describe, expect, it } from 'vitest';
import type { Lease, ListLeasesResponse } from '../../shared/contract/leases.ts';
import { encodeLeaseId, generateLeaseProof } from '../../shared/domain/lease-id.ts';
import { encodeCursor } from '../../shared/http/cursor.ts';
import { admin, otherWorker, useTestApi, withoutValue, worker } from '../support/test-api.ts';

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

describe('GET /v1/leases', () => {
  const api = useTestApi();

  const list = async (query = '', as = worker): Promise<ListLeasesResponse> => {
    const answer = await api.call<ListLeasesResponse>('GET', `/v1/leases${query}`, { as });
    expect(answer).toMatchObject({ status: 200 });
    return answer.body;
  };
  const ids = (leases: readonly Lease[]): string[] => leases.map((lease) => lease.leaseId).sort();

  it("answers the caller's own leases alone, in every pool", async () => {
    await api.createKeys(3);
    await api.putPool('seats');
    await api.createKeys(1, 'seats');
    const mine = [await api.acquire(), await api.acquire({ pool: 'seats' })];
    const theirs = await api.acquire({}, otherWorker);
    const { leases } = await list();
    expect(ids(leases)).toEqual(ids(mine));
    expect(leases).toEqual(expect.arrayContaining(mine.map(withoutValue)));
    expect(ids((await list('', otherWorker)).leases)).toEqual([theirs.leaseId]);
  });

  it('pages without a gap or a repeat', async () => {
    await api.createKeys(6);
    const mine: Lease[] = [];
    for (let number = 0; number < 6; number += 1) mine.push(await api.acquire());
    const found = await api.pages<Lease>('/v1/leases?limit=2', { as: worker });
    expect(found.map((page) => page.length)).toEqual([2, 2, 2]);
    expect(ids(found.flat())).toEqual(ids(mine));
  });

  it('leaves out what is over: released, lapsed, unblocked, deleted, or gone with its pool', async () => {
    await api.createKeys(4);
    await api.putPool('doomed');
    await api.createKeys(1, 'doomed');
    const live = await api.acquire();
    const released = await api.acquire();
    const unblocked = await api.acquire();
    const deleted = await api.acquire();
    await api.acquire({ pool: 'doomed' });
    await api.call('DELETE', `/v1/leases/${released.leaseId}`, { as: worker });
    await api.call('POST', `/v1/keys/${unblocked.keyId}/unblock`);
    await api.call('DELETE', `/v1/keys/${deleted.keyId}`);
    await api.call('DELETE', '/v1/pools/doomed');
    expect((await list()).leases).toEqual([withoutValue(live)]);
    api.now += 60_000;
    expect(await list()).toEqual({ leases: [] });
  });

  it.each([encodeCursor(1), 'x', 'bnVsbA'])(
    'refuses the cursor %s, which no list of leases gave',
    async (cursor) => {
      const answer = await api.call('GET', `/v1/leases?cursor=${cursor}`, { as: worker });
      expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: 'cursor' }] } });
    },
  );
});

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
