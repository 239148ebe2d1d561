import { describe, expect, it } from 'vitest';
import { routes } from '../../../functions/routes.ts';
import { DatabaseUnavailableError } from '../../../shared/domain/errors.ts';
import { makeSample, routeNames } from '../../support/route-samples.ts';
import { admin, useTestApi } from '../../support/test-api.ts';

const guarded = routeNames.filter((name) => routes[name].access !== 'anyone');

describe('authentication', () => {
  const api = useTestApi();

  it('is asked for on every route but health', () => {
    expect(routeNames.filter((name) => !guarded.includes(name))).toEqual(['getHealth']);
  });

  describe.each(guarded)('of %s', (name) => {
    it('answers 401 without a caller from the authorizer, and changes nothing', async () => {
      const { method, path, options } = await makeSample(api, name, admin);
      const before = await api.dump();
      const answer = await api.call(method, path, { ...options, as: 'nobody' });
      expect(answer).toMatchObject({
        status: 401,
        headers: { 'www-authenticate': 'Bearer' },
        body: { code: 'unauthenticated' },
      });
      expect(await api.dump()).toBe(before);
    });

    it('does not believe a credential that the authorizer did not see', async () => {
      const { body } = await api.call<{ credential: string }>('POST', '/v1/clients', {
        body: { role: 'admin' },
      });
      const { method, path, options } = await makeSample(api, name, admin);
      const headers = { authorization: `Bearer ${body.credential}` };
      const answer = await api.call(method, path, { ...options, as: 'nobody', headers });
      expect(answer).toMatchObject({ status: 401 });
    });

    it('tells a stranger nothing about the body or the parameters', async () => {
      const { method, path, options } = await makeSample(api, name, admin);
      const answer = await api.call(method, `${path}?unknown=1`, {
        ...options,
        as: 'nobody',
        rawBody: `{"broken${'x'.repeat(70_000)}`,
      });
      expect(answer).toMatchObject({ status: 401 });
      expect(answer.body).not.toHaveProperty('errors');
    });

    it('verifies the credential itself where the authorizer could not', async () => {
      const created = await api.call<{ clientId: string; credential: string }>('POST', '/v1/clients', {
        body: { role: 'admin' },
      });
      const { clientId, credential } = created.body;
      const { method, path, options, status } = await makeSample(api, name, { clientId });
      const call = (authorization?: string) =>
        api.call(method, path, {
          ...options,
          as: 'unverified',
          ...(authorization !== undefined && { headers: { authorization } }),
        });
      const before = await api.dump();

      expect(await call()).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
      expect(await call(credential)).toMatchObject({ status: 401 });
      for (const wrong of [`Bearer ${clientId}.${'x'.repeat(43)}`, `Bearer nobody.${'x'.repeat(43)}`]) {
        expect(await call(wrong)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
      }
      api.fault = () => {
        throw new DatabaseUnavailableError();
      };
      const down = await call(`Bearer ${credential}`);
      expect(down).toMatchObject({ status: 503, headers: { 'retry-after': '2' } });
      api.fault = undefined;
      expect(await api.dump()).toBe(before);
      expect(await call(`Bearer ${credential}`)).toMatchObject({ status });
    });
  });
});
