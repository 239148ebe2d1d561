import type { IncomingMessage } from 'node:http';
import type { ApiEvent, AuthorizerContext } from '../../shared/http/api-event.ts';

/** The parts of a request that are known before its body was read. */
export interface GatewayRequest {
  readonly requestId: string;
  readonly method: string;
  readonly path: string;
  readonly rawQuery: string;
  readonly routeKey: string;
  readonly pathParameters: Record<string, string> | undefined;
}

const TEXT = /^(text\/|application\/(json|javascript|xml|[\w.+-]*\+json)\b)/i;

/** A request as API Gateway hands it to a Lambda function: an HTTP API event, payload format 2.0. */
export function toGatewayEvent(
  message: IncomingMessage,
  request: GatewayRequest,
  body: Buffer,
  authorizer: AuthorizerContext | undefined,
): ApiEvent {
  const isText = TEXT.test(message.headers['content-type'] ?? 'application/json');
  return {
    version: '2.0',
    routeKey: request.routeKey,
    rawPath: request.path,
    rawQueryString: request.rawQuery,
    headers: joinedHeaders(message),
    ...(request.rawQuery !== '' && { queryStringParameters: joinedQuery(request.rawQuery) }),
    ...(request.pathParameters !== undefined && { pathParameters: request.pathParameters }),
    ...(body.length > 0 && { body: body.toString(isText ? 'utf8' : 'base64') }),
    isBase64Encoded: body.length > 0 && !isText,
    requestContext: {
      accountId: 'local',
      apiId: 'local',
      authorizer: { lambda: authorizer },
      domainName: message.headers.host ?? 'localhost',
      domainPrefix: 'localhost',
      http: {
        method: request.method,
        path: request.path,
        protocol: `HTTP/${message.httpVersion}`,
        sourceIp: message.socket.remoteAddress ?? '',
        userAgent: message.headers['user-agent'] ?? '',
      },
      requestId: request.requestId,
      routeKey: request.routeKey,
      stage: '$default',
    },
  } as ApiEvent;
}

/** Lower-case names; repeated headers joined by a comma. */
function joinedHeaders(message: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  const { rawHeaders } = message;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const [name = '', value = ''] = [rawHeaders[i]?.toLowerCase(), rawHeaders[i + 1]];
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before},${value}`;
  }
  return headers;
}

/** Repeated parameters joined by a comma. Not assigned one by one: one that is named `__proto__` would vanish. */
function joinedQuery(rawQuery: string): Record<string, string> {
  const query = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(`?${rawQuery}`)) {
    const before = query.get(name);
    query.set(name, before === undefined ? value : `${before},${value}`);
  }
  return Object.fromEntries(query);
}
