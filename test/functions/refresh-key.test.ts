import { describe, expect, it } from 'vitest';
import { useTestApi } from '../support/test-api.ts';

describe('POST /v1/keys/{keyId}/refresh', () => {
  const api = useTestApi();

  it("restarts the key's hard-expiration clock", async () => {
    const [key] = await api.createKeys();
    api.now += 299_999;
    const answer = await api.call('POST', `/v1/keys/${key?.keyId}/refresh`);
    expect(answer).toMatchObject({ status: 200, body: { keyId: key?.keyId, expiresInMs: 300_000 } });
    api.now += 299_999;
    expect(await api.getKey(key?.keyId as string)).toMatchObject({ expiresInMs: 1 });
  });

  it('leaves the lease of a leased key as it is', async () => {
    await api.createKeys();
    const lease = await api.acquire();
    api.now += 20_000;
    const answer = await api.call('POST', `/v1/keys/${lease.keyId}/refresh`);
    expect(answer.body).toMatchObject({
      state: 'leased',
      expiresInMs: 300_000,
      lease: { expiresInMs: 40_000 },
    });
  });

  it('never shortens a life, though the policy became shorter', async () => {
    const [key] = await api.createKeys();
    await api.putPool('default', { leaseSeconds: 1, keyTtlSeconds: 10 });
    const answer = await api.call('POST', `/v1/keys/${key?.keyId}/refresh`);
    expect(answer.body).toMatchObject({ expiresInMs: 300_000 });
  });

  it('answers 404 from the hard expiration on', async () => {
    const [key] = await api.createKeys();
    api.now += 300_000;
    const answer = await api.call('POST', `/v1/keys/${key?.keyId}/refresh`);
    expect(answer).toMatchObject({ status: 404, body: { code: 'key_not_found' } });
  });
});
