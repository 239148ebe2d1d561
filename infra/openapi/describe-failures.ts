import * as z from 'zod';
import type { ZodOpenApiResponseObject } from 'zod-openapi';
import { type ProblemCode, problemSchema } from '../../shared/contract/problems.ts';
import type { AnyEndpoint } from '../../shared/http/endpoint.ts';
import { statusOf } from '../../shared/http/problem.ts';
import type { RouteNote } from './route-notes.ts';

/** What the gateway sends by itself, without invoking a function, and when. */
const GATEWAY_RESPONSES: Readonly<Record<number, { message: string; when: string }>> = {
  400: { message: 'Bad Request', when: 'the path cannot be decoded' },
  401: { message: 'Unauthorized', when: 'there is no credential' },
  403: { message: 'Forbidden', when: 'the credential is wrong, has expired or was revoked' },
  413: { message: 'Request Entity Too Large', when: 'the request is over 10 MB' },
  429: { message: 'Too Many Requests', when: 'there are too many requests: wait, and try again' },
  500: { message: 'Internal Server Error', when: 'a function failed' },
  503: { message: 'Service Unavailable', when: 'a function did not answer in time' },
};

const gatewayMessageSchema = z
  .object({ message: z.string() })
  .meta({ id: 'GatewayMessage', description: 'What the gateway sends by itself' });

/**
 * The failures of a route, by status: its own problems, those of every route, and the gateway's.
 * Routes with the same failure share one object, which the document then has once.
 */
export function describeFailures(endpoint: AnyEndpoint, note: RouteNote) {
  const codes: ProblemCode[] = [...note.problems, 'internal', 'database_unavailable', 'body_too_large'];
  if (Object.keys(endpoint.request).length > 0) codes.push('invalid_request');
  if (endpoint.route.access !== 'anyone') codes.push('unauthenticated', 'forbidden');
  if (endpoint.request.body) codes.push('unsupported_media_type');

  const byStatus = Map.groupBy(codes, statusOf);
  const byGateway = Object.keys(GATEWAY_RESPONSES).map(Number);
  const statuses = new Set([...byStatus.keys(), ...byGateway]);
  if (endpoint.route.access === 'anyone') for (const status of [401, 403]) statuses.delete(status);
  return Object.fromEntries([...statuses].map((status) => [status, failure(status, byStatus.get(status))]));
}

const known = new Map<string, ZodOpenApiResponseObject>();

function failure(status: number, codes: readonly ProblemCode[] = []): ZodOpenApiResponseObject {
  const names = codes.length > 0 ? codes.map(titleOf).sort() : [GATEWAY_RESPONSES[status]?.message];
  const id = names.join(' or ').replaceAll(/ (\w)/g, (_, letter: string) => letter.toUpperCase());
  const response = known.get(id) ?? { id, ...describeFailure(status, codes) };
  known.set(id, response);
  return response;
}

/** `no_key_available` to "No key available". */
function titleOf(code: ProblemCode): string {
  const words = code.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function describeFailure(status: number, codes: readonly ProblemCode[]): ZodOpenApiResponseObject {
  const waits = codes.includes('no_key_available') || codes.includes('database_unavailable');
  const gateway = GATEWAY_RESPONSES[status];
  const meanings = codes.map((code) => `\`${code}\``);
  if (gateway !== undefined) meanings.push(`from the gateway when ${gateway.when}`);
  return {
    description: meanings.join(', '),
    headers: {
      ...(waits && { 'Retry-After': { description: 'Seconds', schema: { type: 'integer' as const } } }),
      ...(codes.includes('unauthenticated') && {
        'WWW-Authenticate': { schema: { type: 'string' as const } },
      }),
    },
    content: {
      ...(codes.length > 0 && {
        'application/problem+json': {
          schema: problemSchema,
          examples: Object.fromEntries(codes.map((code) => [code, { value: exampleProblem(status, code) }])),
        },
      }),
      ...(gateway !== undefined && {
        'application/json': { schema: gatewayMessageSchema, example: { message: gateway.message } },
      }),
    },
  };
}

function exampleProblem(status: number, code: ProblemCode): object {
  return {
    type: 'about:blank',
    title: titleOf(code),
    status,
    code,
    detail: EXAMPLE_DETAILS[code] ?? titleOf(code),
    requestId: '7d9e0c4e-5f55-4b5c-8a53-6d5b8c1b9a51',
    ...(code === 'invalid_request' && { errors: [{ path: 'limit', message: 'Must be a whole number' }] }),
    ...((code === 'no_key_available' || code === 'database_unavailable') && { retryAfterMs: 2000 }),
    ...(code === 'lease_ended' && { reason: 'lapsed' }),
  };
}

const EXAMPLE_DETAILS: Partial<Record<ProblemCode, string>> = {
  invalid_request: 'limit: Must be a whole number',
  forbidden: 'The role "viewer" is not allowed to do this',
  no_key_available: 'No key of pool "default" is free',
  lease_ended: 'The lease is over (lapsed)',
};
