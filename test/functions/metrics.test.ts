import { describe, expect, it } from 'vitest';
import type { HeldLease } from '../../shared/contract/leases.ts';
import { MAX_POOLS, METRICS } from '../../shared/runtime/metrics.ts';
import { scrapeMetrics } from '../support/scrape-metrics.ts';
import { randomFrom } from '../support/seeded-random.ts';
import { otherWorker, useTestApi, worker } from '../support/test-api.ts';

const NAME = 'token_orchestrator_';

describe('the metrics', () => {
  const api = useTestApi();
  const scrape = () => scrapeMetrics(api.metrics);
  const sweep = () => api.functions.sweep({}, { getRemainingTimeInMillis: () => 50_000 });

  it.each([1, 2, 3])('say what was done, after a random run (seed %i)', async (seed) => {
    const random = randomFrom(seed);
    const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
    const done = new Map<string, number>();
    const count = (series: string, by = 1) => done.set(NAME + series, (done.get(NAME + series) ?? 0) + by);
    const pools = ['default', 'few', 'queue'] as const;
    await api.putPool('few', { maxLeasesPerClient: 2, cooldownSeconds: 5 });
    await api.putPool('queue', { fair: true });
    await api.putPool('paused', { paused: true });
    for (const pool of pools) await api.createKeys(pool === 'queue' ? 1 : 4, pool);

    const call = async <Body>(method: string, path: string, route: string, options: object) => {
      const answer = await api.call<Body & { code?: string }>(method, path, options);
      const { status, body } = answer;
      count(
        `request_duration_seconds_count{route="${method} ${route}",status="${Math.floor(status / 100)}xx"}`,
      );
      return { status, body, code: body?.code };
    };
    const held: { leaseId: string; pool: string; as: typeof worker; acquiredAt: number; endsAt: number }[] =
      [];
    const given = new Map<string, number>();
    const requests: { as: typeof worker; body: object; headers: { 'idempotency-key': string } }[] = [];
    let tickets: { ticket: string; as: typeof worker; at: number }[] = [];

    const refused = (code: string, pool: string) => count(`refusals_total{code="${code}",pool="${pool}"}`);
    const acquire = async (options: { as: typeof worker; body: object }, pool: string, waitedMs?: number) => {
      const { status, body, code } = await call<HeldLease & { ticket: string }>(
        'POST',
        '/v1/leases',
        '/v1/leases',
        options,
      );
      if (status === 201 || status === 200) {
        count(`acquires_total{outcome="${status === 201 ? 'acquired' : 'repeated'}",pool="${pool}"}`);
        if (status === 201) {
          given.set(pool, (given.get(pool) ?? 0) + 1);
          const endsAt = api.now + body.expiresInMs;
          held.push({ leaseId: body.leaseId, pool, as: options.as, acquiredAt: api.now, endsAt });
          if (pool === 'queue') {
            count('lease_wait_seconds_count{pool="queue"}');
            count('lease_wait_seconds_sum{pool="queue"}', (waitedMs ?? 0) / 1000);
          }
        }
      } else if (status === 202) {
        count(`acquires_total{outcome="waiting",pool="${pool}"}`);
        tickets.push({ ticket: body.ticket, as: options.as, at: api.now });
      } else {
        refused(
          code as string,
          ['pool_not_found', 'ticket_ended', 'invalid_request'].includes(code as string) ? '_none' : pool,
        );
      }
      return status;
    };

    for (let step = 0; step < 400; step += 1) {
      const as = pick([worker, otherWorker]);
      const pool = pick([...pools, ...pools, 'paused', 'nowhere']);
      const lease = held[Math.floor(random() * held.length)];
      const what = random();
      if (what < 0.3) {
        const headers = { 'idempotency-key': `request-${step}` };
        const options = {
          as,
          body: { pool, ...(pool === 'queue' && random() < 0.5 && { wait: true }) },
          headers,
        };
        const status = await acquire(options, pool);
        if (status === 201 && pool !== 'queue') requests.push(options);
      } else if (what < 0.35 && requests.length > 0) {
        const options = pick(requests);
        const { pool: wanted } = options.body as { pool: string };
        if ((await acquire(options, wanted)) === 410) requests.splice(requests.indexOf(options), 1);
      } else if (what < 0.45 && tickets.length > 0) {
        const { ticket, as: waiter, at } = pick(tickets);
        const status = await acquire({ as: waiter, body: { pool: 'queue', ticket } }, 'queue', api.now - at);
        if (status !== 202) tickets = tickets.filter((other) => other.ticket !== ticket);
        else tickets.pop();
      } else if (what < 0.6 && lease !== undefined) {
        const path = `/v1/leases/${lease.leaseId}/keep-alive`;
        const { status } = await call<object>('POST', path, '/v1/leases/{leaseId}/keep-alive', {
          as: lease.as,
        });
        if (status === 200) {
          count(`keep_alives_total{pool="${lease.pool}"}`);
          lease.endsAt = api.now + 60_000;
        } else refusedAsEnded(lease);
      } else if (what < 0.8 && lease !== undefined) {
        const outcome = pick(['ok', 'cooldown']);
        const path = `/v1/leases/${lease.leaseId}?outcome=${outcome}`;
        const { status } = await call<object>('DELETE', path, '/v1/leases/{leaseId}', { as: lease.as });
        if (status !== 204) refusedAsEnded(lease);
        else if (lease.endsAt < 0) count(`releases_total{outcome="release_repeated",pool="${lease.pool}"}`);
        else {
          count(`releases_total{outcome="${outcome === 'ok' ? 'released' : outcome}",pool="${lease.pool}"}`);
          count(`lease_hold_seconds_count{pool="${lease.pool}"}`);
          count(`lease_hold_seconds_sum{pool="${lease.pool}"}`, (api.now - lease.acquiredAt) / 1000);
          given.set(lease.pool, (given.get(lease.pool) as number) - 1);
          lease.endsAt = -1;
        }
      } else if (what < 0.97) api.now += pick([100, 200, 300, 1000, 20_000]);
      else {
        await sweep();
        count('sweeps_total{outcome="complete"}');
      }
    }
    // Refusals of what is over are compared as a sum: whether the key remembers the lease decides on the label.
    function refusedAsEnded({ pool }: { pool: string }): void {
      refused('lease_ended', pool);
    }

    // Whatever was given and not released has lapsed in the end, whoever wrote it down.
    api.now += 90_000;
    await sweep();
    count('sweeps_total{outcome="complete"}');
    for (const [pool, left] of given) if (left > 0) count(`lapses_total{pool="${pool}"}`, left);

    const scraped = await scrape();
    const counted = [...scraped].filter(
      ([series, value]) =>
        value !== 0 &&
        !/_bucket|_duration_seconds_sum|sweep_duration|sweep_backlog|_free_ratio|_keys|_waiting\{|lease_ended/.test(
          series,
        ) &&
        !/\/v1\/(keys|pools)/.test(series),
    );
    const byName = (one: [string, number], other: [string, number]) => (one[0] < other[0] ? -1 : 1);
    const isCompared = ([series]: [string, number]) => !series.includes('lease_ended');
    const rounded = (entries: [string, number][]) =>
      entries.sort(byName).map(([series, value]) => [series, Math.round(value * 1000) / 1000]);
    expect(rounded(counted)).toEqual(
      rounded([...done].filter(isCompared).filter(([, value]) => value !== 0)),
    );
    const sumOf = (series: Iterable<[string, number]>) =>
      [...series].filter((one) => !isCompared(one)).reduce((sum, [, value]) => sum + value, 0);
    expect(sumOf(scraped)).toBe(sumOf(done));
    expect(done.size).toBeGreaterThan(20);
  });

  it('have the keys of each pool by state, and who waits, as the latest sweep found them', async () => {
    await api.putPool('seats', { fair: true });
    await api.createKeys(3, 'seats');
    for (let i = 0; i < 3; i += 1) await api.acquire({ pool: 'seats' });
    await api.call('POST', '/v1/leases', { as: otherWorker, body: { pool: 'seats', wait: true } });
    await sweep();
    const first = await scrape();
    expect(first.get(`${NAME}keys{pool="seats",state="leased"}`)).toBe(3);
    expect(first.get(`${NAME}keys{pool="seats",state="free"}`)).toBe(0);
    expect(first.get(`${NAME}waiting{pool="seats"}`)).toBe(1);
    expect(first.get(`${NAME}least_free_ratio`)).toBe(1);
    await api.createKeys(9, 'seats');
    await sweep();
    expect((await scrape()).get(`${NAME}least_free_ratio`)).toBe(0.75);
    await api.call('DELETE', '/v1/pools/seats');
    await sweep();
    const second = [...(await scrape()).keys()];
    expect(second).toContain(`${NAME}keys{pool="default",state="free"}`);
    expect(second.filter((series) => /(keys|waiting)\{.*seats/.test(series))).toEqual([]);
  });

  it('tell how long a lapse had been waiting for the sweep, and that a sweep failed', async () => {
    await api.createKeys(1);
    await api.acquire();
    api.now += 61_000 + 42_000;
    await sweep();
    expect((await scrape()).get(`${NAME}sweep_backlog_seconds`)).toBe(42);
    await sweep();
    expect((await scrape()).get(`${NAME}sweep_backlog_seconds`)).toBe(0);
    api.fault = () => {
      throw new Error('no answer');
    };
    await expect(sweep()).rejects.toThrow('no answer');
    const scraped = await scrape();
    expect(scraped.get(`${NAME}sweeps_total{outcome="failed"}`)).toBe(1);
    expect(scraped.get(`${NAME}sweep_duration_seconds_count`)).toBe(3);
  });

  it('have few labels, however many pools there are and whatever callers send', async () => {
    for (let number = 0; number < MAX_POOLS + 5; number += 1) {
      await api.putPool(`pool-${number}`);
      await api.call('POST', '/v1/leases', {
        as: worker,
        body: { pool: `pool-${number}`, holder: `host-${number}` },
      });
      await api.call('POST', '/v1/leases', { as: worker, body: { pool: `made-up-${number}` } });
      await api.call('GET', `/v1/made-up-${number}`, { as: 'nobody' });
    }
    const text = await api.metrics.scrape();
    const labels = [...text.matchAll(/pool="([^"]*)"/g)].map(([, pool]) => pool as string);
    expect(new Set(labels).size).toBe(MAX_POOLS + 2);
    expect(labels).toContain('_other');
    expect(text).not.toMatch(/made-up|host-|client_/);
    const scraped = await scrape();
    expect(scraped.get(`${NAME}refusals_total{code="no_key_available",pool="_other"}`)).toBe(5);
    expect(scraped.get(`${NAME}refusals_total{code="pool_not_found",pool="_none"}`)).toBe(MAX_POOLS + 5);
    expect(new Set([...text.matchAll(/(\w+)="/g)].map(([, name]) => name))).toEqual(
      new Set(
        ['le', 'status', ...Object.values(METRICS).flatMap(({ labels: names }) => names)].filter((name) =>
          text.includes(`${name}="`),
        ),
      ),
    );
  });

  it('are OpenMetrics, each with its help', async () => {
    const text = await api.metrics.scrape();
    expect(api.metrics.contentType).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    expect(text).toMatch(/# EOF\n$/);
    for (const [name, { kind }] of Object.entries(METRICS)) {
      expect(text).toContain(`# TYPE ${name.replace(/_total$/, '')} ${kind}\n`);
      if (kind === 'counter') expect(name).toMatch(/_total$/);
      if (kind === 'histogram') expect(name).toMatch(/_seconds$/);
    }
  });
});
