import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { createClient } from '../../../client/sdk/create-client.ts';
import * as errors from '../../../client/sdk/errors.ts';
import { problemCodes } from '../../../shared/contract/problems.ts';
import * as domainErrors from '../../../shared/domain/errors.ts';
import { describeProblem } from '../../../shared/http/problem.ts';
import { CREDENTIAL, problem, type Script, ScriptedService } from '../support/scripted-service.ts';

async function errorOf(script: Script): Promise<errors.OrchestratorError> {
  const service = new ScriptedService(() => script);
  const call = service.client.keys.get('key_1').catch((error: unknown) => error);
  await service.clock.advance(60_000);
  return (await call) as errors.OrchestratorError;
}

describe('an answer of the service', () => {
  test.each([...problemCodes])('%s is an error with its code, status and request id', async (code) => {
    const error = await errorOf(problem(400, code));
    expect(error).toBeInstanceOf(errors.OrchestratorError);
    expect(error).toMatchObject({ code, status: 400, requestId: 'r-1', message: `It is ${code}` });
  });

  test('carries what its code carries', async () => {
    const { problem: ended } = describeProblem(new domainErrors.LeaseEndedError('lapsed'), 'r-2');
    expect(await errorOf({ status: 410, body: ended })).toMatchObject({
      name: 'LeaseEndedError',
      reason: 'lapsed',
      requestId: 'r-2',
    });
    const { problem: none } = describeProblem(new domainErrors.NoKeyAvailableError('p', 1234), 'r-3');
    expect(await errorOf({ status: 409, body: none })).toMatchObject({ retryAfterMs: 1234 });
    const issues = [{ path: 'count', message: 'Too many' }];
    const { problem: invalid } = describeProblem(new domainErrors.InvalidRequestError(issues), 'r-4');
    expect(await errorOf({ status: 400, body: invalid })).toMatchObject({ errors: issues });
  });

  test('with a code that is younger than this library is told by its status', async () => {
    expect(await errorOf(problem(429, 'lease_limit'))).toBeInstanceOf(errors.ThrottledError);
    expect(await errorOf(problem(418, 'teapot'))).toMatchObject({ code: 'teapot', status: 418 });
  });
});

describe("the gateway's own answers are told by their status", () => {
  test.each([
    [401, 'Unauthorized', errors.UnauthenticatedError, 'unauthenticated'],
    [403, 'Forbidden', errors.ForbiddenError, 'forbidden'],
    [413, 'Request Entity Too Large', errors.OrchestratorError, 'body_too_large'],
    [429, 'Too Many Requests', errors.ThrottledError, 'throttled'],
    [500, 'Internal Server Error', errors.ServiceUnavailableError, 'internal'],
    [503, 'Service Unavailable', errors.ServiceUnavailableError, 'internal'],
  ] as const)('%i', async (status, message, errorClass, code) => {
    const error = await errorOf({ status, body: { message }, headers: { 'apigw-requestid': 'gw-1' } });
    expect(error).toBeInstanceOf(errorClass);
    expect(error).toMatchObject({ code, status, requestId: 'gw-1' });
  });

  test.each([
    [401, '<html>Sign in'],
    [403, '<html>Blocked'],
    [403, { message: 'Blocked by rule 7' }],
    [403, { code: 'blocked', detail: 'By rule 7' }],
  ])('but a %i of a firewall on the way, %j, says nothing about the credential', async (status, body) => {
    expect(await errorOf({ status, body })).toMatchObject({ code: 'unexpected_answer', status });
  });

  test('and what is none of them is unexpected', async () => {
    expect(await errorOf({ status: 404, body: '<html>' })).toMatchObject({ code: 'unexpected_answer' });
    expect(await errorOf({ status: 200, body: '<html>' })).toMatchObject({ code: 'unexpected_answer' });
  });

  test('a lease that is none is not taken for one', async () => {
    const service = new ScriptedService(() => ({ status: 200, body: { hello: 'world' } }));
    await expect(service.client.acquire()).rejects.toThrow(errors.UnexpectedAnswerError);
  });
});

describe('the credential', () => {
  const secret = CREDENTIAL.split('.')[1] as string;

  test('is in no error and in nothing that is printed', async () => {
    const service = new ScriptedService(() => 'refuse');
    expect(inspect(service.client, { depth: 10, showHidden: true })).not.toContain(secret);
    expect(JSON.stringify(service.client)).not.toContain(secret);
    for (const script of ['refuse', 'hang', problem(500, 'internal'), { status: 403 }] as Script[]) {
      expect(inspect(await errorOf(script), { depth: 10, showHidden: true })).not.toContain(secret);
    }
  });

  test.each(['no-dot', 'a.b\nc', 'a.b c', '', 'a.é'])(
    'that is malformed (%j) is refused, and not shown',
    (credential) => {
      const create = (): unknown =>
        createClient({ url: 'https://service.test', credential: `${credential}` });
      expect(create).toThrow(new TypeError('credential must be of the form <clientId>.<secret>'));
    },
  );

  test.each([
    'ftp://service.test',
    'service.test',
    'https://me:pass@service.test',
    'https://service.test?x=1',
  ])('is not sent to %s', (url) => {
    expect(() => createClient({ url, credential: CREDENTIAL })).toThrow(/^url must/);
  });
});

test.each([
  'https://service.test',
  'https://service.test/',
  'https://service.test/v1',
  'https://service.test/v1/',
])('the address may be written as %s', async (url) => {
  const urls: string[] = [];
  const client = createClient({
    url,
    credential: CREDENTIAL,
    fetch: async (target) => {
      urls.push(target);
      return new Response('{}');
    },
  });
  await client.keys.get('a/b?c');
  await client.keys.list({ pool: 'p', limit: 3 });
  expect(urls).toEqual([
    'https://service.test/v1/keys/a%2Fb%3Fc',
    'https://service.test/v1/keys?pool=p&limit=3',
  ]);
});
