import { beforeEach, describe, expect, it } from 'vitest';
import { makeSample, routeNames, routesWithBody, type Sample } from '../../support/route-samples.ts';
import { admin, type CallOptions, useTestApi } from '../../support/test-api.ts';

/** Bodies that no route takes. */
const MALFORMED: [name: string, rawBody: string][] = [
  ['broken JSON', '{"pool":'],
  ['two documents', '{} {}'],
  ['nothing but a space', ' '],
  ['a comment', '{} // a comment'],
  ['a trailing comma', '{"pool":"default",}'],
  ['a NUL character', '{}\0'],
  ['a byte order mark', '\uFEFF{}'],
  ['form data', 'pool=default'],
  ['XML', '<pool>default</pool>'],
  ['an array', '[]'],
  ['an array of bodies', '[{}]'],
  ['null', 'null'],
  ['true', 'true'],
  ['a number', '1'],
  ['NaN', 'NaN'],
  ['a string', '"default"'],
  ['an unknown field', '{"unknown":1}'],
  ['an unknown field whose name is empty', '{"":1}'],
  ['an operator in place of a field', '{"$where":"sleep(1000)"}'],
  ['a prototype', '{"__proto__":{"role":"admin"}}'],
  ['a constructor', '{"constructor":{"prototype":{"role":"admin"}}}'],
  ['thousands of arrays in each other', '['.repeat(30_000) + ']'.repeat(30_000)],
  ['thousands of objects in each other', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`],
];

/** What no string may be. */
const NO_STRING: unknown[] = [
  { $gt: '' },
  { $ne: null },
  ['default'],
  [],
  {},
  0,
  -0.5,
  true,
  null,
  'nul\0',
  'line\nbreak',
  'x'.repeat(201),
  'x'.repeat(60_000),
  '',
];

const STRINGS: Record<(typeof routesWithBody)[number], string[]> = {
  createKeys: ['pool'],
  patchKey: [],
  pauseKey: ['reason'],
  acquireLease: ['pool', 'holder'],
  putPool: ['expectedUpdatedAt'],
  patchPool: ['expectedUpdatedAt'],
  createClient: ['role', 'description'],
  rotateClient: [],
};

describe('a malformed body', () => {
  const api = useTestApi();

  it('is looked for on every route that has one', async () => {
    for (const name of routeNames) {
      const { options } = await makeSample(api, name, admin);
      expect(options.body !== undefined).toBe((routesWithBody as readonly string[]).includes(name));
    }
  });

  describe.each(routesWithBody)('of %s', (name) => {
    let sample: Sample;
    let before: string;

    beforeEach(async () => {
      sample = await makeSample(api, name, admin);
      before = await api.dump();
    });

    /** The answer's status and the paths it names; nothing may have changed. */
    const refuse = async (options: CallOptions): Promise<{ status: number; paths: string[] }> => {
      const { status, body } = await api.call(sample.method, sample.path, options);
      expect(await api.dump()).toBe(before);
      expect(JSON.stringify(body).length).toBeLessThan(10_000);
      return { status, paths: [...new Set((body.errors ?? []).map((issue) => issue.path))] };
    };

    it.each(MALFORMED)('is refused, as text and in base64: %s', async (_, rawBody) => {
      for (const base64 of [false, true]) {
        const { status, paths } = await refuse({ rawBody, base64 });
        expect(status).toBe(400);
        expect(paths).not.toHaveLength(0);
      }
    });

    it.each(['[]', 'null', '"default"', '1', '{'])('is refused as a whole: %s', async (rawBody) => {
      expect(await refuse({ rawBody })).toEqual({ status: 400, paths: ['body'] });
    });

    it('is refused by its field where a field is of the wrong type, too long or has control characters', async () => {
      for (const field of STRINGS[name]) {
        for (const value of NO_STRING) {
          const rawBody = JSON.stringify({ ...(sample.options.body as object), [field]: value });
          expect(await refuse({ rawBody })).toEqual({ status: 400, paths: [field] });
        }
      }
    });

    it('is refused by the name of each field it should not have, beside those it should', async () => {
      const body = { ...(sample.options.body as object), clientId: 'client_x', _id: 'x' };
      expect(await refuse({ body })).toEqual({ status: 400, paths: ['clientId', '_id'] });
    });

    it('is answered shortly, however many things are wrong with it', async () => {
      const unknown = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`f${index}`, 1]));
      expect(await refuse({ body: unknown })).toMatchObject({ status: 400 });
      expect(await refuse({ body: { ['x'.repeat(60_000)]: 1 } })).toMatchObject({ status: 400 });
      expect(await refuse({ body: { pools: Array.from({ length: 30_000 }, () => 1) } })).toMatchObject({
        status: 400,
      });
    });

    it.each([
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/jsonp',
      'application/xml',
      'json',
      '',
    ])('is refused with 415 where it is declared as "%s"', async (contentType) => {
      const headers = { 'content-type': contentType };
      expect(await refuse({ body: sample.options.body, headers })).toEqual({ status: 415, paths: [] });
    });

    it.each(['application/json; charset=utf-8', 'Application/JSON', 'application/vnd.api+json'])(
      'is none where it is declared as "%s"',
      async (contentType) => {
        const { method, path, options, status } = sample;
        const headers = { 'content-type': contentType };
        expect(await api.call(method, path, { body: options.body, headers })).toMatchObject({ status });
      },
    );

    it('is none where it comes in base64', async () => {
      const { method, path, options, status } = sample;
      expect(await api.call(method, path, { ...options, base64: true })).toMatchObject({ status });
    });

    it.each([false, true])(
      'is refused with 413 beyond what the route takes (in base64: %s), counted in bytes',
      async (base64) => {
        const maxBytes = name === 'createKeys' ? 5 * 1024 * 1024 : 64 * 1024;
        const { method, path, options, status } = sample;
        const fill = (text: string) => JSON.stringify(options.body).padEnd(maxBytes - text.length) + text;
        const tooLarge = await api.call(method, path, { rawBody: `${fill('')} `, base64 });
        expect(tooLarge).toMatchObject({ status: 413, body: { code: 'body_too_large' } });
        const umlauts = `{"unknown":"${'ü'.repeat(maxBytes / 2)}"}`;
        expect(await refuse({ rawBody: umlauts, base64 })).toEqual({ status: 413, paths: [] });
        expect(await api.dump()).toBe(before);
        expect(await api.call(method, path, { rawBody: fill(''), base64 })).toMatchObject({ status });
      },
    );
  });
});

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
