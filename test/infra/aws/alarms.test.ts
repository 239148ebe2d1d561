import { describe, expect, it } from 'vitest';
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
  it('watch the sweep, failures, latency, throttling, dead letters and the database', () => {
    expect([...alarms.keys()].sort()).toEqual([
      'DatabaseUnavailable',
      'DeadLetters',
      'Latency',
      'NoSweep',
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

  it('read the database being unavailable from the log line of every function that uses it', () => {
    const watched = Object.values(resources('AWS::Logs::MetricFilter'))
      .filter(({ Properties }) => Properties.FilterPattern === '{ $.message = "database unavailable" }')
      .map(({ Properties }) => Properties.LogGroupName.Ref);
    const logGroups = [...functionIds]
      .filter(([name]) => name !== 'answer-unmatched' && !name.startsWith('CustomCDK'))
      .map(([, id]) => resources('AWS::Lambda::Function')[id]?.Properties.LoggingConfig.LogGroup.Ref);
    expect(watched.sort()).toEqual(logGroups.sort());
    expect(alarms.get('DatabaseUnavailable').Metrics).toMatchObject([
      {
        MetricStat: {
          Metric: { Namespace: 'TokenOrchestrator', MetricName: 'Test-database-unavailable' },
          Stat: 'Sum',
        },
      },
    ]);
  });
});
