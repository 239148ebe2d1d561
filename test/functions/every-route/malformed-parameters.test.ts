import { describe, expect, it } from 'vitest';
import { routes } from '../../../functions/routes.ts';
import { makeSample, type RouteName, routeNames } from '../../support/route-samples.ts';
import { admin, useTestApi } from '../../support/test-api.ts';

const paged: RouteName[] = ['listKeys', 'listLeases', 'listHolders', 'listPools', 'listClients', 'listUsage'];
const forcible: RouteName[] = ['deleteKey', 'unblockKey', 'deleteClient'];
const endings: RouteName[] = ['deleteKey', 'unblockKey'];
const withParameter = routeNames.filter((name) => routes[name].path.includes('{'));

describe('a malformed parameter', () => {
  const api = useTestApi();

  /** Calls the route's sample with another query or path; answers the paths that a 400 names. Nothing may change. */
  const refuse = async (name: RouteName, change: (path: string) => string): Promise<unknown> => {
    const { method, path, options } = await makeSample(api, name, admin);
    const before = await api.dump();
    const { status, body } = await api.call(method, change(path), options);
    expect(await api.dump()).toBe(before);
    expect({ status, code: body.code }).toEqual({ status: 400, code: 'invalid_request' });
    return [...new Set(body.errors?.map((issue) => issue.path))];
  };
  const withQuery = (query: string) => (path: string) => `${path.split('?')[0]}?${query}`;

  it.each(routeNames)('is an unknown query parameter of %s, which the answer names', async (name) => {
    expect(await refuse(name, withQuery('unknown=1'))).toEqual(['unknown']);
    expect(await refuse(name, withQuery('$where=1&force%00=true'))).toEqual(['$where', 'force\0']);
    expect(await refuse(name, withQuery('constructor=1&toString=1'))).toEqual(['constructor', 'toString']);
    expect(await refuse(name, withQuery('__proto__=1'))).toEqual(['__proto__']);
  });

  it.each(routeNames.filter((name) => !forcible.includes(name)))('is force on %s', async (name) => {
    expect(await refuse(name, withQuery('force=true'))).toEqual(['force']);
  });

  it.each(forcible)('is a force of %s that is neither true nor false', async (name) => {
    for (const value of ['', '1', 'TRUE', 'yes', 'true,true', 'null']) {
      expect(await refuse(name, withQuery(`force=${value}`))).toEqual(['force']);
    }
  });

  it.each(endings)('is a fencing token of %s that is no whole number', async (name) => {
    for (const token of ['', '-1', '1.5', '1e3', '0x1', ' 1', 'null', '9007199254740992', '1'.repeat(20)]) {
      expect(await refuse(name, withQuery(`fencingToken=${encodeURIComponent(token)}`))).toEqual([
        'fencingToken',
      ]);
    }
  });

  it.each(paged)('is a page size of %s that is no number from 1 to 200', async (name) => {
    for (const limit of [
      '',
      '0',
      '201',
      '-1',
      '1.5',
      '1e2',
      '0x10',
      '+1',
      ' 1',
      '1,2',
      'ten',
      '1'.repeat(40),
    ]) {
      expect(await refuse(name, withQuery(`limit=${encodeURIComponent(limit)}`))).toEqual(['limit']);
    }
  });

  it.each(paged)('is a cursor that %s never gave', async (name) => {
    for (const cursor of [
      '',
      'é',
      'a b',
      '{"$gt":""}',
      '\0',
      'x',
      'e30',
      'dHJ1ZQ',
      'bnVsbA',
      'W10',
      'x'.repeat(257),
    ]) {
      expect(await refuse(name, withQuery(`cursor=${encodeURIComponent(cursor)}`))).toEqual(['cursor']);
    }
  });

  it('is a filter of the keys that is none of theirs', async () => {
    for (const state of ['', 'Free', 'deleted', 'free,leased', '{"$ne":"free"}']) {
      expect(await refuse('listKeys', withQuery(`state=${encodeURIComponent(state)}`))).toEqual(['state']);
    }
    for (const pool of ['', 'UPPER', '{"$gt":""}', 'a\0', 'default/000000000000001', 'x'.repeat(64)]) {
      expect(await refuse('listKeys', withQuery(`pool=${encodeURIComponent(pool)}`))).toEqual(['pool']);
    }
    for (const search of ['', 'x'.repeat(201), 'nul\0', 'line\nbreak']) {
      expect(await refuse('listKeys', withQuery(`search=${encodeURIComponent(search)}`))).toEqual(['search']);
    }
  });

  it.each(withParameter)('is an id or name in the path of %s that cannot be one', async (name) => {
    const [, parameter] = /\{(\w+)\}/.exec(routes[name].path) as RegExpExecArray;
    const position = routes[name].path.split('/').findIndex((part) => part.startsWith('{'));
    for (const text of [
      'a b',
      'a/b',
      '..',
      'a\0b',
      'ключ',
      '{"$gt":""}',
      "'--",
      '%',
      '$where',
      'x'.repeat(513),
    ]) {
      const change = (path: string) => path.split('/').with(position, encodeURIComponent(text)).join('/');
      expect(await refuse(name, change)).toEqual([parameter]);
    }
  });

  it('is named together with what is wrong in the body', async () => {
    const answer = await api.call('PUT', '/v1/pools/UPPER?x=1', { body: { leaseSeconds: 0, y: 1 } });
    expect(answer.body.errors?.map((issue) => issue.path)).toEqual(['pool', 'x', 'leaseSeconds', 'y']);
    for (const { path, message } of answer.body.errors ?? []) {
      expect(answer.body.detail).toContain(`${path}: ${message}`);
    }
  });

  it('is named among the first twenty mistakes, beyond which an answer names none', async () => {
    const names = Array.from({ length: 15 }, (_, index) => `x${index}`);
    const body = Object.fromEntries(names.map((name) => [name, 1]));
    const query = names.map((name) => `${name}=1`).join('&');
    const answer = await api.call('PUT', `/v1/pools/UPPER?${query}`, { body });
    expect(answer.body.errors).toHaveLength(20);
  });
});
