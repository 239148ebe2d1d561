import { type SpanAttributes, traceInvocation } from '../runtime/tracing.ts';
import type { ApiEvent } from './api-event.ts';
import type { ApiHandler } from './create-handler.ts';
import type { CallContext } from './finish-response.ts';

/** Gives each request a span, where there is tracing, that tells what the log tells of it. */
export function traceRequests(handle: ApiHandler): ApiHandler {
  return (event, context) => {
    const { routeKey: name, headers } = event;
    const describe = (): SpanAttributes => describeRequest(event, context as CallContext);
    return traceInvocation({ name, headers, describe }, () => handle(event, context));
  };
}

/** The pool as in the log: of a request that was refused only where it is known to exist. Neither key nor holder. */
function describeRequest(
  { routeKey, requestContext }: ApiEvent,
  { awsRequestId, entry }: Partial<CallContext>,
): SpanAttributes {
  const [, method, path] = /^(\S+) (\S+)$/.exec(routeKey) ?? [];
  return {
    'http.request.method': method,
    'http.route': path,
    'http.response.status_code': entry?.status,
    'error.type': entry?.code,
    'faas.invocation_id': awsRequestId,
    'token_orchestrator.pool': entry?.pool,
    'token_orchestrator.request_id': requestContext.requestId,
  };
}
