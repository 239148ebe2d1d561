import { readFile } from 'node:fs/promises';
import { Validator } from '@seriousme/openapi-schema-validator';
import { beforeAll, describe, expect, it } from 'vitest';
import { routes } from '../../../functions/routes.ts';
import { createApiDocument } from '../../../infra/openapi/create-api-document.ts';
import { problemCodes } from '../../../shared/contract/problems.ts';
import type { Route } from '../../../shared/http/route.ts';

interface Operation {
  readonly operationId: string;
  readonly security?: object[];
  readonly parameters?: { name: string; schema: object }[];
  readonly requestBody?: { required: boolean };
  readonly responses: Record<string, Response & { $ref?: string }>;
}

interface Response {
  readonly content?: Record<string, { examples?: Record<string, unknown> }>;
}

interface ApiDocument {
  readonly components: { responses: Record<string, Response> };
  readonly paths: Record<string, Record<string, Operation>>;
}

describe('the OpenAPI document', () => {
  let document: ApiDocument;
  let operations: Operation[];

  beforeAll(async () => {
    const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
    document = (await createApiDocument(version)) as ApiDocument;
    operations = Object.values(document.paths).flatMap((path) => Object.values(path));
  });

  /** The responses of an operation by status, shared ones in place. */
  const responsesOf = ({ responses }: Operation): [string, Response][] =>
    Object.entries(responses).map(([status, response]) => [
      status,
      document.components.responses[response.$ref?.split('/').at(-1) ?? ''] ?? response,
    ]);

  it('is checked in as the code has it; npm run build:openapi writes it', async () => {
    const checkedIn = JSON.parse(await readFile('docs/openapi.json', 'utf8'));
    expect(checkedIn).toEqual(JSON.parse(JSON.stringify(document)));
  });

  it('is valid OpenAPI 3.1', async () => {
    const validator = new Validator();
    const result = await validator.validate(JSON.parse(JSON.stringify(document)));
    expect(result).toMatchObject({ valid: true });
    expect(validator.version).toBe('3.1');
  });

  it('has one operation per row of the route table, and no other: HEAD goes without saying', () => {
    const expected = Object.values<Route>(routes).map(({ methods, path }) => `${methods[0]} ${path}`);
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(described.sort()).toEqual(expected.sort());
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
  });

  it('describes parameters as every reader of it understands them', () => {
    const schemasOf = (wanted: string) =>
      operations
        .flatMap(({ parameters = [] }) => parameters)
        .filter(({ name }) => name === wanted)
        .map(({ schema }) => schema);
    // `\\p{Cc}` and its like stop whatever does not read patterns as JavaScript does.
    expect(JSON.stringify(document)).not.toMatch(/\\p\{/);
    expect(schemasOf('limit')).not.toHaveLength(0);
    for (const schema of schemasOf('limit')) {
      expect(schema).toMatchObject({ type: 'integer', minimum: 1, maximum: 200 });
      expect(schema).not.toHaveProperty('pattern');
    }
    for (const schema of schemasOf('fencingToken')) expect(schema).toMatchObject({ type: 'integer' });
    for (const schema of schemasOf('leaseId')) expect(schema).toMatchObject({ pattern: expect.any(String) });
  });

  it('asks for a credential everywhere but on health', () => {
    const open = operations.filter(({ security }) => security?.length === 0);
    expect(open.map(({ operationId }) => operationId)).toEqual(['getHealth']);
  });

  it('has an example of every error code that a route answers', () => {
    const shown = operations.flatMap((operation) =>
      responsesOf(operation).flatMap(([, { content }]) =>
        Object.keys(content?.['application/problem+json']?.examples ?? {}),
      ),
    );
    // These two belong to no route: the function behind `$default` answers them.
    const unmatched = ['route_not_found', 'method_not_allowed'];
    expect([...new Set([...shown, ...unmatched])].sort()).toEqual([...problemCodes].sort());
  });

  it('says of a body that it is required where a call without one is refused', () => {
    const required = operations.filter(({ requestBody }) => requestBody?.required);
    expect(required.map(({ operationId }) => operationId)).toEqual(['patchKey', 'createClient']);
  });

  it('tells what the gateway answers by itself, with the bodies that the local host gives', () => {
    for (const operation of operations) {
      const byGateway = responsesOf(operation)
        .filter(([status, { content }]) => Number(status) >= 400 && content?.['application/json'])
        .map(([status]) => status);
      const withCredential = operation.security === undefined ? ['401', '403'] : [];
      expect(byGateway, operation.operationId).toEqual([
        '400',
        ...withCredential,
        '413',
        '429',
        '500',
        '503',
      ]);
    }
  });
});
