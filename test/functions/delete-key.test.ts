import { describe, expect, it } from 'vitest';
import { useTestApi, worker } from '../support/test-api.ts';

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
