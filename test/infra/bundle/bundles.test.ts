import { existsSync, readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FUNCTION_NAMES } from '../../../infra/bundle/bundle-functions.ts';
import { METRICS, type MetricName } from '../../../shared/runtime/metrics.ts';
import { createMongoStore } from '../../../shared/store/mongo/mongo-store.ts';
import { createSqliteStore } from '../../../shared/store/sqlite/sqlite-store.ts';
import { describeWithMongoDb } from '../../support/mongodb.ts';
import { startOtlpReceiver } from '../../support/otlp-receiver.ts';
import { apiEvent as event } from './support/api-event.ts';
import { AwsDatabase } from './support/aws-database.ts';
import { BundleFolder } from './support/bundle-process.ts';

const LIMIT_BYTES = 820_000;

interface EmfHeader {
  readonly Timestamp: number;
  readonly CloudWatchMetrics: readonly {
    readonly Namespace: string;
    readonly Dimensions: readonly (readonly string[])[];
    readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[];
  }[];
}

interface Response {
  readonly statusCode: number;
  readonly body?: string;
}

interface LambdaError {
  readonly errorType: string;
  readonly trace: readonly string[];
}

let folder: BundleFolder;

beforeAll(async () => {
  folder = await BundleFolder.make();
}, 180_000);

afterAll(async () => {
  await folder.remove();
});

describe('the bundles', () => {
  it('are one per function, alone in its folder, and not larger than a start allows', () => {
    expect(folder.bundles.map(({ name }) => name).sort()).toEqual([...FUNCTION_NAMES].sort());
    for (const { name, bytes } of folder.bundles) {
      expect(bytes, name).toBeLessThanOrEqual(LIMIT_BYTES);
      expect(readdirSync(folder.path(`functions/${name}`))).toEqual(['index.mjs']);
    }
  });

  it('carry a driver only where there is a database', () => {
    const unmatched = folder.bundles.find(({ name }) => name === 'answer-unmatched');
    expect(unmatched?.bytes).toBeLessThan(60_000);
  });

  it('stand alone: no node_modules is in reach of the folder they are tested in', () => {
    expect(existsSync(folder.path('node_modules'))).toBe(false);
  });

  it('say in the log that the database refuses their role, so that the alarm hears of it', async () => {
    const database = new AwsDatabase();
    database.letsIn = false;
    const port = await database.listen();
    const env = {
      MONGODB_URI: `mongodb://127.0.0.1:${port}/?directConnection=true&authMechanism=MONGODB-AWS&authSource=%24external`,
      AWS_ACCESS_KEY_ID: 'ASIAROLE',
      AWS_SECRET_ACCESS_KEY: 'role-secret',
    };
    const line = {
      message: 'database unavailable',
      reason: 'MongoServerError: bad auth : aws sts call',
      causeCode: 8000,
      awsRequestId: 'invocation-1',
    };
    try {
      const health = await folder.run<Response>('get-health', event('GET', '/v1/health'), env);
      expect(health.answer).toMatchObject({ statusCode: 503 });
      expect(health.printed).toContainEqual(expect.objectContaining({ ...line, requestId: 'request-1' }));
      const identitySource = [`Bearer client_a.${'x'.repeat(43)}`];
      const authorized = await folder.run('authorize', { identitySource }, env);
      expect(authorized.answer).toMatchObject({ context: { unverified: 'true' } });
      expect(authorized.printed).toContainEqual(expect.objectContaining(line));
      const swept = await folder.run<LambdaError>('expire-leases', {}, env);
      expect(swept.printed).toContainEqual(expect.objectContaining(line));
      expect(swept.answer).toMatchObject({ errorType: 'DatabaseUnavailableError' });
      const read = await folder.readStack('expire-leases', swept.answer.trace.join('\n'));
      expect(read).toMatch(
        /^DatabaseUnavailableError: .*\n {4}at \S+ \(\S*shared\/store\/mongo\/errors\.ts:\d+:\d+\)/,
      );
      expect(read).toMatch(/at async \S*shared\/http\/create-sweep-handler\.ts:\d+:\d+/);
    } finally {
      await database.close();
    }
  }, 60_000);

  it('authenticate with the credentials of the function’s role, without the AWS SDK', async () => {
    const database = new AwsDatabase();
    const port = await database.listen();
    try {
      const answer = await folder.invoke<Response>('get-health', event('GET', '/v1/health'), {
        MONGODB_URI: `mongodb://127.0.0.1:${port}/?directConnection=true&authMechanism=MONGODB-AWS&authSource=%24external`,
        AWS_ACCESS_KEY_ID: 'ASIAROLE',
        AWS_SECRET_ACCESS_KEY: 'role-secret',
        AWS_SESSION_TOKEN: 'role-session',
      });
      expect(answer).toMatchObject({ statusCode: 200 });
      expect(database.proofs[0]).toMatchObject({
        a: expect.stringMatching(
          /^AWS4-HMAC-SHA256 Credential=ASIAROLE\/\d{8}\/us-east-1\/sts\/aws4_request/,
        ),
        t: 'role-session',
      });
    } finally {
      await database.close();
    }
  }, 60_000);
});

