import { beforeEach, describe, expect, it } from 'vitest';
import type { Key, ListKeysResponse } from '../../shared/contract/keys.ts';
import { encodeCursor } from '../../shared/http/cursor.ts';
import { useTestApi, viewer, worker } from '../support/test-api.ts';

describe('GET /v1/keys', () => {
  const api = useTestApi();

  const list = async (query: string): Promise<ListKeysResponse> => {
    const answer = await api.call<ListKeysResponse>('GET', `/v1/keys?${query}`, { as: viewer });
    expect(answer).toMatchObject({ status: 200 });
    return answer.body;
  };
  const ids = (keys: readonly Key[]): string[] => keys.map((key) => key.keyId).sort();

  const pages = (query: string, between?: () => Promise<void>) =>
    api.pages<Key>(`/v1/keys?${query}`, { as: viewer, ...(between && { between }) });

  it('answers an empty page for an empty pool', async () => {
    expect(await list('')).toEqual({ keys: [] });
  });

  it('pages through a pool without a gap or a repeat, and ends with the last full page', async () => {
    const created = await api.createKeys(6);
    await api.putPool('other');
    await api.createKeys(2, 'other');
    const found = await pages('limit=3');
    expect(found.map((page) => page.length)).toEqual([3, 3]);
    expect(ids(found.flat())).toEqual(ids(created));
    expect((await pages('limit=4')).flat()).toEqual(found.flat());
  });

  it('shows each standing key once, whatever is leased, added or deleted between two pages', async () => {
    const created = await api.createKeys(9);
    const doomed = created.pop() as Key;
    let isFirst = true;
    const found = await pages('limit=2', async () => {
      await api.acquire();
      await api.createKeys(1);
      if (isFirst) await api.call('DELETE', `/v1/keys/${doomed.keyId}`);
      isFirst = false;
    });
    const shown = ids(found.flat());
    expect(new Set(shown).size).toBe(shown.length);
    expect(shown).toEqual(expect.arrayContaining(ids(created)));
  });

  it('shows 50 keys where no limit is asked for, and at most 200', async () => {
    await api.createKeys(201);
    expect((await list('')).keys).toHaveLength(50);
    expect((await list('limit=200')).keys).toHaveLength(200);
  });

  it('shows who holds a key, but neither its lease id nor its value', async () => {
    await api.createKeys(1);
    const lease = await api.acquire({ holder: 'build-agent-7' });
    const { keys } = await list('');
    expect(keys).toMatchObject([
      {
        keyId: lease.keyId,
        state: 'leased',
        lease: { clientId: worker.clientId, holder: 'build-agent-7', expiresInMs: 60_000 },
      },
    ]);
    expect(JSON.stringify(keys)).not.toContain(lease.leaseId);
    expect(keys[0]).not.toHaveProperty('value');
  });

  describe('with one free, one leased and one cooling key', () => {
    let free: string;
    let leased: string;
    let cooling: string;

    beforeEach(async () => {
      await api.createKeys(3);
      cooling = (await api.acquire({ leaseSeconds: 10, holder: 'ada' })).keyId;
      await api.call('POST', `/v1/keys/${cooling}/unblock`);
      leased = (await api.acquire({ leaseSeconds: 20, holder: '100%_sure' })).keyId;
      free = (await list('state=free')).keys[0]?.keyId as string;
    });

    it('filters by the state at the moment of the call, whether or not a sweep has run', async () => {
      const states = async (): Promise<unknown[]> =>
        Promise.all(
          ['free', 'leased', 'cooling'].map(async (state) => ids((await list(`state=${state}`)).keys)),
        );
      expect(await states()).toEqual([[free], [leased], [cooling]]);
      api.now += 11_000;
      expect(await states()).toEqual([[free, cooling].sort(), [leased], []]);
      api.now += 9_000;
      expect(await states()).toEqual([[free, cooling].sort(), [], [leased]]);
      api.now += 1_000;
      expect(await states()).toEqual([[free, cooling, leased].sort(), [], []]);
    });

    it('searches for what the id or the holder contains, in upper or lower case', async () => {
      const search = async (text: string): Promise<string[]> =>
        ids((await list(`search=${encodeURIComponent(text)}`)).keys);
      expect(await search(free)).toEqual([free]);
      expect(await search('key_')).toEqual([free, leased, cooling].sort());
      for (const text of ['100%_s', '%', '%_SURE']) expect(await search(text)).toEqual([leased]);
      for (const text of ['1%_', '%%', '100._s', '.*', '^key', '*', "'", '"']) {
        expect(await search(text)).toEqual([]);
      }
    });

    it('combines pool, state and search, and pages through what is left', async () => {
      expect((await list('state=leased&search=100')).keys).toHaveLength(1);
      expect((await list('state=free&search=100')).keys).toHaveLength(0);
      const found = await pages('search=key_&limit=1');
      expect(ids(found.flat())).toEqual([free, leased, cooling].sort());
    });
  });

  it('shows no key from its hard expiration on', async () => {
    await api.createKeys(2);
    api.now += 299_999;
    expect((await list('')).keys).toHaveLength(2);
    api.now += 1;
    expect(await list('')).toEqual({ keys: [] });
  });

  it('answers 404 for a pool that does not exist', async () => {
    const answer = await api.call('GET', '/v1/keys?pool=nowhere');
    expect(answer).toMatchObject({ status: 404, body: { code: 'pool_not_found' } });
  });

  it.each([encodeCursor('key_a'), 'x', 'bnVsbA', 'W10', 'e30', 'IjEi'])(
    'refuses the cursor %s, which no list of keys gave',
    async (cursor) => {
      const answer = await api.call('GET', `/v1/keys?cursor=${cursor}`);
      expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: 'cursor' }] } });
    },
  );
});
