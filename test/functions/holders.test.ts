import { describe, expect, it } from 'vitest';
import type { Holder, ListHoldersResponse } from '../../shared/contract/leases.ts';
import { encodeCursor } from '../../shared/http/cursor.ts';
import { otherWorker, useTestApi, viewer, worker } from '../support/test-api.ts';

describe('GET /v1/holders', () => {
  const api = useTestApi();

  it('answers who holds what, with what names the lease to an admin who ends it', async () => {
    await api.createKeys(2);
    const lease = await api.acquire({ holder: 'build-agent-7' });
    api.now += 10_000;
    const other = await api.acquire({}, otherWorker);
    const { leaseId: _hidden, value: _secret, keepAliveEveryMs: _none, ...told } = lease;
    const { status, body } = await api.call<ListHoldersResponse>('GET', '/v1/holders', { as: viewer });
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        holders: [{ ...told, heldMs: 10_000, expiresInMs: 50_000 }, expect.objectContaining({ heldMs: 0 })],
      },
    });
    const { keyId, fencingToken } = body.holders[0] as Holder;
    expect(await api.call('POST', `/v1/keys/${keyId}/unblock?fencingToken=${fencingToken}`)).toMatchObject({
      status: 200,
    });
    const left = await api.call<ListHoldersResponse>('GET', '/v1/holders', { as: viewer });
    expect(left.body.holders).toMatchObject([{ keyId: other.keyId }]);
  });

  it('pages, of what is asked for', async () => {
    await api.createKeys(8);
    for (let number = 0; number < 3; number += 1) {
      await api.acquire({ holder: `Host ${number}` });
      await api.acquire({ holder: `Host ${number}` }, otherWorker);
      api.now += 1;
    }
    const path = `/v1/holders?client=${worker.clientId}&pool=default&holder=host&limit=2`;
    const pages = await api.pages<Holder>(path, { as: viewer });
    expect(pages.map((page) => page.map(({ holder }) => holder))).toEqual([['Host 0', 'Host 1'], ['Host 2']]);
  });

  it.each([
    ['limit=201', 'limit'],
    ['client=no%20id', 'client'],
    ['pool=No', 'pool'],
    ['holder=', 'holder'],
    [`cursor=${encodeCursor('a/b')}`, 'cursor'],
    [`cursor=${encodeCursor(1)}`, 'cursor'],
    ['state=leased', 'state'],
  ])('refuses %s', async (query, path) => {
    const { status, body } = await api.call('GET', `/v1/holders?${query}`, { as: viewer });
    expect({ status, body }).toMatchObject({ status: 400, body: { errors: [{ path }] } });
  });
});
