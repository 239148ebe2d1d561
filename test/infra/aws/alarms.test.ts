import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { FUNCTION_NAMES } from '../../../infra/bundle/bundle-functions.ts';
import { DatabaseUnavailableError } from '../../../shared/domain/errors.ts';
import { measurePools, measureRequest, measureSweep } from '../../../shared/http/measure.ts';
import type { Sample } from '../../../shared/runtime/metrics.ts';
import { captureLog } from '../../support/captured-log.ts';
import { useTestApi } from '../../support/test-api.ts';
import { EVERY_OPTION, synthesize } from './support/synthesize.ts';

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
  it('watch the sweep, pools, leases, the outbox, failures, latency, throttling, dead letters and the database', () => {
    expect([...alarms.keys()].sort()).toEqual([
      'DatabaseUnavailable',
      'DeadLetters',
      'Lapses',
      'Latency',
      'NoSweep',
      'OutboxAge',
      'PoolNearlyEmpty',
      'Refusals',
      'SendErrors',
      'ServerErrors',
      'SweepBacklog',
      'SweepErrors',
      'ThrottledFunctions',
      'ThrottledRequests',
    ]);
  });

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
    const { Metrics, Threshold, ComparisonOperator } = alarms.get(name);
    const [{ Expression }] = Metrics.filter((metric: { Expression?: string }) => metric.Expression);
    const of = Metrics.flatMap(({ Id, Expression: is }: { Id: string; Expression?: string }) =>
      is === undefined ? [Id] : [],
    );
    const value = runInNewContext(Expression, {
      ...Object.fromEntries(of.map((id: string) => [id, undefined])),
      ...values,
      IF: (is: boolean, yes: number, no: number) => (is ? yes : no),
      FILL: (given: number | undefined, otherwise: number) => given ?? otherwise,
    });
    expect(ComparisonOperator).toBe('GreaterThanThreshold');
    expect(value > Threshold).toBe(rings);
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

/** The forms of CloudWatch Logs' patterns that the stack uses: `{ $.field = "text" }`, several joined by `||`. */
function matches(pattern: string, line: string): boolean {
  const terms = /^\{ (.*) \}$/.exec(pattern)?.[1]?.split(' || ') ?? [];
  const entry = JSON.parse(line);
  return terms.some((term) => {
    const [, field = '', text] =
      /^\(?\$\.(\w+) = "([^"]*)"\)?$/.exec(term) ?? expect.fail(`Unknown form: ${term}`);
    return field in entry && String(entry[field]) === text;
  });
}

describe('the filters of the logs', () => {
  const api = useTestApi();

  it('count the very line of a function whose database is away, and not that of one whose database answers', async () => {
    const lines = () => api.logged().trim().split('\n');
    await api.call('GET', '/v1/pools');
    const answered = lines();
    api.fault = () => {
      throw new DatabaseUnavailableError({ cause: new Error('connect ECONNREFUSED') });
    };
    expect(await api.call('GET', '/v1/pools')).toMatchObject({ status: 503 });
    const unavailable = lines().slice(answered.length);
    for (const { FilterPattern } of filtersOf('database-unavailable')) {
      expect(answered.filter((line) => matches(FilterPattern, line))).toEqual([]);
      expect(unavailable.filter((line) => matches(FilterPattern, line))).toHaveLength(1);
    }
  });

  it.each([
    ['was refused by a limit of the stage', { status: '429', integrationStatus: '-' }, true],
    ['found no concurrency', { status: '503', integrationStatus: '429' }, true],
    ['was served', { status: '201', integrationStatus: '200' }, false],
    [
      'met a full pool of leases, which is no throttle of ours',
      { status: '409', integrationStatus: '200' },
      false,
    ],
  ])('count the access log line of a request that %s as it was', (_case, given, counted) => {
    const [stage] = Object.values(resources('AWS::ApiGatewayV2::Stage'));
    const format: string = stage?.Properties.AccessLogSettings.Format;
    const line = format
      .replace('$context.status', given.status)
      .replace('$context.integration.integrationStatus', given.integrationStatus);
    const [filter] = filtersOf('throttled');
    expect(matches(filter.FilterPattern, line)).toBe(counted);
  });
});

/** A metric that CloudWatch makes of a printed line, and its value there. */
interface Printed {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly unit: string;
  readonly value: unknown;
}

function readEmf(line: string): Printed[] {
  const { _aws, ...members } = JSON.parse(line);
  return _aws.CloudWatchMetrics.flatMap(
    (directive: { Namespace: string; Dimensions: string[][]; Metrics: { Name: string; Unit: string }[] }) =>
      directive.Dimensions.flatMap((names) =>
        directive.Metrics.map(({ Name, Unit }) => ({
          namespace: directive.Namespace,
          name: Name,
          dimensions: Object.fromEntries(names.map((name) => [name, members[name]])),
          unit: Unit,
          value: members[Name],
        })),
      ),
  );
}

interface Watched {
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions?: { readonly Name: string; readonly Value: string }[];
}

