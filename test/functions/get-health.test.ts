import { describe, expect, it } from 'vitest';
import { DatabaseUnavailableError } from '../../shared/domain/errors.ts';
import { useTestApi } from '../support/test-api.ts';

describe('GET /v1/health', () => {
  const api = useTestApi();

  it('answers 200 to anyone while the database answers', async () => {
    const answer = await api.call('GET', '/v1/health', { as: 'nobody' });
    expect(answer).toMatchObject({ status: 200, body: { status: 'ok' } });
  });

  it('answers 503 with Retry-After while the database does not, and 200 when it is back', async () => {
    api.fault = () => {
      throw new DatabaseUnavailableError({ cause: new Error('connect ECONNREFUSED 10.0.0.7:27017') });
    };
    const answer = await api.call('GET', '/v1/health', { as: 'nobody' });
    expect(answer).toMatchObject({
      status: 503,
      headers: { 'retry-after': '2' },
      body: { code: 'database_unavailable', retryAfterMs: 2000 },
    });
    expect(JSON.stringify(answer)).not.toContain('10.0.0.7');
    api.fault = undefined;
    expect(await api.call('GET', '/v1/health', { as: 'nobody' })).toMatchObject({ status: 200 });
  });
});
