import middy from '@middy/core';
import type { Context as LambdaContext } from 'aws-lambda';
import type { Caller } from '../domain/client.ts';
import { DatabaseUnavailableError } from '../domain/errors.ts';
import { logger } from '../runtime/logger.ts';
import type { RuntimeSource } from '../runtime/runtime.ts';
import type { ApiEvent, ApiResponse } from './api-event.ts';
import { authorizeCaller } from './authorize-caller.ts';
import type { AnyEndpoint } from './endpoint.ts';
import { finishResponse } from './finish-response.ts';
import { sendProblems } from './problem.ts';
import { limitBody, readBody } from './read-body.ts';
import { validateRequest } from './validate-request.ts';

export type ApiHandler = (event: ApiEvent, context: LambdaContext) => Promise<ApiResponse>;

/** A function returns 503 this long before Lambda would end it without a response, in milliseconds. */
const EARLY_MS = 250;

/**
 * Turns an endpoint into a Lambda handler: caller and role, body, validation, problem documents, headers, log line.
 * The checks come in the order of the calls below, so that a caller without the role learns nothing about its body.
 */
export function createHandler(endpoint: AnyEndpoint, getRuntime: RuntimeSource): ApiHandler {
  const run = async (event: ApiEvent, lambda: LambdaContext & { caller: Caller }): Promise<ApiResponse> => {
    const request = validateRequest(endpoint, event);
    const { context } = await getRuntime();
    const { status, body } = await endpoint.run(request, { context, caller: lambda.caller });
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

  return middy<ApiEvent, ApiResponse, Error, LambdaContext & { caller: Caller }>({
    timeoutEarlyInMillis: EARLY_MS,
    timeoutEarlyResponse,
  })
    .use(finishResponse(logger))
    .use(sendProblems(logger))
    .before(async (request) => {
      request.context.caller = await authorizeCaller(request.event, endpoint.route.access, getRuntime);
    })
    .use(limitBody(endpoint.route.maxBodyBytes))
    .use(readBody())
    .handler(run) as unknown as ApiHandler;
}
