import { recordUsage } from '../domain/record-usage.ts';
import { type SweepReport, sweep } from '../domain/sweep.ts';
import { publishEmf } from '../runtime/emf-metrics.ts';
import { logger } from '../runtime/logger.ts';
import { MAX_POOLS, type Metrics } from '../runtime/metrics.ts';
import type { RuntimeSource } from '../runtime/runtime.ts';
import { measurePools, measureSweep } from './measure.ts';
import { describeFailure } from './problem.ts';
import { type ScheduledFunction, scheduledFunction } from './scheduled-function.ts';

export type SweepHandler = ScheduledFunction<SweepReport>;

/** A sweep starts no batch when less than this is left of the function's time, in milliseconds. */
const RESERVE_MS = 7000;

/** The scheduled function: one sweep within the function's time, then a sample of the pools' usage and their figures; one line tells of both. */
export function createSweepHandler(getRuntime: RuntimeSource, metrics: Metrics = publishEmf): SweepHandler {
  return scheduledFunction(async (lambda) => {
    const startedAt = performance.now();
    const hasTime = (): boolean => lambda.getRemainingTimeInMillis() > RESERVE_MS;
    try {
      const { context } = await getRuntime();
      const report = await sweep(context, hasTime);
      if (report.complete) await recordUsage(context, hasTime);
      const durationMs = Math.round(performance.now() - startedAt);
      const outcome = report.complete ? 'complete' : 'incomplete';
      logger.info('sweep', { outcome, durationMs, ...report });
      metrics(measureSweep(outcome, durationMs, report.backlogMs));
      if (hasTime()) metrics(measurePools(await context.counts.first(MAX_POOLS, context.clock())));
      return report;
    } catch (error) {
      const durationMs = Math.round(performance.now() - startedAt);
      logger.error('sweep', { outcome: 'failed', durationMs, ...describeFailure(error) });
      metrics(measureSweep('failed', durationMs));
      throw error;
    }
  });
}
