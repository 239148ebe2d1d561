import middy from '@middy/core';
import { logger } from '../runtime/logger.ts';
import type { ApiEvent, ApiResponse } from './api-event.ts';
import type { ApiHandler } from './create-handler.ts';
import { finishResponse } from './finish-response.ts';
import { allowedMethods } from './match-route.ts';
import { MethodNotAllowedError, RouteNotFoundError, sendProblems } from './problem.ts';
import type { Route } from './route.ts';

/** Responds to what no route matched: 405 with `Allow` where the path is known for other methods, 404 otherwise. */
export function createUnmatchedHandler(routes: readonly Route[]): ApiHandler {
  const refuse = async (event: ApiEvent): Promise<ApiResponse> => {
    const allowed = allowedMethods(routes, event.rawPath);
    if (allowed.length > 0) throw new MethodNotAllowedError(allowed);
    throw new RouteNotFoundError('There is no such path');
  };
  return middy<ApiEvent, ApiResponse>()
    .use(finishResponse(logger))
    .use(sendProblems(logger))
    .handler(refuse) as unknown as ApiHandler;
}