describe('the bundles on SQLite', () => {
  answerEveryRoute(async () => {
    const path = folder.path('orchestrator.db');
    const store = createSqliteStore({ path });
    await store.prepare(Date.now());
    await store.close();
    return { SQLITE_PATH: path };
  });
});

describe('the metrics that a bundle prints for CloudWatch', () => {
  let path: string;
  beforeAll(async () => {
    path = folder.path('metrics.db');
    const store = createSqliteStore({ path });
    await store.prepare(Date.now());
    await store.close();
  });

  /** What one invocation prints as metrics: name, unit, labels and value of each, checked against what is declared. */
  async function metricsOf(name: string, given: unknown) {
    const env = { SQLITE_PATH: path, POWERTOOLS_SERVICE_NAME: 'the-stack' };
    const { printed } = await folder.run<Response>(name, given, env);
    return printed
      .filter((line) => '_aws' in line)
      .flatMap(({ _aws, ...line }) => {
        const { CloudWatchMetrics, Timestamp } = _aws as EmfHeader;
        expect(Timestamp).toBeGreaterThan(Date.now() - 60_000);
        const [directive, ...others] = CloudWatchMetrics;
        expect(others).toEqual([]);
        expect(directive).toMatchObject({ Namespace: 'TokenOrchestrator' });
        const { Dimensions, Metrics } = directive as EmfHeader['CloudWatchMetrics'][number];
        return Metrics.map(({ Name, Unit }) => {
          expect(Dimensions).toHaveLength(1);
          const { labels, ...metric } = METRICS[Name as MetricName];
          expect(Dimensions[0]).toContain('service');
          const names = (Dimensions[0] ?? []).filter((dimension) => dimension !== 'service');
          const isWhole = names.includes('pool') || !('acrossPools' in metric);
          expect([...names].sort()).toEqual(labels.filter((label) => isWhole || label !== 'pool').sort());
          const own = Object.fromEntries(names.map((label) => [label, line[label]]));
          expect(line.service).toBe('the-stack');
          return [Name.replace('token_orchestrator_', ''), Unit, own, line[Name]];
        });
      });
  }

  it('are those of its request, and nothing of a cold start', async () => {
    await metricsOf('create-keys', event('POST', '/v1/keys', {}, { count: 1 }));
    expect(await metricsOf('acquire-lease', event('POST', '/v1/leases', {}, {}))).toEqual([
      [
        'request_duration_seconds',
        'Seconds',
        { route: 'POST /v1/leases', status: '2xx' },
        expect.any(Number),
      ],
      ['acquires_total', 'Count', { pool: 'default', outcome: 'acquired' }, 1],
      ['acquires_total', 'Count', { outcome: 'acquired' }, 1],
    ]);
    expect(await metricsOf('acquire-lease', event('POST', '/v1/leases', {}, {}))).toContainEqual([
      'refusals_total',
      'Count',
      { pool: 'default', code: 'no_key_available' },
      1,
    ]);
    expect(
      await metricsOf('answer-unmatched', { ...event('GET', '/nowhere'), routeKey: '$default' }),
    ).toEqual([
      ['request_duration_seconds', 'Seconds', { route: '$default', status: '4xx' }, expect.any(Number)],
      ['refusals_total', 'Count', { pool: '_none', code: 'route_not_found' }, 1],
      ['refusals_total', 'Count', { code: 'route_not_found' }, 1],
    ]);
  }, 60_000);

  it('are those of a sweep, with the keys of each pool', async () => {
    expect(await metricsOf('expire-leases', {})).toEqual([
      ['sweeps_total', 'Count', { outcome: 'complete' }, 1],
      ['sweep_duration_seconds', 'Seconds', {}, expect.any(Number)],
      ['sweep_backlog_seconds', 'Seconds', {}, 0],
      ['keys', 'Count', { pool: 'default', state: 'free' }, 0],
      ['keys', 'Count', { pool: 'default', state: 'leased' }, 1],
      ['keys', 'Count', { pool: 'default', state: 'cooling' }, 0],
      ['keys', 'Count', { pool: 'default', state: 'paused' }, 0],
      ['waiting', 'Count', { pool: 'default' }, 0],
      ['least_free_ratio', 'Count', {}, 1],
    ]);
  }, 60_000);

  it('are beside a log whose errors have their names, although the code is minified', async () => {
    const MONGODB_URI = 'mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=100';
    const { answer, printed } = await folder.run<Response>('get-health', event('GET', '/v1/health'), {
      MONGODB_URI,
    });
    expect(answer.statusCode).toBe(503);
    const reason = expect.stringMatching(/^MongoServerSelectionError: /);
    expect(printed).toContainEqual(
      expect.objectContaining({ message: 'database unavailable', reason, causeCode: 'ECONNREFUSED' }),
    );
    const swept = await folder.invoke<LambdaError>('expire-leases', {}, { MONGODB_URI });
    expect(swept).toMatchObject({ errorType: 'DatabaseUnavailableError' });
  }, 60_000);
});

