import type { Context as LambdaContext } from 'aws-lambda';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { getHealth } from '../../shared/domain/health.ts';
import type { ApiEvent } from '../../shared/http/api-event.ts';
import { type CapturedLog, captureLog } from '../support/captured-log.ts';
import { describeWithMongoDb } from '../support/mongodb.ts';

describe('the runtime of a Lambda function', () => {
  let log: CapturedLog;

  beforeEach(() => {
    log = captureLog();
    vi.resetModules(); // As in a new execution environment.
  });
  afterEach(() => {
    log.stop();
    vi.unstubAllEnvs();
  });

  const callMe = async (): Promise<number | undefined> => {
    const { handler } = await import('../../functions/get-me.ts');
    const authorizer = { lambda: { clientId: 'client_a', role: 'viewer', pools: '' } };
    const event = {
      headers: {},
      requestContext: { requestId: 'request-1', http: {}, authorizer },
    } as ApiEvent;
    return (await handler(event, {} as LambdaContext)).statusCode;
  };

  it('is opened at the first invocation, from the environment, and kept for the ones after', async () => {
    vi.stubEnv('SQLITE_PATH', ':memory:');
    expect(await callMe()).toBe(200);
    const { lambdaRuntime } = await import('../../shared/runtime/runtime.ts');
    vi.stubEnv('MONGODB_URI', 'no connection string');
    expect(await callMe()).toBe(200);
    const { context } = await lambdaRuntime();
    expect((await lambdaRuntime()).context).toBe(context);
    expect(context.clockSkewToleranceMs).toBe(1000);
    expect(context.clock).toBe(Date.now);
    await context.store.close();
  });

  it.each([
    ['MONGODB_URI', 'no connection string', 'MONGODB_URI must start with mongodb://'],
    ['SQLITE_PATH', '/dev/null/orchestrator.db', '/dev/null'],
  ])(
    'is tried again at the next invocation where %s did not let it be opened',
    async (variable, wrong, logged) => {
      vi.stubEnv(variable, wrong);
      expect(await callMe()).toBe(500);
      expect(log.text()).toContain(logged);
      vi.stubEnv(variable, '');
      vi.stubEnv('SQLITE_PATH', ':memory:');
      expect(await callMe()).toBe(200);
      const { lambdaRuntime } = await import('../../shared/runtime/runtime.ts');
      await (await lambdaRuntime()).context.store.close();
    },
  );

  it.each([
    ['a MongoDB that is away', 'mongodb://127.0.0.1:1/'],
    ['a malformed connection string', 'no connection string'],
  ])('connects early, and %s fails no start', async (_name, uri) => {
    vi.stubEnv('MONGODB_URI', uri);
    const { connectEarly } = await import('../../shared/runtime/runtime.ts');
    await expect(connectEarly()).resolves.toBeUndefined();
  });

  it('has nothing to connect to on SQLite, and makes no file before an invocation', async () => {
    vi.stubEnv('SQLITE_PATH', '/dev/null/orchestrator.db'); // Opening it would fail.
    const { connectEarly, lambdaRuntime } = await import('../../shared/runtime/runtime.ts');
    await connectEarly();
    await expect(lambdaRuntime()).rejects.toThrow('/dev/null');
  });
});

describeWithMongoDb('a function that starts on a database which another release prepared', (database) => {
  it.each([
    ['older', 0],
    ['newer', 1_000_000],
  ])('says so where that is %s, and only once', async (schema, version) => {
    const log = captureLog();
    onTestFinished(() => {
      log.stop();
      vi.unstubAllEnvs();
    });
    const prepared = database.db.collection<{ _id: string }>('schema');
    await prepared.updateOne({ _id: 'prepared' }, { $set: { version } }, { upsert: true });
    vi.resetModules();
    vi.stubEnv('MONGODB_URI', database.uri);
    const { connectEarly, lambdaRuntime } = await import('../../shared/runtime/runtime.ts');
    await connectEarly();
    const { context } = await lambdaRuntime();
    expect(await getHealth(context)).toMatchObject({ status: 'ok', schema });
    await context.store.close();
    const lines = log
      .text()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines).toMatchObject([{ level: 'WARN', message: 'database schema', schema }]);
  });
});
