import { isIP } from 'node:net';
import type { MiddlewareObj, Request } from '@middy/core';
import { OrchestratorError } from '../domain/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import type { ApiEvent, ApiResponse } from './api-event.ts';

function callerOf(event: ApiEvent): { clientId?: string } {
  const passedOn = event.requestContext.authorizer?.lambda;
  return passedOn !== undefined && 'clientId' in passedOn ? { clientId: passedOn.clientId } : {};
}

/**
 * Whose request it is. The gateway adds the address of whoever connected to `X-Forwarded-For`; that is CloudFront's own
 * where a request came through it, which has added the caller's before. Straight to the API anybody may claim one before
 * theirs; the access log then has who connected.
 */
function addressOf({ headers, requestContext }: ApiEvent): string {
  const { sourceIp } = requestContext.http;
  const passed = (headers?.['x-forwarded-for'] ?? '').split(',').map((address) => address.trim());
  if (passed.at(-1) === sourceIp) passed.pop();
  const caller = passed.at(-1) ?? '';
  return isIP(caller) === 0 ? sourceIp : caller;
}

/** Gives every response `Cache-Control: no-store` and `X-Request-Id`, and logs one line: no body, no credential, no value. */
export function finishResponse(logger: Logger): MiddlewareObj<ApiEvent, ApiResponse> {
  const startedAt = new WeakMap<ApiEvent, number>();

  const finish = (request: Request<ApiEvent, ApiResponse>): void => {
    const { requestContext } = request.event;
    const response = request.response ?? {};
    response.headers = {
      ...response.headers,
      'cache-control': 'no-store',
      'x-request-id': requestContext.requestId,
    };
    request.response = response;
    logger.info('request', {
      requestId: requestContext.requestId,
      route: request.event.routeKey,
      status: response.statusCode,
      ...(request.error instanceof OrchestratorError && { code: request.error.code }),
      ...callerOf(request.event),
      callerIp: addressOf(request.event),
      durationMs: Math.round(performance.now() - (startedAt.get(request.event) ?? performance.now())),
    });
  };

  return {
    before: ({ event }) => {
      startedAt.set(event, performance.now());
    },
    after: finish,
    onError: finish,
  };
}
