import { Duration } from 'aws-cdk-lib';
import {
  type Alarm,
  ComparisonOperator,
  type CreateAlarmOptions,
  type MathExpression,
  type Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { ServiceMetrics } from './metrics.ts';
import type { Parameters } from './parameters.ts';

type AlarmRow = Partial<CreateAlarmOptions> & {
  readonly metric: Metric | MathExpression;
  readonly threshold: number;
  readonly alarmDescription: string;
  /** A deployment that makes it ring is taken back. */
  readonly endsDeployment?: true;
};

/** Every alarm, by its name in the documents. What a row does not say is in `Alarms`. */
function rowsOf(metrics: ServiceMetrics, parameters: Parameters): Record<string, AlarmRow> {
  return {
    SweepErrors: {
      alarmDescription: 'A sweep failed. Leases and keys stay correct; lapsed keys are recorded late.',
      metric: metrics.sweepErrors,
      threshold: 1,
    },
    NoSweep: {
      alarmDescription:
        'No sweep has succeeded for five minutes: is the schedule on, and does the database answer?',
      metric: metrics.sweeps,
      threshold: 1,
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      treatMissingData: TreatMissingData.BREACHING,
    },
    SweepBacklog: {
      alarmDescription:
        'Lapses had waited for three minutes when a sweep found them, twice in a row: sweeps have more to do than they can.',
      metric: metrics.sweepBacklog,
      threshold: Duration.minutes(3).toSeconds(),
      evaluationPeriods: 2,
    },
    PoolNearlyEmpty: {
      alarmDescription:
        'For 15 minutes some pool of at least ten keys had fewer free ones than alarmFreePercent allows.',
      metric: metrics.leastFree,
      threshold: parameters.alarmFreePercent / 100,
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: 3,
    },
    // Shares and not a band of what is usual: a band takes weeks to learn, has no end where calls are few, and comes to
    // find any shortage usual. What a share should be depends on how callers wait, so both are parameters.
    Refusals: {
      alarmDescription:
        'For 15 minutes more acquires than alarmRefusedPercent allows found no key, and at least ten in each five.',
      metric: metrics.refusedRate,
      threshold: parameters.alarmRefusedPercent,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: 3,
    },
    Lapses: {
      alarmDescription:
        'At least five leases lapsed within 15 minutes, and more than alarmLapsedPercent allows of those that were given.',
      metric: metrics.lapseRate,
      threshold: parameters.alarmLapsedPercent,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
    },
    OutboxAge: {
      alarmDescription:
        'Events are not sent: the oldest has waited for 15 minutes. They are lost when their retention is over.',
      metric: metrics.outboxAge,
      threshold: Duration.minutes(15).toMilliseconds(),
    },
    SendErrors: {
      alarmDescription: 'The function that sends events fails, in three of four times five minutes.',
      metric: metrics.sendErrors,
      threshold: 1,
      evaluationPeriods: 4,
      datapointsToAlarm: 3,
    },
    ServerErrors: {
      alarmDescription:
        'At least three requests, and more than 1 % of them, ended in a 5xx within five minutes.',
      metric: metrics.failureRate,
      threshold: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      endsDeployment: true,
    },
    Latency: {
      alarmDescription: 'The slowest 1 % of requests took over 2 s in three of five minutes.',
      metric: metrics.latency,
      threshold: 2000,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: 5,
      datapointsToAlarm: 3,
      endsDeployment: true,
    },
    ThrottledRequests: {
      alarmDescription:
        'Requests were refused: by a limit of the stage (429), or because a function had no concurrency left.',
      metric: metrics.throttledRequests,
      threshold: 1,
      evaluationPeriods: 3,
      datapointsToAlarm: 2,
    },
    ThrottledFunctions: {
      alarmDescription: 'The authorizer or the sweep had no concurrency left.',
      metric: metrics.throttledFunctions,
      threshold: 1,
    },
    DeadLetters: {
      alarmDescription:
        'A scheduled run that was not delivered or failed has been in the queue for an hour: read it, then purge the queue.',
      metric: metrics.oldestDeadLetter,
      threshold: Duration.hours(1).toSeconds(),
    },
    DatabaseUnavailable: {
      alarmDescription: 'The database did not answer functions in two of three minutes.',
      metric: metrics.databaseUnavailable,
      threshold: 1,
      evaluationPeriods: 3,
      datapointsToAlarm: 2,
      endsDeployment: true,
    },
  };
}

/** Quiet while nothing happens; each tells the topic of its beginning and its end. */
export class Alarms extends Construct {
  /** Those that take a deployment back while it is a canary. */
  readonly endingDeployments: readonly Alarm[];

  constructor(
    scope: Construct,
    id: string,
    { metrics, parameters }: { metrics: ServiceMetrics; parameters: Parameters },
  ) {
    super(scope, id);
    const { alarmTopicArn } = parameters;
    const topic = alarmTopicArn === undefined ? undefined : Topic.fromTopicArn(this, 'Topic', alarmTopicArn);
    const ending: Alarm[] = [];
    for (const [name, row] of Object.entries(rowsOf(metrics, parameters))) {
      const alarm = this.#add(name, row, topic);
      if (row.endsDeployment === true) ending.push(alarm);
    }
    this.endingDeployments = ending;
  }

  #add(name: string, { metric, endsDeployment: _, ...row }: AlarmRow, topic: ITopic | undefined): Alarm {
    const alarm = metric.createAlarm(this, name, {
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      ...row,
      alarmDescription: `Token Orchestrator: ${row.alarmDescription}`,
    });
    if (topic !== undefined) {
      alarm.addAlarmAction(new SnsAction(topic));
      alarm.addOkAction(new SnsAction(topic));
    }
    return alarm;
  }
}