describe('a bundle that is told where to send spans', () => {
  it('sends them where its deployment traces; otherwise it says that it cannot, and works', async () => {
    const receiver = await startOtlpReceiver();
    const env = {
      SQLITE_PATH: folder.path('tracing.db'),
      AWS_LAMBDA_FUNCTION_NAME: 'get-me',
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    };
    try {
      const without = await folder.run<Response>('get-me', event('GET', '/v1/me'), env);
      expect(without.answer.statusCode).toBe(200);
      expect(without.printed).toContainEqual(expect.objectContaining({ message: 'traces not sent' }));
      expect(receiver.spans).toEqual([]);
      await folder.addTracing();
      const { answer, printed } = await folder.run<Response>('get-me', event('GET', '/v1/me'), env);
      expect(answer.statusCode).toBe(200);
      expect(receiver.spans).toMatchObject([{ name: 'GET /v1/me' }]);
      expect(printed.filter(({ message }) => message === 'traces not sent')).toEqual([]);
    } finally {
      await receiver.close();
    }
  }, 60_000);
});

describeWithMongoDb('the bundles on MongoDB', (database) => {
  answerEveryRoute(async () => {
    const store = createMongoStore({ uri: database.uri });
    await store.prepare(Date.now());
    await store.close();
    return { MONGODB_URI: database.uri, MONGODB_MAX_POOL_SIZE: '2' };
  });
});

