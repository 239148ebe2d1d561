import { describe, expect, it } from 'vitest';
import type { Usage } from '../../shared/contract/usage.ts';
import { DatabaseUnavailableError } from '../../shared/domain/errors.ts';
import type { SweepReport } from '../../shared/domain/sweep.ts';
import { scrapeMetrics } from '../support/scrape-metrics.ts';
import { useTestApi } from '../support/test-api.ts';

const NOTHING = { lapsed: 0, lapsedByPool: {}, expired: 0, purged: 0, backlogMs: 0, complete: true };

describe('the sweep', () => {
  const api = useTestApi();

  /** A sweep that is asked for the remaining time before each batch, and is told `remainingMs` in turn. */
  const sweep = (...remainingMs: number[]): Promise<SweepReport> =>
    api.functions.sweep({}, { getRemainingTimeInMillis: () => remainingMs.shift() ?? 50_000 });
  const usage = async () => {
    const { body } = await api.call<Usage>('GET', '/v1/pools/default/usage?hours=1');
    return body.points;
  };
  const acquireMany = async (count: number, pool = 'default'): Promise<string[]> => {
    const keyIds: string[] = [];
    for (let number = 0; number < count; number += 1) keyIds.push((await api.acquire({ pool })).keyId);
    return keyIds;
  };

  it('has nothing to do in an empty database', async () => {
    expect(await sweep()).toEqual(NOTHING);
  });

  it('frees the keys whose leases lapsed, pool by pool, and leaves live and cooling ones alone', async () => {
    await api.putPool('seats', { keyTtlSeconds: null, leaseSeconds: 600 });
    await api.createKeys(3);
    await api.createKeys(3, 'seats');
    const { keyId: lapsed } = await api.acquire();
    const { keyId: lapsedSeat } = await api.acquire({ pool: 'seats', leaseSeconds: 60 });
    await api.acquire({ pool: 'seats' });
    api.now += 30_000;
    const { keyId: live } = await api.acquire({ leaseSeconds: 60 });
    const { keyId: cooling } = await api.acquire({ leaseSeconds: 31 });
    api.now += 30_999;

    expect(await sweep()).toEqual(NOTHING);
    api.now += 1;
    expect(await sweep()).toEqual({ ...NOTHING, lapsed: 2, lapsedByPool: { default: 1, seats: 1 } });
    for (const keyId of [lapsed, lapsedSeat]) {
      const key = await api.store.keys.getStored(keyId);
      expect(key).toMatchObject({ state: 'free', lastLease: { reason: 'lapsed' } });
      expect(key?.lease).toBeUndefined();
    }
    expect(await api.getKey(live)).toMatchObject({ state: 'leased', lease: { expiresInMs: 29_000 } });
    expect(await api.getKey(cooling)).toMatchObject({ state: 'cooling', freeInMs: 1000 });
    expect(await api.acquire()).toMatchObject({ keyId: lapsed });
  });

  it('removes the keys that have expired', async () => {
    const [key] = await api.createKeys(3);
    api.now += 100_000;
    const [later] = await api.createKeys(1);
    api.now += 200_000;
    expect(await sweep()).toEqual({ ...NOTHING, expired: 3 });
    expect(await api.store.keys.getStored(key?.keyId as string)).toBeNull();
    expect(await api.store.keys.getStored(later?.keyId as string)).not.toBeNull();
  });

  it('removes the keys of pools that were deleted or emptied, and those that were deleted', async () => {
    await api.putPool('seats', { keyTtlSeconds: null });
    await api.createKeys(4, 'seats');
    await acquireMany(1, 'seats');
    await api.call('DELETE', '/v1/pools/seats');
    const [deleted] = await api.createKeys(3);
    await api.call('DELETE', `/v1/keys/${deleted?.keyId}`);
    expect(await sweep()).toMatchObject({ purged: 3, expired: 1, complete: true });
    api.now += 61_000;
    expect(await sweep()).toMatchObject({ purged: 1, expired: 0, complete: true });
    await api.call('DELETE', '/v1/pools/default');
    const [kept] = await api.createKeys(1);
    expect(await sweep()).toMatchObject({ purged: 2, expired: 0, complete: true });
    expect(await api.getKey(kept?.keyId as string)).toMatchObject({ state: 'free' });
  });

  it('may be repeated, and then changes nothing', async () => {
    await api.createKeys(2);
    await acquireMany(2);
    api.now += 61_000;
    await sweep();
    const before = await api.dump();
    expect(await sweep()).toEqual(NOTHING);
    expect(await api.dump()).toBe(before);
  });

  it('stops before its time is up, and the next run goes on where it stopped', async () => {
    await api.createKeys(1000);
    await api.createKeys(201);
    await acquireMany(1201);
    api.now += 61_000;
    expect(await sweep(7000)).toEqual({ ...NOTHING, complete: false });
    expect(await sweep(20_000, 7000)).toMatchObject({ lapsed: 500, complete: false });
    expect(await api.store.keys.listNoted({ limit: 1 })).toEqual([]); // What it recorded has its events already.
    expect(await sweep(20_000, 7001, 0)).toMatchObject({ lapsed: 701, complete: false });
    api.now += 300_000;
    expect(await sweep(9000, 9000, 9000, 9000)).toMatchObject({ lapsed: 0, expired: 1201, complete: true });
    expect(await sweep()).toEqual(NOTHING);
  });

  it('logs what it did, without ids', async () => {
    await api.createKeys();
    const [keyId] = await acquireMany(1);
    api.now += 61_000;
    const before = api.logged();
    api.now += 5000;
    await sweep();
    const [line, ...others] = api.logged().slice(before.length).trim().split('\n');
    expect(others).toEqual([]);
    expect(JSON.parse(line as string)).toMatchObject({
      level: 'INFO',
      message: 'sweep',
      outcome: 'complete',
      durationMs: expect.any(Number),
      lapsed: 1,
      lapsedByPool: { default: 1 },
      expired: 0,
      purged: 0,
      backlogMs: 5000,
    });
    expect(line).not.toContain(keyId);
  });

  it('samples usage also where it ran out of time, as long as some is left', async () => {
    await api.createKeys(2);
    await acquireMany(1);
    expect(await sweep(7000, 3000)).toMatchObject({ complete: false });
    expect(await usage()).toEqual([]);
    expect(await sweep(7000, 3001)).toMatchObject({ complete: false });
    expect(await usage()).toMatchObject([{ leased: 1, free: 1 }]);
    const keys = (state: string) => `token_orchestrator_keys{pool="default",state="${state}"}`;
    const scraped = await scrapeMetrics(api.metrics);
    expect([scraped.get(keys('leased')), scraped.get(keys('free'))]).toEqual([1, 1]);
  });

  it('says why usage has a gap, in one line, and has not failed', async () => {
    const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    api.fault = (verb) => {
      if (verb === 'keys.count') throw new DatabaseUnavailableError({ cause });
    };
    const before = api.logged();
    expect(await sweep()).toEqual(NOTHING);
    const [swept, gap, ...others] = api.logged().slice(before.length).trim().split('\n');
    expect(swept).toMatch(/"INFO".*"sweep".*"complete"/);
    expect(JSON.parse(gap as string)).toMatchObject({
      level: 'WARN',
      message: 'pool figures',
      outcome: 'gap',
      reason: 'Error: refused',
      causeCode: 'ECONNREFUSED',
    });
    expect(others).toEqual([]);
  });

  it('gives usage up before the function would be ended in the middle of it', async () => {
    let remainingMs: number[] = [];
    api.fault = (verb) => {
      if (verb === 'noteSweep') remainingMs = [3001, 1001];
      return verb === 'usage.record' ? new Promise(() => undefined) : undefined;
    };
    const getRemainingTimeInMillis = () => remainingMs.shift() ?? 50_000;
    expect(await api.functions.sweep({}, { getRemainingTimeInMillis })).toEqual(NOTHING);
    expect(api.logged().trim().split('\n').at(-1)).toMatch(/"WARN".*"pool figures".*has no time left/);
  });

  it('fails where the database does, so that the schedule knows, and the next run does the work', async () => {
    await api.createKeys();
    await acquireMany(1);
    api.now += 61_000;
    api.fault = () => {
      throw new DatabaseUnavailableError({
        cause: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }),
      });
    };
    await expect(sweep()).rejects.toThrow(DatabaseUnavailableError);
    const [failed, unavailable] = api.logged().trim().split('\n').slice(-2);
    expect(failed).toMatch(/"ERROR".*"sweep".*"failed".*"causeCode":"ECONNREFUSED"/);
    expect(unavailable).toContain('"message":"database unavailable"');
    expect(await api.store.getLastSweep()).toBeUndefined();
    api.fault = undefined;
    expect(await sweep()).toMatchObject({ lapsed: 1 });
  });
});
