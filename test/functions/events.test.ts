import { beforeEach, describe, expect, it } from 'vitest';
import type { CreatedClient } from '../../shared/contract/clients.ts';
import type { Event, ListEventsQuery, ListEventsResponse } from '../../shared/contract/events.ts';
import type { Caller } from '../../shared/domain/client.ts';
import { admin, useTestApi } from '../support/test-api.ts';

const limited: Caller = { clientId: 'limited', role: 'viewer', pools: ['mine', 'ours'] };
const narrow: Caller = { clientId: 'narrow', role: 'viewer', pools: ['mine'] };

describe('GET /v1/events', () => {
  const api = useTestApi();

  type Query = { [Field in keyof ListEventsQuery]: ListEventsQuery[Field] | number };
  const list = async (query: Query = {}, as = admin): Promise<ListEventsResponse> => {
    const text = new URLSearchParams(query as Record<string, string>).toString();
    const { status, body } = await api.call<ListEventsResponse>('GET', `/v1/events?${text}`, { as });
    expect(status).toBe(200);
    return body;
  };
  const told = (events: readonly Event[]) => events.map(({ type, pool, change }) => [type, pool, change]);

  const created = (pool: string) => [
    ['pool.changed', pool, 'created'],
    ['key.created', pool, undefined],
  ];

  beforeEach(async () => {
    for (const pool of ['mine', 'theirs', 'ours']) {
      await api.putPool(pool);
      await api.createKeys(2, pool);
    }
  });

  it('lists what happened from the oldest on, page by page', async () => {
    const first = await list({ limit: 4 });
    expect(told(first.events)).toEqual([...created('mine'), ...created('theirs')]);
    const second = await list({ limit: 4, after: first.next });
    expect(told(second.events)).toEqual(created('ours'));
    expect(await list({ after: second.next })).toEqual({ events: [], next: second.next });
    await api.createKeys(1, 'ours');
    expect(told((await list({ after: second.next })).events)).toEqual([['key.created', 'ours', undefined]]);
  });

  it('tells what a call did, and who made it', async () => {
    const { keyId, fencingToken, clientId } = await api.acquire({ pool: 'mine', holder: 'host-1' });
    await api.call('POST', `/v1/keys/${keyId}/unblock?force=true`);
    await api.call('DELETE', `/v1/keys/${keyId}`);
    await api.call('PATCH', '/v1/pools/mine', { body: { paused: true, maxKeys: 9, leaseSeconds: 60 } });
    await api.call('POST', '/v1/pools/mine/refresh');
    await api.call('DELETE', '/v1/pools/mine');
    await api.call('DELETE', '/v1/pools/default');
    const created = await api.call<CreatedClient>('POST', '/v1/clients', { body: { role: 'viewer' } });
    const made = created.body.clientId;
    await api.call('DELETE', `/v1/clients/${made}`);
    const { events } = await list({ tail: 8 });
    const common = { eventId: expect.stringMatching(/^event_[\w-]{22}$/), at: expect.any(String) };
    const by = admin.clientId;
    expect(events).toEqual([
      {
        ...common,
        type: 'lease.unblocked',
        pool: 'mine',
        keyId,
        clientId,
        holder: 'host-1',
        fencingToken,
        by,
      },
      { ...common, type: 'key.deleted', pool: 'mine', keyId, by },
      {
        ...common,
        type: 'pool.changed',
        pool: 'mine',
        change: 'updated',
        fields: ['maxKeys', 'paused'],
        by,
      },
      { ...common, type: 'pool.changed', pool: 'mine', change: 'refreshed', by },
      { ...common, type: 'pool.changed', pool: 'mine', change: 'deleted', by },
      { ...common, type: 'pool.changed', pool: 'default', change: 'emptied', by },
      { ...common, type: 'client.created', clientId: made, by },
      { ...common, type: 'client.revoked', clientId: made, by },
    ]);
    expect(told((await list({ client: made })).events).map(([type]) => type)).toEqual([
      'client.created',
      'client.revoked',
    ]);
    expect((await list({ key: keyId })).events.map(({ type }) => type)).toEqual([
      'lease.unblocked',
      'key.deleted',
    ]);
    expect((await list({ holder: 'host-1' })).events.map(({ type }) => type)).toEqual(['lease.unblocked']);
    expect((await list({ holder: 'host' })).events).toEqual([]);
    expect((await list({ holder: 'host-1', pool: 'ours' })).events).toEqual([]);
    expect((await list({ key: keyId, type: 'key.deleted' })).events).toHaveLength(1);
    expect((await list({ key: keyId, pool: 'ours' })).events).toEqual([]);
  });

  it('lists the newest of those that match, in their order, and leads on from there', async () => {
    expect(told((await list({ tail: 3 })).events)).toEqual([
      ['key.created', 'theirs', undefined],
      ...created('ours'),
    ]);
    expect(told((await list({ tail: 1, pool: 'mine' })).events)).toEqual([
      ['key.created', 'mine', undefined],
    ]);
    const { events, next } = await list({ tail: 1, pool: 'theirs', type: 'pool.changed' });
    expect(told(events)).toEqual([['pool.changed', 'theirs', 'created']]);
    await api.createKeys(1, 'mine');
    expect(told((await list({ after: next })).events)).toEqual([['key.created', 'mine', undefined]]);
  });

  it('follows a combination of conditions without a gap or a repeat', async () => {
    for (let i = 0; i < 5; i++) for (const pool of ['mine', 'theirs']) await api.createKeys(1, pool);
    const seen: string[] = [];
    let next: string | undefined;
    for (let page = 0; page < 7; page++) {
      const query = { pool: 'mine', type: 'key.created', limit: 1 } as const;
      const found = await list(next === undefined ? query : { ...query, after: next });
      seen.push(...found.events.map(({ eventId }) => eventId));
      next = found.next;
    }
    const all = (await list({ limit: 200 })).events.filter((event) => {
      return event.pool === 'mine' && event.type === 'key.created';
    });
    expect(all).toHaveLength(6);
    expect(seen).toEqual(all.map(({ eventId }) => eventId));
  });

  it('leaves out what is of other pools for a credential that is limited to some, and what is of none', async () => {
    await api.call('POST', '/v1/clients', { body: { role: 'viewer' } });
    expect(told((await list({}, limited)).events)).toEqual([...created('mine'), ...created('ours')]);
    expect(told((await list({ tail: 2 }, limited)).events)).toEqual(created('ours'));
    expect(told((await list({}, narrow)).events)).toEqual(created('mine'));
    const [theirs] = (await list({ pool: 'theirs', type: 'key.created' })).events;
    expect((await list({ client: theirs?.by as string }, limited)).events).toEqual([]);
    const first = await list({ limit: 3 }, limited);
    expect(told((await list({ limit: 3, after: first.next }, limited)).events)).toEqual([created('ours')[1]]);
    expect(await api.call('GET', '/v1/events?pool=theirs', { as: limited })).toMatchObject({ status: 403 });
  });

  it.each([
    ['after=x', 'after'],
    ['after=Zm9v', 'after'],
    ['tail=0', 'tail'],
    ['limit=201', 'limit'],
    ['type=lease.acquired', 'type'],
    ['tail=1&after=MQ', 'tail'],
  ])('refuses %s', async (query, path) => {
    const answer = await api.call<{ errors: { path: string }[] }>('GET', `/v1/events?${query}`);
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path }] } });
  });
});
