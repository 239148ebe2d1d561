import { answerWithin } from '../domain/answer-within.ts';
import type { Context } from '../domain/context.ts';
import { DatabaseUnavailableError } from '../domain/errors.ts';
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

/**
 * The same of samples of usage and of metrics of the pools, for which time is left when a sweep ran out of its own. They
 * are given up a second before the function's end, which would count as a failure of the sweep.
 */
const FIGURES_RESERVE_MS = 3000;
const LAST_MS = 1000;

/** The scheduled function: one sweep within the function's time, then the figures of the pools. */
export function createSweepHandler(getRuntime: RuntimeSource, metrics: Metrics = publishEmf): SweepHandler {
  return scheduledFunction('sweep', async (lambda) => {
    const startedAt = performance.now();
    const left = () => lambda.getRemainingTimeInMillis();
    try {
      const { context } = await getRuntime();
      const report = await sweep(context, () => left() > RESERVE_MS);
      const durationMs = Math.round(performance.now() - startedAt);
      const outcome = report.complete ? 'complete' : 'incomplete';
      logger.info('sweep', { outcome, durationMs, ...report });
      metrics(measureSweep(outcome, durationMs, report.backlogMs));
      const late = new DatabaseUnavailableError({ cause: new Error('The function has no time left') });
      const hasTime = () => left() > FIGURES_RESERVE_MS;
      const failure = hasTime()
        ? await answerWithin(tellFigures(context, hasTime, metrics), left() - LAST_MS, late)
        : undefined;
      if (failure !== undefined) logger.warn('pool figures', { outcome: 'gap', ...describeFailure(failure) });
      return report;
    } catch (error) {
      const durationMs = Math.round(performance.now() - startedAt);
      logger.error('sweep', { outcome: 'failed', durationMs, ...describeFailure(error) });
      metrics(measureSweep('failed', durationMs));
      throw error;
    }
  });
}

/** For people, so that what they lack fails no sweep. Returns why they lack something, if so. */
async function tellFigures(
  context: Context,
  hasTime: () => boolean,
  metrics: Metrics,
): Promise<DatabaseUnavailableError | undefined> {
  try {
    const failure = await recordUsage(context, hasTime);
    if (hasTime()) metrics(measurePools(await context.counts.first(MAX_POOLS, context.clock())));
    return failure;
  } catch (error) {
    if (error instanceof DatabaseUnavailableError) return error;
    throw error;
  }
}
