import type { MiddlewareObj } from '@middy/core';
import { DatabaseUnavailableError, OrchestratorError } from '../domain/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import type { ApiEvent, ApiResponse } from './api-event.ts';
import { describeProblem } from './problem.ts';

/** Answers every error as a problem document, and logs the ones that are not the caller's. */
export function answerProblems(logger: Logger): MiddlewareObj<ApiEvent, ApiResponse> {
  return {
    onError: (request) => {
      const { requestId } = request.event.requestContext;
      if (request.error instanceof DatabaseUnavailableError) {
        const { name, message } = (request.error.cause ?? {}) as Partial<Error>;
        logger.error('database unavailable', { requestId, reason: `${name}: ${message}` });
      } else if (!(request.error instanceof OrchestratorError)) {
        logger.error('unexpected error', { requestId, error: request.error });
      }
      const { problem, headers } = describeProblem(request.error, requestId);
      request.response = {
        statusCode: problem.status,
        headers: { ...headers, 'content-type': 'application/problem+json' },
        body: JSON.stringify(problem),
      };
    },
  };
}
