import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context as LambdaContext } from 'aws-lambda';
import { routes, unmatchedRoute } from '../../functions/routes.ts';
import { answerWithin } from '../../shared/domain/answer-within.ts';
import type { ApiResponse } from '../../shared/http/api-event.ts';
import { matchPath } from '../../shared/http/match-route.ts';
import type { Route } from '../../shared/http/route.ts';
import { logger } from '../../shared/runtime/logger.ts';
import { CORS } from '../cors.ts';
import { type Authorization, cacheAuthorizer } from './authorizer-cache.ts';
import { type GatewayRequest, toGatewayEvent } from './gateway-event.ts';
import type { Functions } from './load-functions.ts';
import { readRequestBody, TooLarge } from './read-request-body.ts';

/** How long a function may take, in milliseconds. */
const FUNCTION_DEADLINE_MS = 10_000;

export interface GatewayOptions {
  /** A monotonic clock, in milliseconds, for the age of what the authorizer decided. */
  readonly monotonicNow?: () => number;
  readonly functionDeadlineMs?: number;
  /** The origins whose pages may call: none by default, `*` for all. */
  readonly corsOrigins?: readonly string[] | undefined;
}

/** What API Gateway sends by itself, without invoking a function. */
const FIXED_RESPONSES = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  413: 'Request Entity Too Large',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
} as const;

/** By method, the routes that allow it. */
const routesOf = new Map<string, Route[]>();
for (const route of Object.values<Route>(routes)) {
  for (const method of route.methods) routesOf.set(method, [...(routesOf.get(method) ?? []), route]);
}

export type Gateway = (message: IncomingMessage, response: ServerResponse) => Promise<void>;

/** What API Gateway does between HTTP and the functions: routes, authorizer, limits, responses of its own. */
export function createGateway(functions: Functions, options: GatewayOptions = {}): Gateway {
  const { functionDeadlineMs = FUNCTION_DEADLINE_MS } = options;
  const authorize = cacheAuthorizer(functions.authorize, options.monotonicNow);

  return async (message, response) => {
    addCorsHeaders(message, response, options.corsOrigins ?? []);
    try {
      await handle(message, response);
    } catch (error) {
      if (message.errored !== null) return; // The caller hung up: nothing failed here.
      logger.error('function failed', { error: error as Error });
      sendFixed(response, 500);
    }
  };

  async function handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const { route, request } = readRequest(message);
    if (route === undefined) return sendFixed(response, 400);
    const body = await readRequestBody(message);
    if (body === TooLarge) return sendFixed(response, 413);

    const authorization = await authorizeRequest(message, route);
    if (authorization === 'missing') return sendFixed(response, 401);
    if (authorization === 'denied') return sendFixed(response, 403);

    const handler = functions.handlers.get(route.function);
    if (handler === undefined) throw new Error(`No function named ${route.function}`);
    const deadline = performance.now() + functionDeadlineMs;
    const context = {
      functionName: route.function,
      getRemainingTimeInMillis: () => Math.max(0, deadline - performance.now()),
    } as LambdaContext;
    const event = toGatewayEvent(message, request, body, authorization);
    const result = await answerWithin(handler(event, context), functionDeadlineMs, undefined);
    if (result === undefined) return sendFixed(response, 503);
    send(response, result);
  }

  async function authorizeRequest(
    message: IncomingMessage,
    route: Route,
  ): Promise<Authorization | 'missing' | undefined> {
    if (route.access === 'anyone') return undefined;
    const credential = message.headers.authorization;
    return credential ? authorize(credential) : 'missing';
  }
}

/** Lets a page of an allowed origin read the response, whoever sends it: a function or the gateway. */
function addCorsHeaders(
  message: IncomingMessage,
  response: ServerResponse,
  origins: readonly string[],
): void {
  if (origins.length === 0) return;
  const everyone = origins.includes('*');
  if (!everyone) response.setHeader('vary', 'origin');
  const { origin } = message.headers;
  if (origin === undefined || !(everyone || origins.includes(origin))) return;
  response.setHeader('access-control-allow-origin', everyone ? '*' : origin);
  response.setHeader('access-control-expose-headers', CORS.exposeHeaders.join(','));
  if (message.method !== 'OPTIONS') return;
  response.setHeader('access-control-allow-methods', CORS.allowMethods.join(','));
  response.setHeader('access-control-allow-headers', CORS.allowHeaders.join(','));
  response.setHeader('access-control-max-age', CORS.maxAgeSeconds);
}

function readRequest(message: IncomingMessage): { route: Route | undefined; request: GatewayRequest } {
  const url = message.url ?? '/';
  const queryStart = url.indexOf('?');
  const rawPath = queryStart < 0 ? url : url.slice(0, queryStart);
  const method = message.method ?? 'GET';
  const unmatched: GatewayRequest = {
    requestId: randomUUID(),
    method,
    path: rawPath,
    rawQuery: queryStart < 0 ? '' : url.slice(queryStart + 1),
    routeKey: unmatchedRoute.path,
    pathParameters: undefined,
  };
  for (const route of routesOf.get(method) ?? []) {
    const parameters = matchPath(route.path, rawPath);
    if (parameters === undefined) continue;
    const decoded = decodeParameters(parameters);
    if (decoded === undefined) return { route: undefined, request: unmatched };
    const routeKey = `${method} ${route.path}`;
    return { route, request: { ...unmatched, routeKey, pathParameters: decoded } };
  }
  return { route: unmatchedRoute, request: unmatched };
}

function decodeParameters(parameters: Record<string, string>): Record<string, string> | undefined {
  try {
    return Object.fromEntries(
      Object.entries(parameters).map(([name, text]) => [name, decodeURIComponent(text)]),
    );
  } catch {
    return undefined;
  }
}

function send(response: ServerResponse, result: ApiResponse): void {
  const { statusCode = 200, headers = {}, body = '', isBase64Encoded } = result;
  // Text as it is: Node sends it in one piece with the headers, and bytes in a second one.
  const content = isBase64Encoded ? Buffer.from(body, 'base64') : body;
  const length = statusCode === 204 ? {} : { 'content-length': Buffer.byteLength(content) };
  response.writeHead(statusCode, { ...(headers as Record<string, string>), ...length });
  response.end(content);
}

function sendFixed(response: ServerResponse, status: keyof typeof FIXED_RESPONSES): void {
  if (response.headersSent) return;
  const body = JSON.stringify({ message: FIXED_RESPONSES[status] });
  send(response, { statusCode: status, headers: { 'content-type': 'application/json' }, body });
}
