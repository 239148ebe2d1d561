import middy from '@middy/core';
import type { Context as LambdaContext } from 'aws-lambda';
import { DatabaseUnavailableError } from '../domain/errors.ts';
import { publishEmf } from '../runtime/emf-metrics.ts';
import { logger } from '../runtime/logger.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { RuntimeSource } from '../runtime/runtime.ts';
import type { ApiEvent, ApiResponse } from './api-event.ts';
import { authorizeCaller } from './authorize-caller.ts';
import type { AnyEndpoint, Facts } from './endpoint.ts';
import { type CallContext, finishResponse } from './finish-response.ts';
import { sendProblems } from './problem.ts';
import { limitBody, readBody } from './read-body.ts';
import { traceRequests } from './trace-requests.ts';
import { validateRequest } from './validate-request.ts';

export type ApiHandler = (event: ApiEvent, context: LambdaContext) => Promise<ApiResponse>;

/** A function returns 503 this long before Lambda would end it without a response, in milliseconds. */
const EARLY_MS = 250;

/**
 * Turns an endpoint into a Lambda handler: caller and role, body, validation, problem documents, headers, log line.
 * The checks come in the order of the calls below, so that a caller without the role learns nothing about its body.
 */
export function createHandler(
  endpoint: AnyEndpoint,
  getRuntime: RuntimeSource,
  metrics: Metrics = publishEmf,
): ApiHandler {
  const run = async (event: ApiEvent, lambda: CallContext): Promise<ApiResponse> => {
    const request = validateRequest(endpoint, event);
    const { context } = await getRuntime();
    const { status, body, facts } = await endpoint.run(request, { context, caller: lambda.caller });
    lambda.facts = { ...namesIn(body), ...facts };
    if (body === undefined) return { statusCode: status };
    return {
      statusCode: status,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    };
  };

  const timeoutEarlyResponse = (): never => {
    throw new DatabaseUnavailableError({ cause: new Error('The function ran out of time') });
  };

  return traceRequests(
    middy<ApiEvent, ApiResponse, Error, CallContext>({
      timeoutEarlyInMillis: EARLY_MS,
      timeoutEarlyResponse,
    })
      .use(finishResponse(logger, metrics))
      .use(sendProblems(logger))
      .before(async (request) => {
        request.context.caller = await authorizeCaller(request.event, endpoint.route.access, getRuntime);
      })
      .use(limitBody(endpoint.route.maxBodyBytes))
      .use(readBody())
      .handler(run) as unknown as ApiHandler,
  );
}

/** The names in a body that is about one key, lease or pool. */
function namesIn(body: unknown): Facts {
  const { pool, keyId, holder } = (body ?? {}) as Facts;
  return { pool, keyId, holder };
}
