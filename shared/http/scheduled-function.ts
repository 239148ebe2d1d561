import type { Context as LambdaContext } from 'aws-lambda';
import { DatabaseUnavailableError } from '../domain/errors.ts';
import { logger, nameInvocation } from '../runtime/logger.ts';
import { traceInvocation } from '../runtime/tracing.ts';
import { logFailure } from './problem.ts';

/** What a scheduled function is told of its invocation; the local host's timers know no ids. */
export type ScheduledContext = Pick<LambdaContext, 'getRemainingTimeInMillis'> &
  Partial<Pick<LambdaContext, 'awsRequestId'>>;

export type ScheduledFunction<Report> = (event: unknown, context: ScheduledContext) => Promise<Report>;

/** A function that the schedule invokes. It fails where the database does, so that Lambda counts it, and says so first. */
export function scheduledFunction<Report>(
  name: string,
  run: (context: ScheduledContext) => Promise<Report>,
): ScheduledFunction<Report> {
  return async (_event, context) => {
    nameInvocation(context);
    try {
      return await traceInvocation(
        { name, describe: () => ({ 'faas.invocation_id': context.awsRequestId }) },
        () => run(context),
      );
    } catch (error) {
      if (error instanceof DatabaseUnavailableError) logFailure(logger, error);
      throw error;
    }
  };
}
