import { describe, expect, it } from 'vitest';
import { routes } from '../../functions/routes.ts';
import type { Route } from '../../shared/http/route.ts';
import { useTestApi } from '../support/test-api.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY'];

describe('what no route matches', () => {
  const api = useTestApi();

  it.each([
    '/v1',
    '/v1/',
    '/v1/key',
    '/v1/keys/',
    '/v1/keys/a/b',
    '/v1/keys/a/refresh/b',
    '/v2/keys',
    '/v1//keys',
  ])('answers 404 for %s, whatever the method and whoever asks', async (path) => {
    for (const method of METHODS) {
      const answer = await api.call(method, path, { as: 'nobody' });
      expect(answer).toMatchObject({ status: 404, body: { code: 'route_not_found' } });
      expect(answer.headers).not.toHaveProperty('allow');
    }
  });

  it.each([...new Set(Object.values<Route>(routes).map((route) => route.path))])(
    'answers 405 with the methods that %s allows',
    async (routePath) => {
      const allowed = Object.values<Route>(routes)
        .filter((route) => route.path === routePath)
        .flatMap((route) => route.methods);
      const path = routePath.replace(/\{\w+\}/, 'some-id');
      for (const method of METHODS.filter((candidate) => !(allowed as string[]).includes(candidate))) {
        const answer = await api.call(method, path, { as: 'nobody' });
        expect(answer).toMatchObject({ status: 405, body: { code: 'method_not_allowed' } });
        expect(answer.headers.allow?.split(', ').sort()).toEqual([...allowed].sort());
      }
    },
  );
});
