import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { FUNCTION_NAMES } from '../../../infra/bundle/bundle-functions.ts';
import { DatabaseUnavailableError } from '../../../shared/domain/errors.ts';
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
  it('watch the sweep, the outbox, failures, latency, throttling, dead letters and the database', () => {
    expect([...alarms.keys()].sort()).toEqual([
      'DatabaseUnavailable',
      'DeadLetters',
      'Latency',
      'NoSweep',
      'OutboxAge',
      'SendErrors',
      'ServerErrors',
      'SweepErrors',
      'ThrottledFunctions',
      'ThrottledRequests',
    ]);
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

  it('count failures from the third on, of however few requests', () => {
    const { Metrics, Threshold } = alarms.get('ServerErrors');
    const [{ Expression }] = Metrics.filter((metric: { Expression?: string }) => metric.Expression);
    const ring = (requests: number, failures: number): boolean =>
      runInNewContext(Expression, {
        requests,
        failures,
        IF: (is: boolean, yes: number, no: number) => (is ? yes : no),
      }) > Threshold;
    expect(ring(15, 15)).toBe(true);
    expect(ring(3, 3)).toBe(true);
    expect(ring(2, 2)).toBe(false);
    expect(ring(300, 3)).toBe(false);
    expect(ring(299, 3)).toBe(true);
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
