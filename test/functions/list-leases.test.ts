import { describe, expect, it } from 'vitest';
import type { Lease, ListLeasesResponse } from '../../shared/contract/leases.ts';
import { encodeCursor } from '../../shared/http/cursor.ts';
import { otherWorker, useTestApi, worker } from '../support/test-api.ts';

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
    expect(leases).toEqual(expect.arrayContaining(mine));
    expect(ids((await list('', otherWorker)).leases)).toEqual([theirs.leaseId]);
  });

  it('pages without a gap or a repeat', async () => {
    await api.createKeys(6);
    const mine: Lease[] = [];
    for (let number = 0; number < 6; number += 1) mine.push(await api.acquire());
    const found: Lease[][] = [];
    for (let query = '?limit=2'; query !== ''; ) {
      const { leases, nextCursor } = await list(query);
      found.push(leases);
      query = nextCursor === undefined ? '' : `?limit=2&cursor=${nextCursor}`;
    }
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
    expect((await list()).leases).toEqual([live]);
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
