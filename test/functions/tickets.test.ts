import { beforeEach, describe, expect, it } from 'vitest';
import type { AcquireLeaseRequest } from '../../shared/contract/leases.ts';
import type { ListTicketsResponse, QueueEntry, Waiting } from '../../shared/contract/tickets.ts';
import { otherWorker, useTestApi, viewer, worker } from '../support/test-api.ts';

const api = useTestApi();
const TICKETS = '/v1/pools/seats/tickets';
const ENDED = { status: 410, body: { code: 'ticket_ended' } };

const wait = async (request: AcquireLeaseRequest = {}, as = worker): Promise<Waiting> => {
  const answer = await api.call<Waiting>('POST', '/v1/leases', {
    as,
    body: { pool: 'seats', wait: true, ...request },
  });
  expect(answer).toMatchObject({ status: 202 });
  return answer.body;
};
const list = async (query = ''): Promise<ListTicketsResponse> =>
  (await api.call<ListTicketsResponse>('GET', TICKETS + query, { as: viewer })).body;

beforeEach(() => api.putPool('seats', { fair: true }));

describe('GET /v1/pools/{pool}/tickets', () => {
  it('answers who waits, since when and at which place, and not the ticket', async () => {
    await wait({ holder: 'host-1' });
    api.now += 400;
    await wait({ priority: 3 }, otherWorker);
    api.now += 100;
    expect(await list()).toEqual({
      tickets: [
        {
          position: 0,
          clientId: otherWorker.clientId,
          priority: 3,
          count: 1,
          waitingSince: '2026-01-01T12:00:00.400Z',
          waitingMs: 100,
        },
        {
          position: 1,
          clientId: worker.clientId,
          holder: 'host-1',
          priority: 0,
          count: 1,
          waitingSince: '2026-01-01T12:00:00.000Z',
          waitingMs: 500,
        },
      ],
    });
  });

  it('answers page by page, in the order of the queue', async () => {
    const priorities = [0, 5, 9, 5, 1];
    for (const priority of priorities) await wait({ priority });
    const pages = await api.pages<QueueEntry>(`${TICKETS}?limit=2`);
    expect(pages.map((page) => page.length)).toEqual([2, 2, 1]);
    expect(pages.flat().map(({ priority }) => priority)).toEqual(priorities.toSorted().toReversed());
    expect(pages.flat().map(({ position }) => position)).toEqual([0, 1, 2, 3, 4]);
  });

  it('answers none where nobody waits any more, and 404 where there is no pool', async () => {
    await wait();
    api.now += 5000; // The shortest lapse.
    expect(await list()).toEqual({ tickets: [] });
    const answer = await api.call('GET', '/v1/pools/never/tickets');
    expect(answer).toMatchObject({ status: 404, body: { code: 'pool_not_found' } });
  });
});

describe('DELETE /v1/tickets/{ticket}', () => {
  it('leaves the queue, so that the next one is the first, and the ticket is of no use', async () => {
    const [first, second] = [await wait(), await wait()];
    expect(await api.call('DELETE', `/v1/tickets/${first.ticket}`, { as: worker })).toMatchObject({
      status: 204,
    });
    expect((await list()).tickets).toMatchObject([{ position: 0 }]);
    expect(await wait({ ticket: second.ticket })).toMatchObject({ position: 0 });
    const used = await api.call('POST', '/v1/leases', {
      as: worker,
      body: { pool: 'seats', ticket: first.ticket },
    });
    expect(used).toMatchObject(ENDED);
  });

  it("answers 410 for somebody else's ticket, a used one and one that never was", async () => {
    const { ticket } = await wait();
    for (const [one, as] of [
      [ticket, otherWorker],
      ['never', worker],
    ] as const) {
      expect(await api.call('DELETE', `/v1/tickets/${one}`, { as })).toMatchObject(ENDED);
    }
    expect((await list()).tickets).toHaveLength(1);
    await api.createKeys(1, 'seats');
    await api.acquire({ pool: 'seats', ticket });
    expect(await api.call('DELETE', `/v1/tickets/${ticket}`, { as: worker })).toMatchObject(ENDED);
  });
});
