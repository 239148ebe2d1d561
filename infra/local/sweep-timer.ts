import { performance } from 'node:perf_hooks';
import type { SweepHandler } from '../../shared/http/create-sweep-handler.ts';

/** As often as EventBridge Scheduler does in AWS, in milliseconds. */
const EVERY_MS = 60_000;
/** As the function's time limit in AWS, in milliseconds. */
const TIME_LIMIT_MS = 50_000;

/** Runs a sweep now and every minute, never two at once; after one that failed the next one tries again. */
export function startSweepTimer(sweep: SweepHandler): { stop(): Promise<void> } {
  let running: Promise<void> | undefined;
  let stopped = false;

  const run = async (): Promise<void> => {
    const deadline = performance.now() + TIME_LIMIT_MS;
    try {
      await sweep({}, { getRemainingTimeInMillis: () => (stopped ? 0 : deadline - performance.now()) });
    } catch {
      // The function has said so in the log.
    }
  };
  const tick = (): void => {
    running ??= run().finally(() => {
      running = undefined;
    });
  };

  const timer = setInterval(tick, EVERY_MS);
  timer.unref();
  tick();
  return {
    stop: async () => {
      stopped = true;
      clearInterval(timer);
      await running;
    },
  };
}
