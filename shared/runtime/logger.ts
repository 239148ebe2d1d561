import { Logger } from '@aws-lambda-powertools/logger';
import type { Context as LambdaContext } from 'aws-lambda';

export type { Logger };

/**
 * One JSON line per entry. What must never be in one: credentials, values of keys, bodies. A connection string, which
 * may hold a password, is cut wherever an error tells it.
 */
export const logger = new Logger({
  serviceName: 'token-orchestrator',
  jsonReplacerFn: (_name, value: unknown) =>
    typeof value === 'string' ? value.replaceAll(/mongodb(\+srv)?:\/\/\S+/g, 'mongodb$1://...') : value,
});

/**
 * Puts Lambda's id of the invocation, beside the gateway's of the request, on every line from here on. An environment has
 * one invocation at a time; the local host, which has many, has no such ids.
 */
export function nameInvocation({ awsRequestId }: Partial<Pick<LambdaContext, 'awsRequestId'>> = {}): void {
  if (awsRequestId !== undefined) logger.appendKeys({ awsRequestId });
}
