import middy from '@middy/core';
import { publishEmf } from '../runtime/emf-metrics.ts';
import { logger } from '../runtime/logger.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { ApiEvent, ApiResponse } from './api-event.ts';
import type { ApiHandler } from './create-handler.ts';
import { finishResponse } from './finish-response.ts';
import { allowedMethods } from './match-route.ts';
import { MethodNotAllowedError, RouteNotFoundError, sendProblems } from './problem.ts';
import type { Route } from './route.ts';
import { traceRequests } from './trace-requests.ts';

/**
 * Responds to what no route matched: 405 with `Allow` where the path is known for other methods, 404 otherwise. A
 * browser's preflight gets 204: a browser takes no other status, and the gateway adds the headers that allow the call,
 * if any.
 */
export function createUnmatchedHandler(routes: readonly Route[], metrics: Metrics = publishEmf): ApiHandler {
  const respond = async (event: ApiEvent): Promise<ApiResponse> => {
    if (isPreflight(event)) return { statusCode: 204 };
    const allowed = allowedMethods(routes, event.rawPath);
    if (allowed.length > 0) throw new MethodNotAllowedError(allowed);
    throw new RouteNotFoundError('There is no such path');
  };
  return traceRequests(
    middy<ApiEvent, ApiResponse>()
      .use(finishResponse(logger, metrics))
      .use(sendProblems(logger))
      .handler(respond) as unknown as ApiHandler,
  );
}

function isPreflight({ headers, requestContext }: ApiEvent): boolean {
  return (
    requestContext.http.method === 'OPTIONS' &&
    headers.origin !== undefined &&
    headers['access-control-request-method'] !== undefined
  );
}
