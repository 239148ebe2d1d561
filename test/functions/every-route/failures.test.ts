import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DatabaseUnavailableError } from '../../../shared/domain/errors.ts';
import { makeSample, type RouteName, routeNames } from '../../support/route-samples.ts';
import { type Answer, admin, useTestApi } from '../../support/test-api.ts';

// What `getMe` tells comes with the call: it asks no database.

/** What a driver may say, and no caller may read. */
const INTERNAL = 'E11000 at db-7.internal:27017 (mongodb://app:hunter2@db-7.internal/orchestrator)';

describe.each(routeNames.filter((name) => name !== 'getMe'))('a failure under %s', (name) => {
  const api = useTestApi();

  // Each random slot lies above the ones before, so that an acquire always needs all of its verbs.
  beforeEach(() => {
    let drawn = 0;
    vi.spyOn(Math, 'random').mockImplementation(() => {
      drawn += 1;
      return 1 - 1 / drawn;
    });
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  /** The verbs that the route's request needs, found out by making it. A note is recorded at once only if that works. */
  const findVerbs = async (route: RouteName): Promise<string[]> => {
    const { method, path, options, status } = await makeSample(api, route, admin);
    const verbs = new Set<string>();
    api.fault = (verb) => void verbs.add(verb);
    expect(await api.call(method, path, options)).toMatchObject({ status });
    if (verbs.delete('keys.clearNotes')) verbs.delete('events.add');
    expect(verbs.size).toBeGreaterThan(0);
    return [...verbs];
  };

  /** The answer when one verb fails. */
  const callWithout = async (verb: string, failure: unknown): Promise<Answer<Record<string, unknown>>> => {
    api.fault = undefined;
    const { method, path, options } = await makeSample(api, name, admin);
    api.fault = (asked) => {
      if (asked === verb) throw failure;
    };
    api.now += 6000; // Beyond what is cached of a pool.
    return api.call(method, path, options);
  };

  const expectNothingInternal = (answer: unknown): void => {
    expect(JSON.stringify(answer)).not.toMatch(/E11000|internal:|hunter2|mongodb|node_modules|\.ts|\\n/);
  };

  it('that nobody foresaw is answered 500 with nothing internal, and logged with the request id', async () => {
    for (const verb of await findVerbs(name)) {
      for (const failure of [new TypeError(INTERNAL), INTERNAL]) {
        const answer = await callWithout(verb, failure);
        expect(answer).toMatchObject({ status: 500, body: { code: 'internal' } });
        expectNothingInternal(answer);
        const errors = api
          .logged()
          .split('\n')
          .filter((line) => line.includes('"level":"ERROR"'));
        expect(errors.at(-1)).toContain(answer.body.requestId);
      }
    }
  });

  it('of the database is answered 503 with Retry-After and nothing internal', async () => {
    for (const verb of await findVerbs(name)) {
      const answer = await callWithout(verb, new DatabaseUnavailableError({ cause: new Error(INTERNAL) }));
      expect(answer).toMatchObject({
        status: 503,
        headers: { 'retry-after': '2' },
        body: { code: 'database_unavailable', retryAfterMs: 2000 },
      });
      expectNothingInternal(answer);
    }
  });

  it('to answer in time is answered 503 before the function is ended', async () => {
    const { method, path, options } = await makeSample(api, name, admin);
    api.fault = () => new Promise(() => undefined);
    const answer = await api.call(method, path, { ...options, remainingMs: 251 });
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '2' } });
  });
});
