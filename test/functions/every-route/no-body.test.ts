import { describe, expect, it } from 'vitest';
import { makeSample, routeNames, routesWithBody } from '../../support/route-samples.ts';
import { admin, type CallOptions, useTestApi } from '../../support/test-api.ts';

const routesWithout = routeNames.filter((name) => !(routesWithBody as readonly string[]).includes(name));

describe.each(routesWithout)('%s, which has no body,', (name) => {
  const api = useTestApi();

  it.each<[string, CallOptions]>([
    ['an empty body', { rawBody: '' }],
    ['an empty body of another type', { rawBody: '', headers: { 'content-type': 'text/plain' } }],
    ['an empty object', { body: {} }],
  ])('does not mind %s', async (_, options) => {
    const { method, path, status } = await makeSample(api, name, admin);
    expect(await api.call(method, path, options)).toMatchObject({ status });
  });

  it.each<[string, CallOptions, number]>([
    ['fields that would have no effect', { body: { force: true } }, 400],
    ['an array', { body: [] }, 400],
    ['null', { rawBody: 'null' }, 400],
    ['broken JSON', { rawBody: '{' }, 400],
    ['broken JSON in base64', { rawBody: '{', base64: true }, 400],
    ['a prototype', { rawBody: '{"__proto__":{}}' }, 400],
    ['text', { rawBody: 'force', headers: { 'content-type': 'text/plain' } }, 415],
    ['more than 64 KiB', { rawBody: ' '.repeat(65_537) }, 413],
    ['more than 64 KiB in base64', { rawBody: ' '.repeat(65_537), base64: true }, 413],
  ])('refuses %s, and changes nothing', async (_, options, status) => {
    const { method, path } = await makeSample(api, name, admin);
    const before = await api.dump();
    expect(await api.call(method, path, options)).toMatchObject({ status });
    expect(await api.dump()).toBe(before);
  });
});
