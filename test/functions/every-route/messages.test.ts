import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type * as z from 'zod';
import { routes } from '../../../functions/routes.ts';
import type { AnyEndpoint } from '../../../shared/http/endpoint.ts';
import { makeSample, type RouteName, routeNames } from '../../support/route-samples.ts';
import { admin, type CallOptions, useTestApi } from '../../support/test-api.ts';

/** Every form of sentence that says what is wrong with a request. The validation library's own are none of them. */
const SENTENCES = [
  /^Is missing$/,
  /^Unknown field$/,
  /^Must be (an object|a list|text|a number|a whole number|true or false)$/,
  /^Must be at (least|most) -?\d+$/,
  /^Must have at (least|most) \d+ (characters|entries)$/,
  /^Must be "[a-z._]+"( or "[a-z._]+")+$/,
  /^Must be a (key|lease|client) id$/,
  /^Must be a ticket$/,
  /^Must be text, or an object with a value and labels$/,
  /^Must be 1 to 63 of A-Z, a-z, 0-9, "\.", "_", "-"$/,
  /^Must have at most (8 labels|4096 bytes)$/,
  /^Must be absent where values are given$/,
  /^Must be a cursor of an earlier page$/,
  /^Must be a time in ISO 8601, UTC$/,
  /^Must be 1 to 63 of a-z, 0-9, "\.", "_", "-", and start with a letter or digit$/,
  /^Must be 1 to 255 visible ASCII characters$/,
  /^Must be valid JSON, without __proto__$/,
  /^Must have no control characters$/,
  /^Must be at most \d+, the lease of pool "default"$/,
  /^Must exceed leaseSeconds \(\d+\) by more than 1000 ms, or be null$/,
  /^Not a lease id of this service$/,
];

const MALFORMED: unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e300,
  Number.MAX_SAFE_INTEGER,
  '',
  'Nul\0',
  'x'.repeat(300),
  '2026-13-01T12:00:00Z',
  [],
  [1],
  Array.from({ length: 21 }, (_, index) => `pool-${index}`),
  {},
];

describe('what is wrong with a request', () => {
  const api = useTestApi();

  const fieldsOf = (name: RouteName, part: keyof AnyEndpoint['request']): string[] => {
    const schema = api.endpoints.get(routes[name].function)?.request[part] as z.ZodObject | undefined;
    return Object.keys(schema?.shape ?? {});
  };

  it.each(routeNames)('is said of %s in one of the forms that this API has', async (name) => {
    const { method, path, options } = await makeSample(api, name, admin);
    const [pathOnly] = path.split('?') as [string];
    const messages = new Set<string>();
    const call = async (target: string, change: CallOptions): Promise<void> => {
      const { body } = await api.call(method, target, { ...options, ...change });
      for (const { message } of body?.errors ?? []) messages.add(message);
    };
    const callWith = async (value: unknown): Promise<void> => {
      // Not by `String`: an object of its own may have a `toString` that is no function.
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      const encoded = encodeURIComponent(text);
      for (const field of fieldsOf(name, 'body')) {
        await call(path, { body: { ...(options.body as object), [field]: value } });
      }
      for (const field of fieldsOf(name, 'query')) await call(`${pathOnly}?${field}=${encoded}`, {});
      for (const field of fieldsOf(name, 'headers')) await call(path, { headers: { [field]: text } });
      for (const [position, part] of routes[name].path.split('/').entries()) {
        if (part.startsWith('{')) await call(pathOnly.split('/').with(position, encoded).join('/'), {});
      }
      await call(path, { body: value });
    };

    for (const value of MALFORMED) await callWith(value);
    for (const value of fc.sample(fc.jsonValue(), 10)) await callWith(value);
    await call(`${pathOnly}?unknown=1`, { rawBody: '{' });
    await call(`${pathOnly}?unknown=1`, {});

    expect(messages).toContain('Unknown field');
    expect([...messages].filter((message) => !SENTENCES.some((sentence) => sentence.test(message)))).toEqual(
      [],
    );
  });
});
