import { describe, expect, it } from 'vitest';
import type { Key } from '../../shared/contract/keys.ts';
import { useTestApi, viewer, worker } from '../support/test-api.ts';

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
