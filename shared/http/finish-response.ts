import type { MiddlewareObj, Request } from '@middy/core';
import { OrchestratorError } from '../domain/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import type { ApiEvent, ApiResponse } from './api-event.ts';

function callerOf(event: ApiEvent): { clientId?: string } {
  const passedOn = event.requestContext.authorizer?.lambda;
  return passedOn !== undefined && 'clientId' in passedOn ? { clientId: passedOn.clientId } : {};
}

/**
 * Whose request it is: the access log has the address of whoever connected, which is CloudFront's own for what comes
 * through it. CloudFront sets the header anew; straight to the API anybody may set it, and the access log tells.
 */
function addressOf({ headers, requestContext }: ApiEvent): string {
  const viewer = /^([0-9a-fA-F.:]{2,45}):\d{1,5}$/.exec(headers?.['cloudfront-viewer-address'] ?? '');
  return viewer?.[1] ?? requestContext.http.sourceIp;
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
