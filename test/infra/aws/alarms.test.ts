import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FUNCTION_NAMES } from '../../../infra/bundle/bundle-functions.ts';
import { acquireLease } from '../../../shared/domain/acquire-lease.ts';
import type { Caller } from '../../../shared/domain/client.ts';
import { createKeys } from '../../../shared/domain/create-keys.ts';
import { putPool } from '../../../shared/domain/pools.ts';
import { measurePools } from '../../../shared/http/measure.ts';
import { createRuntime } from '../../../shared/runtime/runtime.ts';
import { createSqliteStore } from '../../../shared/store/sqlite/sqlite-store.ts';
import { apiEvent } from '../bundle/support/api-event.ts';
import { BundleFolder, type Invoked } from '../bundle/support/bundle-process.ts';
import { type DataPoint, metricsOf, readLines, ringsAt, ringsBy } from './support/cloud-watch.ts';
import { EVERY_OPTION, type Resource, synthesize } from './support/synthesize.ts';

function alarmsOf(parameters?: Record<string, string>) {
  const alarms = Object.entries(synthesize(parameters).resources('AWS::CloudWatch::Alarm'));
  return new Map(
    alarms.map(([id, { Properties }]) => [id.replace(/^Alarms(.*?)[0-9A-F]{8}$/, '$1'), Properties]),
  );
}

const alarms = alarmsOf();
const alarmsWithTopic = alarmsOf(EVERY_OPTION);
const { resources, functionIds } = synthesize();