/** The metrics that an alarm looks at, whether it has one or an expression. */
function watchedBy(name: string): Watched[] {
  const { Metrics, ...alarm } = alarms.get(name);
  const stats = Metrics?.flatMap(({ MetricStat }: { MetricStat?: { Metric: Watched } }) =>
    MetricStat === undefined ? [] : [MetricStat.Metric],
  );
  return stats ?? [alarm];
}

describe('the metrics that functions print', () => {
  afterEach(() => vi.unstubAllEnvs());

  /** What is printed where the deployment has set this function's environment. */
  async function print(...samples: Sample[][]): Promise<Printed[]> {
    const [environment] = Object.values(resources('AWS::Lambda::Function')).map(
      ({ Properties }) => Properties.Environment?.Variables,
    );
    vi.stubEnv('POWERTOOLS_SERVICE_NAME', environment.POWERTOOLS_SERVICE_NAME);
    vi.resetModules();
    const { publishEmf } = await import('../../../shared/runtime/emf-metrics.ts');
    const log = captureLog();
    try {
      for (const some of samples) publishEmf(some);
    } finally {
      log.stop();
    }
    return log
      .text()
      .trim()
      .split(/\n|(?<=\})(?=\{"_aws")/)
      .flatMap(readEmf);
  }

  const request = { route: 'POST /v1/leases', durationMs: 3 };
  const fewFree = { free: 1, leased: 15, cooling: 4, paused: 0, waiting: 0 };
  const samples = [
    measureRequest({ ...request, status: 201, pool: 'licences', outcome: 'acquired', count: 2 }),
    measureRequest({ ...request, status: 409, pool: 'licences', code: 'no_key_available' }),
    [{ name: 'token_orchestrator_lapses_total', labels: { pool: 'licences' }, value: 3 } as const],
    measureSweep('complete', 20, 42_000),
    measurePools(new Map([['licences', fewFree]])),
  ];

  it.each<[string, Record<string, number>]>([
    ['Refusals', { token_orchestrator_refusals_total: 1, token_orchestrator_acquires_total: 2 }],
    ['Lapses', { token_orchestrator_lapses_total: 3, token_orchestrator_acquires_total: 2 }],
    ['SweepBacklog', { token_orchestrator_sweep_backlog_seconds: 42 }],
    ['PoolNearlyEmpty', { token_orchestrator_least_free_ratio: 0.05 }],
  ])('are those that the alarm %s looks at', async (name, values) => {
    const printed = await print(...samples);
    const seen = watchedBy(name).map(({ Namespace, MetricName, Dimensions = [] }) => {
      const dimensions = Object.fromEntries(Dimensions.map(({ Name, Value }) => [Name, Value]));
      const found = printed.filter((metric) => {
        return (
          metric.namespace === Namespace &&
          metric.name === MetricName &&
          JSON.stringify(Object.entries(metric.dimensions).sort()) ===
            JSON.stringify(Object.entries(dimensions).sort())
        );
      });
      expect(found, MetricName).toHaveLength(1);
      return [MetricName, found[0]?.value];
    });
    expect(Object.fromEntries(seen)).toEqual(values);
  });

  it('are those that the CloudWatch dashboard searches for', async () => {
    const [dashboard] = Object.values(resources('AWS::CloudWatch::Dashboard'));
    const body = JSON.stringify(dashboard?.Properties.DashboardBody);
    const searches = [...body.matchAll(/SEARCH\('\{(.*?)\} (.*?)',/g)];
    expect(searches).toHaveLength(4);
    const printed = await print(...samples);
    for (const [, schema = '', terms = ''] of searches) {
      const [namespace, ...names] = schema.split(',');
      const wanted = Object.fromEntries(
        [...terms.matchAll(/(\w+)=\W*(\w+)/g)].map(([, name, text]) => [name, text]),
      );
      const found = printed.filter(
        (metric) =>
          metric.namespace === namespace &&
          Object.keys(metric.dimensions).sort().join() === names.sort().join() &&
          Object.entries(wanted).every(
            ([name, text]) =>
              (name === 'MetricName' ? metric.name : metric.dimensions[name as string]) === text,
          ),
      );
      expect(found, terms).toHaveLength(1);
    }
  });

  it('tell the least share of free keys, of pools that are not meant to be taken whole', () => {
    const least = (...pools: (typeof fewFree)[]) =>
      measurePools(new Map(pools.map((figures, number) => [`pool-${number}`, figures]))).find(
        ({ name }) => name === 'token_orchestrator_least_free_ratio',
      )?.value;
    const counts = (free: number, leased: number) => ({ free, leased, cooling: 0, paused: 90, waiting: 0 });
    expect(least()).toBe(1);
    expect(least(counts(0, 9), counts(0, 0))).toBe(1);
    expect(least(counts(0, 10))).toBe(0);
    expect(least(counts(8, 2), counts(3, 9), counts(0, 1))).toBe(0.25);
  });
});
