import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startSweepTimer } from '../../../infra/local/sweep-timer.ts';
import type { SweepReport } from '../../../shared/domain/sweep.ts';
import { type CapturedLog, captureLog } from '../../support/captured-log.ts';

const DONE: SweepReport = {
  lapsed: 0,
  lapsedByPool: {},
  expired: 0,
  purged: 0,
  backlogMs: 0,
  complete: true,
};

describe('the sweep of the local host', () => {
  let log: CapturedLog;

  beforeEach(() => {
    log = captureLog();
    vi.useFakeTimers();
  });
  afterEach(() => {
    log.stop();
    vi.useRealTimers();
  });

  it('runs at once and then every minute, until it is stopped', async () => {
    const sweep = vi.fn(async () => DONE);
    const timer = startSweepTimer(sweep);
    expect(sweep).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(59_999);
    expect(sweep).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(sweep).toHaveBeenCalledTimes(2);
    await timer.stop();
    await vi.advanceTimersByTimeAsync(600_000);
    expect(sweep).toHaveBeenCalledTimes(2);
  });

  it('never runs twice at the same time', async () => {
    const running = [Promise.withResolvers<SweepReport>(), Promise.withResolvers<SweepReport>()] as const;
    const sweep = vi.fn(() => running[sweep.mock.calls.length === 1 ? 0 : 1].promise);
    const timer = startSweepTimer(sweep);
    await vi.advanceTimersByTimeAsync(180_000);
    expect(sweep).toHaveBeenCalledTimes(1);
    running[0].resolve(DONE);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sweep).toHaveBeenCalledTimes(2);
    running[1].resolve(DONE);
    await timer.stop();
  });

  it('is tried again a minute after it failed', async () => {
    const sweep = vi.fn(async () => DONE).mockRejectedValueOnce(new Error('no answer'));
    const timer = startSweepTimer(sweep);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sweep).toHaveBeenCalledTimes(2);
    await timer.stop();
  });

  it('is told that its time is up when the host stops, and is waited for', async () => {
    let remainingMs = (): number => Number.NaN;
    const running = Promise.withResolvers<SweepReport>();
    const timer = startSweepTimer((_event, lambda) => {
      remainingMs = lambda.getRemainingTimeInMillis;
      return running.promise;
    });
    expect(remainingMs()).toBeGreaterThan(7000);
    let isStopped = false;
    const stopped = timer.stop().then(() => {
      isStopped = true;
    });
    expect(remainingMs()).toBe(0);
    await vi.advanceTimersByTimeAsync(1000);
    expect(isStopped).toBe(false);
    running.resolve(DONE);
    await stopped;
  });
});