describe('the alarms', () => {
  it('are in the guide and in the runbook, each of them', () => {
    const read = (name: string) => readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8');
    const rows = [...read('deploy.md').matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
    const headings = [...read('runbook.md').matchAll(/^### (.*)$/gm)].map(([, text]) => text).join('\n');
    for (const name of alarms.keys()) {
      expect(rows).toContain(name);
      expect(headings).toContain(`\`${name}\``);
    }
  });

  it('take a sweep that was never heard of for one that is missing', () => {
    expect(alarms.get('NoSweep')).toMatchObject({
      TreatMissingData: 'breaching',
      ComparisonOperator: 'LessThanThreshold',
      Threshold: 1,
      EvaluationPeriods: 1,
    });
    const metrics = alarms
      .get('NoSweep')
      .Metrics.filter((metric: { MetricStat?: unknown }) => metric.MetricStat);
    for (const { MetricStat } of metrics) expect(MetricStat).toMatchObject({ Period: 300, Stat: 'Sum' });
  });

  it('stay quiet, all but that one, while nothing happens', () => {
    for (const [name, alarm] of alarms) {
      expect(alarm.TreatMissingData, name).toBe(name === 'NoSweep' ? 'breaching' : 'notBreaching');
    }
  });

  it('tell the topic, of the alarm and of its end, where there is one', () => {
    for (const alarm of alarms.values()) expect(alarm).not.toHaveProperty('AlarmActions');
    const topic = EVERY_OPTION.alarmTopicArn;
    for (const alarm of alarmsWithTopic.values()) {
      expect(alarm).toMatchObject({ AlarmActions: [topic], OKActions: [topic] });
    }
  });

  it.each<[string, Record<string, number>, boolean]>([
    ['ServerErrors', { requests: 15, failures: 15 }, true],
    ['ServerErrors', { requests: 3, failures: 3 }, true],
    ['ServerErrors', { requests: 2, failures: 2 }, false],
    ['ServerErrors', { requests: 300, failures: 3 }, false],
    ['ServerErrors', { requests: 299, failures: 3 }, true],
    ['Refusals', { refused: 10, acquired: 10 }, false],
    ['Refusals', { refused: 11, acquired: 10 }, true],
    ['Refusals', { refused: 10 }, true],
    ['Refusals', { refused: 9 }, false],
    ['Lapses', { lapses: 5, acquired: 50 }, false],
    ['Lapses', { lapses: 6, acquired: 50 }, true],
    ['Lapses', { lapses: 5 }, true],
    ['Lapses', { lapses: 9, acquired: 5 }, true],
    ['Lapses', { lapses: 4 }, false],
  ])('ring for a share, and from some number on: %s at %o is %s', (name, values, rings) => {
    expect(
      ringsBy(alarms.get(name), { refused: undefined, lapses: undefined, acquired: undefined, ...values }),
    ).toBe(rings);
  });

  it('go by the shares that the deployment asks for', () => {
    const thresholds = (of: typeof alarms) =>
      ['PoolNearlyEmpty', 'Refusals', 'Lapses'].map((name) => of.get(name).Threshold);
    expect(thresholds(alarms)).toEqual([0.1, 50, 10]);
    expect(thresholds(alarmsWithTopic)).toEqual([0.25, 90, 100]);
    expect(alarms.get('PoolNearlyEmpty')).toMatchObject({
      ComparisonOperator: 'LessThanThreshold',
      Metrics: [{ MetricStat: { Stat: 'Maximum', Period: 300 } }],
      EvaluationPeriods: 3,
    });
  });

  it('look at how long a dead letter has been waiting', () => {
    expect(alarms.get('DeadLetters')).toMatchObject({
      MetricName: 'ApproximateAgeOfOldestMessage',
      Statistic: 'Maximum',
      Threshold: 3600,
    });
  });

  it('read the database being unavailable from the log of every function that uses it', () => {
    const logGroups = [...functionIds]
      .filter(([name]) => FUNCTION_NAMES.includes(name) && name !== 'answer-unmatched')
      .map(([, id]) => resources('AWS::Lambda::Function')[id]?.Properties.LoggingConfig.LogGroup.Ref);
    expect(
      filtersOf('database-unavailable')
        .map(({ LogGroupName }) => LogGroupName.Ref)
        .sort(),
    ).toEqual(logGroups.sort());
    expect(alarms.get('DatabaseUnavailable').Metrics).toMatchObject([
      {
        MetricStat: {
          Metric: { Namespace: 'TokenOrchestrator', MetricName: 'TokenOrchestrator-database-unavailable' },
          Stat: 'Sum',
        },
      },
    ]);
  });
});

/** The metric filters that count into a metric. */
function filtersOf(metric: string) {
  return Object.values(resources('AWS::Logs::MetricFilter'))
    .map(({ Properties }) => Properties)
    .filter(({ MetricTransformations }) => MetricTransformations[0].MetricName.endsWith(metric));
}

/** Of AWS's own metrics: no line of ours feeds them. */
const BY_AWS: Record<string, string[]> = {
  SweepErrors: ['AWS/Lambda Errors'],
  NoSweep: ['AWS/Lambda Invocations', 'AWS/Lambda Errors'],
  SendErrors: ['AWS/Lambda Errors'],
  ServerErrors: ['AWS/ApiGateway Count', 'AWS/ApiGateway 5xx'],
  Latency: ['AWS/ApiGateway Latency'],
  ThrottledFunctions: ['AWS/Lambda Throttles', 'AWS/Lambda Throttles'],
  DeadLetters: ['AWS/SQS ApproximateAgeOfOldestMessage'],
};

const ADMIN: Caller = { clientId: 'client_admin', role: 'admin' };
const MINUTE = 60_000;
const BUS = 'arn:aws:events:eu-central-1:111122223333:event-bus/TokenOrchestrator';

describe('the lines that the bundles print', () => {
  let folder: BundleFolder;
  let quiet: DataPoint[];
  let trouble: DataPoint[];
  let away: Invoked[];

  beforeAll(async () => {
    const acquire = (pool: string) =>
      ['acquire-lease', apiEvent('POST', '/v1/leases', {}, { pool })] as const;
    const authorize = ['authorize', { identitySource: [`Bearer client_a.${'x'.repeat(43)}`] }] as const;
    const scheduled = [['expire-leases', {}] as const, ['send-events', {}] as const];
    folder = await BundleFolder.make(['acquire-lease', 'authorize', 'expire-leases', 'send-events']);
    const [database, noDatabase] = [
      { SQLITE_PATH: await makeTrouble() },
      { MONGODB_URI: 'mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=100' },
    ];
    const calm = await run({ SQLITE_PATH: await makeCalm() }, acquire('seats'), authorize, ...scheduled);
    const busy = await run(
      database,
      ...scheduled,
      acquire('licences'),
      ...Array.from({ length: 10 }, () => acquire('seats')),
    );
    away = await run(noDatabase, acquire('seats'), authorize, ...scheduled);
    quiet = read(calm, { status: '409', integrationStatus: '200' });
    trouble = read([...busy, ...away], { status: '429', integrationStatus: '-' });
  }, 120_000);

  afterAll(() => folder.remove());

  /** A database with two pools of ten keys, made as long ago as told. */
  async function makeDatabase(name: string, madeAgoMs: number) {
    const store = createSqliteStore({ path: folder.path(name) });
    const startedAt = Date.now();
    let agoMs = madeAgoMs;
    await store.prepare(startedAt - agoMs);
    const clock = () => startedAt - agoMs;
    const { context } = createRuntime(store, { clock, clockSkewToleranceMs: 1000 });
    for (const [pool, leaseSeconds] of [
      ['seats', 3600],
      ['licences', 60],
    ] as const) {
      await putPool(context, ADMIN, pool, { policy: { keyTtlSeconds: null, leaseSeconds } });
      await createKeys(context, ADMIN, { pool, count: 10 });
    }
    return {
      acquire: async (pool: string, count: number, acquiredAgoMs: number) => {
        agoMs = acquiredAgoMs;
        for (let number = 0; number < count; number += 1) await acquireLease(context, ADMIN, { pool });
      },
      close: async () => {
        await store.close();
        return folder.path(name);
      },
    };
  }

  const makeCalm = async () => (await makeDatabase('calm.db', 0)).close();

  /** No seat is free, and nobody has sent the events of the pools' creation, or looked after five leases that lapsed. */
  const makeTrouble = async () => {
    const database = await makeDatabase('trouble.db', 20 * MINUTE);
    await database.acquire('seats', 10, 10 * MINUTE);
    await database.acquire('licences', 5, 10 * MINUTE);
    return database.close();
  };

  /** With the environment that the deployment gives a function. */
  function run(database: Record<string, string>, ...invocations: (readonly [string, unknown])[]) {
    const { POWERTOOLS_SERVICE_NAME } = functionOf('expire-leases').Environment.Variables;
    return folder.runAll(invocations, { POWERTOOLS_SERVICE_NAME, EVENT_BUS_ARN: BUS, ...database });
  }

  /** What CloudWatch reads of the functions' lines, and of one that the gateway writes of a request. */
  function read(invoked: readonly Invoked[], request: { status: string; integrationStatus: string }) {
    const [stage] = Object.values(resources('AWS::ApiGatewayV2::Stage'));
    const { DestinationArn, Format } = (stage as Resource).Properties.AccessLogSettings;
    const [accessLog] = DestinationArn['Fn::GetAtt'];
    const text = Format.replace('$context.status', request.status).replace(
      '$context.integration.integrationStatus',
      request.integrationStatus,
    );
    const lines = invoked.flatMap(({ name, lines }) =>
      lines.map((line) => ({ group: functionOf(name).LoggingConfig.LogGroup.Ref, text: line })),
    );
    const filters = Object.values(resources('AWS::Logs::MetricFilter'));
    return readLines([...lines, { group: accessLog, text }], filters);
  }

  it('feed every alarm but those of AWS’s own metrics', () => {
    const byAws = [...alarms].flatMap(([name, alarm]) => {
      const metrics = metricsOf(alarm);
      return metrics.every((metric) => metric.startsWith('AWS/')) ? [[name, metrics]] : [];
    });
    expect(Object.fromEntries(byAws)).toEqual(BY_AWS);
    const byUs = [...alarms].filter(([name]) => !(name in BY_AWS));
    const ringing = (points: DataPoint[]) =>
      byUs.filter(([, alarm]) => ringsAt(alarm, points)).map(([name]) => name);
    expect(ringing(quiet)).toEqual([]);
    expect(ringing(trouble)).toEqual(byUs.map(([name]) => name));
  });

  it('are counted of each function whose database is away, and two of them fail, so that Lambda counts it', () => {
    expect(
      Object.fromEntries(
        away.map((invoked) => {
          const { errorType = 'none' } = (invoked.answer ?? {}) as { errorType?: string };
          const counted = read([invoked], { status: '503', integrationStatus: '200' });
          return [
            invoked.name,
            [errorType, counted.filter(({ name }) => name.endsWith('database-unavailable')).length],
          ];
        }),
      ),
    ).toEqual({
      'acquire-lease': ['none', 1],
      authorize: ['none', 1],
      'expire-leases': ['DatabaseUnavailableError', 1],
      'send-events': ['DatabaseUnavailableError', 1],
    });
  });

  it.each([
    ['was refused by a limit of the stage', { status: '429', integrationStatus: '-' }, 1],
    ['found no concurrency', { status: '503', integrationStatus: '429' }, 1],
    ['was served', { status: '201', integrationStatus: '200' }, 0],
    [
      'met a full pool of leases, which is no throttle of ours',
      { status: '409', integrationStatus: '200' },
      0,
    ],
  ])(
    'are beside the access log’s: one of a request that %s is counted as it was',
    (_case, request, count) => {
      expect(read([], request)).toHaveLength(count);
    },
  );

  it('feed what the CloudWatch dashboard searches for', () => {
    const [dashboard] = Object.values(resources('AWS::CloudWatch::Dashboard'));
    const body = JSON.stringify(dashboard?.Properties.DashboardBody);
    const searches = [...body.matchAll(/SEARCH\('\{(.*?)\} (.*?)',/g)];
    expect(searches).toHaveLength(4);
    for (const [, schema = '', terms = ''] of searches) {
      const [namespace, ...names] = schema.split(',');
      const wanted = [...terms.matchAll(/(\w+)=\W*(\w+)/g)].map(([, name, text]) => [name as string, text]);
      const found = trouble.filter(
        (point) =>
          point.namespace === namespace &&
          Object.keys(point.dimensions).sort().join() === names.sort().join() &&
          wanted.every(
            ([name, text]) =>
              (name === 'MetricName' ? point.name : point.dimensions[name as string]) === text,
          ),
      );
      expect(found, terms).not.toEqual([]);
    }
  });
});

function functionOf(name: string) {
  return resources('AWS::Lambda::Function')[functionIds.get(name) as string]?.Properties;
}

it('the least share of free keys is of pools that are not meant to be taken whole', () => {
  const counts = (free: number, leased: number) => ({ free, leased, cooling: 0, paused: 90, waiting: 0 });
  const least = (...pools: ReturnType<typeof counts>[]) =>
    measurePools(new Map(pools.map((figures, number) => [`pool-${number}`, figures]))).find(
      ({ name }) => name === 'token_orchestrator_least_free_ratio',
    )?.value;
  expect(least()).toBe(1);
  expect(least(counts(0, 9), counts(0, 0))).toBe(1);
  expect(least(counts(0, 10))).toBe(0);
  expect(least(counts(8, 2), counts(3, 9), counts(0, 1))).toBe(0.25);
});
