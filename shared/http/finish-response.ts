import { isIP } from 'node:net';
import { LogLevelThreshold } from '@aws-lambda-powertools/logger';
import type { MiddlewareObj, Request } from '@middy/core';
import type { Context as LambdaContext } from 'aws-lambda';
import type { Caller } from '../domain/client.ts';
import { LeaseEndedError, OrchestratorError } from '../domain/errors.ts';
import { type Logger, nameInvocation } from '../runtime/logger.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { ApiEvent, ApiResponse } from './api-event.ts';
import type { Facts } from './endpoint.ts';
import { type Entry, measureRequest } from './measure.ts';

/** What is known of a call while it is made. */
export interface CallContext extends LambdaContext {
  caller: Caller;
  facts?: Facts;
  /** What the log tells of it, once it has ended. */
  entry?: Entry;
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

/** Version, trace id, span id, flags. All zeros are no id, version `ff` is none; later versions may add something. */
const TRACEPARENT =
  /^(?:00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}|(?!00|ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?)$/;

function traceIdOf({ headers }: ApiEvent): string | undefined {
  const [, current, later] = TRACEPARENT.exec(headers.traceparent ?? '') ?? [];
  return current ?? later;
}

function clientIdOf({
  event,
  context,
}: Request<ApiEvent, ApiResponse, Error, CallContext>): string | undefined {
  const passedOn = event.requestContext.authorizer?.lambda;
  if (passedOn !== undefined && 'clientId' in passedOn) return passedOn.clientId;
  return context.caller?.clientId || undefined;
}

/**
 * Gives every response `Cache-Control: no-store` and `X-Request-Id`, logs one line, and counts the same: no body, no
 * credential, no value, no lease id. Of a request that was refused only what is known to exist is told, since a caller
 * may send anything as the name of a pool.
 */
export function finishResponse(
  logger: Logger,
  metrics: Metrics,
): MiddlewareObj<ApiEvent, ApiResponse, Error, CallContext> {
  const startedAt = new WeakMap<ApiEvent, number>();

  const finish = (request: Request<ApiEvent, ApiResponse, Error, CallContext>): void => {
    const { event, context, error } = request;
    const { requestId } = event.requestContext;
    const response = request.response ?? {};
    response.headers = { ...response.headers, 'cache-control': 'no-store', 'x-request-id': requestId };
    request.response = response;
    const durationMs = performance.now() - (startedAt.get(event) ?? performance.now());
    const entry = {
      route: event.routeKey,
      status: response.statusCode ?? 500,
      ...(error instanceof OrchestratorError && { code: error.code, ...error.about }),
      ...(error && !(error instanceof OrchestratorError) && { code: 'internal' }),
      ...(error === undefined && context.facts),
      durationMs: Math.round(durationMs),
    };
    if (logger.level <= LogLevelThreshold.INFO) {
      logger.info('request', {
        requestId,
        traceId: traceIdOf(event),
        clientId: clientIdOf(request),
        callerIp: addressOf(event),
        ...(error instanceof LeaseEndedError && { reason: error.reason }),
        ...entry,
      });
    }
    context.entry = entry;
    metrics(measureRequest({ ...entry, durationMs }));
  };

  return {
    before: ({ event, context }) => {
      nameInvocation(context);
      startedAt.set(event, performance.now());
    },
    after: finish,
    onError: finish,
  };
}
