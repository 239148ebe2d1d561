import { describe, expect, it } from 'vitest';
import { useTestApi, worker } from '../support/test-api.ts';

describe('DELETE /v1/pools/{pool}', () => {
  const api = useTestApi();

  it('deletes a pool with its keys, and ends their leases', async () => {
    await api.putPool('seats');
    const [key] = await api.createKeys(2, 'seats');
    const { leaseId } = await api.acquire({ pool: 'seats' });
    expect(await api.call('DELETE', '/v1/pools/seats')).toMatchObject({ status: 202, body: undefined });

    const noPool = { status: 404, body: { code: 'pool_not_found' } };
    expect(await api.call('GET', '/v1/pools/seats')).toMatchObject(noPool);
    expect(await api.call('DELETE', '/v1/pools/seats')).toMatchObject(noPool);
    expect(await api.call('GET', '/v1/keys?pool=seats')).toMatchObject(noPool);
    expect(await api.call('POST', '/v1/leases', { body: { pool: 'seats' } })).toMatchObject(noPool);
    expect(await api.call('GET', `/v1/keys/${key?.keyId}`)).toMatchObject({ status: 404 });
    const ended = { status: 410, body: { code: 'lease_ended', reason: 'deleted' } };
    expect(await api.call('POST', `/v1/leases/${leaseId}/keep-alive`, { as: worker })).toMatchObject(ended);
    expect(await api.call('DELETE', `/v1/leases/${leaseId}`, { as: worker })).toMatchObject(ended);
    expect(await api.call('GET', `/v1/leases/${leaseId}`, { as: worker })).toMatchObject(ended);
  });

  it('makes room for a new pool of the same name that has none of the old keys', async () => {
    await api.putPool('seats');
    const [old] = await api.createKeys(2, 'seats');
    await api.call('DELETE', '/v1/pools/seats');
    expect(await api.call('PUT', '/v1/pools/seats')).toMatchObject({ status: 201 });
    expect(await api.call('GET', '/v1/keys?pool=seats')).toMatchObject({ body: { keys: [] } });
    expect(await api.call('GET', `/v1/keys/${old?.keyId}`)).toMatchObject({ status: 404 });
  });

  it('empties the default pool, which goes on with its policy', async () => {
    await api.putPool('default', { leaseSeconds: 5 });
    await api.createKeys(3);
    const { leaseId } = await api.acquire();
    expect(await api.call('DELETE', '/v1/pools/default')).toMatchObject({ status: 202 });
    expect(await api.call('GET', '/v1/pools/default')).toMatchObject({
      status: 200,
      body: { leaseSeconds: 5, counts: { free: { count: 0 }, leased: { count: 0 } } },
    });
    const keptAlive = await api.call('POST', `/v1/leases/${leaseId}/keep-alive`, { as: worker });
    expect(keptAlive).toMatchObject({ status: 410, body: { reason: 'deleted' } });
    await api.createKeys(1);
    expect(await api.acquire()).toMatchObject({ pool: 'default' });
  });
});
