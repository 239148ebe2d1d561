import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startSendTimer } from '../../../infra/local/send-timer.ts';
import type { SendFailure, SendReport } from '../../../shared/domain/send-events.ts';
import { type CapturedLog, captureLog } from '../../support/captured-log.ts';

const DONE: SendReport = { sent: 0, oldestUnsentAgeMs: 0 };
const failed = (failure: Partial<SendFailure> = {}): SendReport => ({
  sent: 0,
  oldestUnsentAgeMs: 1,
  failure: { reason: 'status 500', ...failure },
});

describe('the timer that sends events', () => {
  let log: CapturedLog;

  beforeEach(() => {
    log = captureLog();
    vi.useFakeTimers();
    vi.spyOn(Math, 'random').mockReturnValue(0);
  });
  afterEach(() => {
    log.stop();
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  /** The pauses after each of the calls, in milliseconds. */
  const pausesOf = async (reports: (SendReport | Error)[]): Promise<number[]> => {
    const times: number[] = [];
    const timer = startSendTimer(async () => {
      times.push(Date.now());
      const report = reports[times.length - 1] ?? DONE;
      if (report instanceof Error) throw report;
      return report;
    });
    while (times.length <= reports.length) await vi.advanceTimersToNextTimerAsync();
    await timer.stop();
    return reports.map((_, index) => (times[index + 1] as number) - (times[index] as number));
  };

  it('looks at once and then every two seconds, until it is stopped', async () => {
    const send = vi.fn(async () => DONE);
    const timer = startSendTimer(send);
    expect(send).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(4000);
    expect(send).toHaveBeenCalledTimes(3);
    await timer.stop();
    await vi.advanceTimersByTimeAsync(600_000);
    expect(send).toHaveBeenCalledTimes(3);
  });

  it('pauses twice as long after each failure, up to five minutes, and shortly again after a success', async () => {
    const pauses = await pausesOf([...Array.from({ length: 10 }, () => failed()), DONE, failed()]);
    expect(pauses).toEqual([
      4000, 8000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000, 300_000, 2000, 4000,
    ]);
  });

  it('adds up to half of a pause by chance', async () => {
    vi.mocked(Math.random).mockReturnValue(1);
    expect(await pausesOf([failed(), failed(), DONE])).toEqual([6000, 12_000, 2000]);
  });

  it('waits for as long as the receiver asks, but not for days', async () => {
    const wishes = [1000, 100_000, 1e9].map((retryAfterMs) => failed({ retryAfterMs }));
    expect(await pausesOf(wishes)).toEqual([4000, 100_000, 3_600_000]);
  });

  it('goes on after the database failed, and says so', async () => {
    expect(await pausesOf([new Error('no answer'), DONE])).toEqual([4000, 2000]);
    expect(log.text()).toContain('sending events failed');
  });

  it('sends nothing more to a receiver that wants nothing more, and says so', async () => {
    const send = vi.fn(async () => failed({ reason: 'status 410', isFinal: true }));
    const timer = startSendTimer(send);
    await vi.advanceTimersByTimeAsync(86_400_000);
    expect(send).toHaveBeenCalledTimes(1);
    expect(log.text()).toMatch(/none is sent until the next start.*"status 410"/);
    await timer.stop();
  });

  it('never sends twice at the same time; tells a running one to stop and waits for it', async () => {
    let remainingMs = (): number => Number.NaN;
    const running = Promise.withResolvers<SendReport>();
    const send = vi.fn((_event: unknown, lambda: { getRemainingTimeInMillis(): number }) => {
      remainingMs = lambda.getRemainingTimeInMillis;
      return running.promise;
    });
    const timer = startSendTimer(send);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(send).toHaveBeenCalledTimes(1);
    expect(remainingMs()).toBe(Number.POSITIVE_INFINITY);
    let isStopped = false;
    const stopped = timer.stop().then(() => {
      isStopped = true;
    });
    expect(remainingMs()).toBe(0);
    await vi.advanceTimersByTimeAsync(1000);
    expect(isStopped).toBe(false);
    running.resolve(DONE);
    await stopped;
    await vi.advanceTimersByTimeAsync(600_000);
    expect(send).toHaveBeenCalledTimes(1);
  });
});
