import type * as z from 'zod';
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject } from 'zod-openapi';
import { routes } from '../../functions/routes.ts';
import type { AnyEndpoint } from '../../shared/http/endpoint.ts';
import type { Route } from '../../shared/http/route.ts';
import { describeFailures } from './describe-failures.ts';
import { type RouteNote, routeNotes } from './route-notes.ts';

const INTRODUCTION = `Hands each program one key of a pool, exclusively, for as long as the program proves that it is alive.

Errors are problem documents (RFC 9457); \`code\` is what programs should go by. What the gateway sends by itself is \`application/json\` of the form \`{"message": "..."}\`: tell these by their status. HEAD works wherever GET does.

A credential is \`<clientId>.<secret>\`, sent as \`Authorization: Bearer <clientId>.<secret>\`. Roles: \`admin\` may do everything, \`client\` leases, \`viewer\` reads.`;

const TAGS: Readonly<Record<RouteNote['tag'], string>> = {
  Leases: 'Acquire a key, keep it, release it',
  Keys: 'What is leased',
  Pools: 'Named sets of interchangeable keys, each under one policy',
  Events: 'What happened',
  Clients: 'Who may call',
  Service: 'The service itself',
};

/** The OpenAPI 3.1 document, from the route table, the contracts and the notes. */
export async function createApiDocument(version: string): Promise<object> {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const [name, route] of Object.entries<Route>(routes)) {
    const { endpoint } = (await import(`../../functions/${route.function}.ts`)) as { endpoint: AnyEndpoint };
    const note = routeNotes[name as keyof typeof routes];
    const [method] = route.methods; // HEAD would be GET once more.
    paths[route.path] = {
      ...paths[route.path],
      [String(method).toLowerCase()]: { operationId: name, ...describeOperation(endpoint, note) },
    };
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
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
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
        // A missing body counts as `{}`.
        required: !body.safeParse({}).success,
        content: {
          'application/json': {
            schema: body,
            ...(note.requestExample && { example: note.requestExample }),
          },
        },
      },
    }),
    responses: { ...successes(endpoint), ...describeFailures(endpoint, note) },
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
