import type { Context as LambdaContext } from 'aws-lambda';
import { type SweepReport, sweep } from '../domain/sweep.ts';
import { logger } from '../runtime/logger.ts';
import type { RuntimeSource } from '../runtime/runtime.ts';

export type SweepHandler = (
  event: unknown,
  context: Pick<LambdaContext, 'getRemainingTimeInMillis'>,
) => Promise<SweepReport>;

/** A sweep starts no batch when less than this is left of the function's time, in milliseconds. */
const RESERVE_MS = 7000;

/** The scheduled function: one sweep within the function's time, logged with what it freed. */
export function createSweepHandler(getRuntime: RuntimeSource): SweepHandler {
  return async (_event, lambda) => {
    const { context } = await getRuntime();
    const report = await sweep(context, () => lambda.getRemainingTimeInMillis() > RESERVE_MS);
    logger.info('sweep', { ...report });
    return report;
  };
}
