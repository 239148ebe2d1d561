import type * as z from 'zod';
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject } from 'zod-openapi';
import { routes } from '../../functions/routes.ts';
import { type ProblemCode, problemSchema } from '../../shared/contract/problems.ts';
import type { AnyEndpoint } from '../../shared/http/endpoint.ts';
import { statusOf } from '../../shared/http/problem.ts';
import type { Route } from '../../shared/http/route.ts';
import { type RouteNote, routeNotes } from './route-notes.ts';

const INTRODUCTION = `Hands each program one key of a pool, exclusively, for as long as the program proves that it is alive.

Errors are problem documents (RFC 9457); \`code\` is what programs should go by. What the gateway answers by itself has a body of the form \`{"message": "..."}\`: 401 without a credential, 403 with a wrong or revoked one, 413 over 10 MB, 429 when throttled, 500 and 503.

A credential is \`<clientId>.<secret>\`, sent as \`Authorization: Bearer <clientId>.<secret>\`. Roles: \`admin\` may do everything, \`client\` leases, \`viewer\` reads.`;

/** The OpenAPI 3.1 document, from the route table, the contracts and the notes. */
export async function createApiDocument(version: string): Promise<object> {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const [name, route] of Object.entries<Route>(routes)) {
    const { endpoint } = (await import(`../../functions/${route.function}.ts`)) as { endpoint: AnyEndpoint };
    const note = routeNotes[name as keyof typeof routes];
    for (const method of route.methods) {
      const operationId = method === route.methods[0] ? name : `${method.toLowerCase()}${name}`;
      paths[route.path] = {
        ...paths[route.path],
        [method.toLowerCase()]: { operationId, ...describeOperation(endpoint, note) },
      };
    }
  }
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'Token Orchestrator',
      version,
      description: INTRODUCTION,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/', description: 'The origin that serves this document' }],
    tags: ['Leases', 'Keys', 'Pools', 'Clients', 'Service'].map((tag) => ({ name: tag })),
    security: [{ credential: [] }],
    components: {
      securitySchemes: {
        credential: { type: 'http', scheme: 'bearer', description: '`<clientId>.<secret>`' },
      },
    },
    paths: paths as ZodOpenApiPathsObject,
  });
}

function describeOperation(endpoint: AnyEndpoint, note: RouteNote): ZodOpenApiOperationObject {
  const { parameters, query, headers, body } = endpoint.request;
  const access =
    endpoint.route.access === 'anyone' ? 'No credential needed.' : `Role: ${endpoint.route.access}.`;
  return {
    tags: [note.tag],
    summary: note.summary,
    description: note.description === undefined ? access : `${note.description}\n\n${access}`,
    ...(endpoint.route.access === 'anyone' && { security: [] }),
    requestParams: {
      ...(parameters && { path: parameters as z.ZodObject }),
      ...(query && { query: query as z.ZodObject }),
      ...(headers && { header: headers as z.ZodObject }),
    },
    ...(body && {
      requestBody: {
        content: {
          'application/json': {
            schema: body,
            ...(note.requestExample && { example: note.requestExample }),
          },
        },
      },
    }),
    responses: { ...successes(endpoint), ...failures(endpoint, note) },
  };
}

function successes(endpoint: AnyEndpoint) {
  return Object.fromEntries(
    Object.entries(endpoint.responses).map(([status, schema]) => [
      status,
      {
        description: SUCCESS[status] ?? 'Success',
        ...(schema && { content: { 'application/json': { schema } } }),
      },
    ]),
  );
}

const SUCCESS: Readonly<Record<string, string>> = {
  200: 'Done',
  201: 'Created',
  202: 'Accepted: the rest follows within seconds',
  204: 'Done, nothing to say',
};

function failures(endpoint: AnyEndpoint, note: RouteNote) {
  const codes: ProblemCode[] = [...note.problems, 'internal', 'database_unavailable'];
  if (Object.keys(endpoint.request).length > 0) codes.push('invalid_request');
  if (endpoint.route.access !== 'anyone') codes.push('unauthenticated', 'forbidden');
  if (endpoint.request.body) codes.push('unsupported_media_type');
  codes.push('body_too_large');

  const byStatus = Map.groupBy(codes, statusOf);
  return Object.fromEntries(
    [...byStatus]
      .sort(([one], [other]) => one - other)
      .map(([status, some]) => [status, failure(status, some)]),
  );
}

function failure(status: number, codes: readonly ProblemCode[]) {
  const waits = codes.includes('no_key_available') || codes.includes('database_unavailable');
  return {
    description: codes.map((code) => `\`${code}\``).join(', '),
    ...(waits && {
      headers: { 'Retry-After': { description: 'Seconds', schema: { type: 'integer' as const } } },
    }),
    content: {
      'application/problem+json': {
        schema: problemSchema,
        examples: Object.fromEntries(codes.map((code) => [code, { value: exampleProblem(status, code) }])),
      },
    },
  };
}

function exampleProblem(status: number, code: ProblemCode): object {
  const words = code.replaceAll('_', ' ');
  return {
    type: 'about:blank',
    title: words.charAt(0).toUpperCase() + words.slice(1),
    status,
    code,
    detail: EXAMPLE_DETAILS[code] ?? words,
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