/** Every function once, each in a process of its own, on one database. */
function answerEveryRoute(prepare: () => Promise<Record<string, string>>): void {
  it('answer a real event, every one of them', async () => {
    const EVENT_BUS_ARN = 'arn:aws:events:eu-central-1:111122223333:event-bus/TokenOrchestrator';
    const env = { ...(await prepare()), EVENT_BUS_ARN };
    const asked = new Set<string>();
    const invoke = <Answer>(name: string, given: unknown): Promise<Answer> => {
      asked.add(name);
      return folder.invoke<Answer>(name, given, env);
    };
    // biome-ignore lint/suspicious/noExplicitAny: the body of any answer
    const call = async (name: string, given: unknown, status: number): Promise<any> => {
      const { statusCode, body } = await invoke<Response>(name, given);
      expect({ name, statusCode, body }).toMatchObject({ statusCode: status });
      return body === undefined ? undefined : JSON.parse(body);
    };

    // Before anything happened: the SDK, which Lambda brings, is in nobody's reach here.
    expect(await invoke('send-events', {})).toEqual({ sent: 0, oldestUnsentAgeMs: 0 });
    await call('get-health', event('GET', '/v1/health'), 200);
    await call('put-pool', event('PUT', '/v1/pools/licences', { pool: 'licences' }, {}), 201);
    const { keys } = await call(
      'create-keys',
      event('POST', '/v1/keys', {}, { pool: 'licences', count: 2 }),
      201,
    );
    const [first, second] = keys as { keyId: string }[];
    const lease = await call('acquire-lease', event('POST', '/v1/leases', {}, { pool: 'licences' }), 201);
    const own = { leaseId: lease.leaseId as string };
    await call('get-lease', event('GET', `/v1/leases/${own.leaseId}`, own), 200);
    await call('keep-alive-lease', event('POST', `/v1/leases/${own.leaseId}/keep-alive`, own), 200);
    expect((await call('list-leases', event('GET', '/v1/leases'), 200)).leases).toHaveLength(1);
    const leased = { keyId: lease.keyId as string };
    expect((await call('get-key', event('GET', `/v1/keys/${leased.keyId}`, leased), 200)).state).toBe(
      'leased',
    );
    await call('release-lease', event('DELETE', `/v1/leases/${own.leaseId}`, own), 204);
    await call('unblock-key', event('POST', `/v1/keys/${leased.keyId}/unblock`, leased), 409);
    await call(
      'refresh-key',
      event('POST', `/v1/keys/${first?.keyId}/refresh`, { keyId: first?.keyId ?? '' }),
      200,
    );
    for (const name of ['pause', 'resume']) {
      const given = event('POST', `/v1/keys/${first?.keyId}/${name}`, { keyId: first?.keyId ?? '' });
      await call(`${name}-key`, given, 200);
    }
    await call(
      'delete-key',
      event('DELETE', `/v1/keys/${second?.keyId}`, { keyId: second?.keyId ?? '' }),
      204,
    );
    const listing = { ...event('GET', '/v1/keys'), queryStringParameters: { pool: 'licences' } };
    expect((await call('list-keys', listing, 200)).keys).toHaveLength(1);
    await call('patch-pool', event('PATCH', '/v1/pools/licences', { pool: 'licences' }, { maxKeys: 9 }), 200);
    await call(
      'patch-key',
      event('PATCH', `/v1/keys/${first?.keyId}`, { keyId: first?.keyId ?? '' }, { labels: { region: 'eu' } }),
      200,
    );
    await call('list-tickets', event('GET', '/v1/pools/licences/tickets', { pool: 'licences' }), 200);
    await call('delete-ticket', event('DELETE', '/v1/tickets/none', { ticket: 'none' }), 410);
    await call('refresh-pool', event('POST', '/v1/pools/licences/refresh', { pool: 'licences' }), 202);
    await call('get-pool', event('GET', '/v1/pools/licences', { pool: 'licences' }), 200);
    await call('list-pools', event('GET', '/v1/pools'), 200);
    const followed = { ...event('GET', '/v1/events'), queryStringParameters: { pool: 'licences' } };
    expect((await call('list-events', followed, 200)).events).not.toHaveLength(0);
    await call('get-usage', event('GET', '/v1/pools/licences/usage', { pool: 'licences' }), 200);
    await call('list-holders', event('GET', '/v1/holders'), 200);
    await call('list-usage', event('GET', '/v1/usage'), 200);
    await call('get-me', event('GET', '/v1/me'), 200);
    await call('delete-pool', event('DELETE', '/v1/pools/licences', { pool: 'licences' }), 202);

    const client = await call('create-client', event('POST', '/v1/clients', {}, { role: 'client' }), 201);
    const known = await invoke<{ isAuthorized: boolean }>('authorize', {
      identitySource: [`Bearer ${client.credential}`],
    });
    expect(known).toMatchObject({
      isAuthorized: true,
      context: { clientId: client.clientId, role: 'client' },
    });
    await call('list-clients', event('GET', '/v1/clients'), 200);
    const named = { clientId: client.clientId as string };
    await call('rotate-client', event('POST', `/v1/clients/${client.clientId}/secrets`, named), 201);
    await call('delete-client', event('DELETE', `/v1/clients/${client.clientId}`, named), 204);
    await call('answer-unmatched', event('PATCH', '/v1/keys'), 405);
    expect(await invoke('expire-leases', {})).toMatchObject({ complete: true });

    expect([...asked].sort()).toEqual([...FUNCTION_NAMES].sort());
  }, 300_000);
}
