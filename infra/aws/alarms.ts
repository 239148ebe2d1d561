import { Duration, Stack } from 'aws-cdk-lib';
import {
  ComparisonOperator,
  Dashboard,
  GraphWidget,
  type IMetric,
  MathExpression,
  Metric,
  TextWidget,
  TreatMissingData,
  Unit,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { FilterPattern, MetricFilter } from 'aws-cdk-lib/aws-logs';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { Api } from './http-api.ts';
import type { Parameters } from './parameters.ts';
import type { SweepSchedule } from './schedule.ts';
import { METRIC_NAMESPACE } from './service-function.ts';

const MINUTE = Duration.minutes(1);
const FIVE_MINUTES = Duration.minutes(5);

interface AlarmProps {
  readonly description: string;
  readonly metric: Metric | MathExpression;
  readonly threshold: number;
  readonly comparison?: ComparisonOperator;
  readonly evaluationPeriods?: number;
  readonly datapointsToAlarm?: number;
  readonly missing?: TreatMissingData;
}

/** The alarms, and one CloudWatch dashboard to look at when one rings. */
export class Alarms extends Construct {
  readonly #topic: string | undefined;

  constructor(
    scope: Construct,
    id: string,
    props: { api: Api; schedule: SweepSchedule; parameters: Parameters },
  ) {
    super(scope, id);
    const { api, schedule } = props;
    this.#topic = props.parameters.alarmTopicArn;

    const sweepErrors = schedule.sweep.metric('Errors', FIVE_MINUTES);
    const sweeps = new MathExpression({
      expression: 'invocations - FILL(errors, 0)',
      usingMetrics: { invocations: schedule.sweep.metric('Invocations', FIVE_MINUTES), errors: sweepErrors },
      period: FIVE_MINUTES,
      label: 'Sweeps that succeeded',
    });
    const requests = api.api.metricCount({ period: MINUTE });
    const failures = api.api.metricServerError({ period: MINUTE, statistic: 'Sum' });
    const failureRate = new MathExpression({
      // Below 20 requests a rate means little: one failure of three.
      expression: 'IF(requests >= 20, 100 * failures / requests, 0)',
      usingMetrics: {
        requests: requests.with({ period: FIVE_MINUTES }),
        failures: failures.with({ period: FIVE_MINUTES }),
      },
      period: FIVE_MINUTES,
      label: '5xx, % of requests',
    });
    const latency = api.api.metricLatency({ period: MINUTE, statistic: 'p99' });
    const throttledRequests = this.#countThrottledRequests(api);
    const throttledFunctions = new MathExpression({
      expression: 'FILL(authorizer, 0) + FILL(sweep, 0)',
      usingMetrics: {
        authorizer: api.authorizer.metric('Throttles'),
        sweep: schedule.sweep.metric('Throttles'),
      },
      period: MINUTE,
      label: 'Throttled authorizers and sweeps',
    });
    const deadLetters = schedule.deadLetters.metricApproximateNumberOfMessagesVisible({ period: MINUTE });
    const unavailable = new Metric({
      namespace: METRIC_NAMESPACE,
      metricName: `${Stack.of(this).stackName}-database-unavailable`,
      statistic: 'Sum',
      period: MINUTE,
      unit: Unit.COUNT,
      label: 'Database unavailable',
    });

    this.#add('SweepErrors', {
      description: 'A sweep failed. Leases and keys stay correct; lapsed keys are recorded late.',
      metric: sweepErrors,
      threshold: 1,
    });
    this.#add('NoSweep', {
      description:
        'No sweep has succeeded for five minutes: is the schedule on, and does the database answer?',
      metric: sweeps,
      threshold: 1,
      comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
      missing: TreatMissingData.BREACHING,
    });
    this.#add('ServerErrors', {
      description: 'More than 1 % of the requests of five minutes ended in a 5xx.',
      metric: failureRate,
      threshold: 1,
      comparison: ComparisonOperator.GREATER_THAN_THRESHOLD,
    });
    this.#add('Latency', {
      description: 'The slowest 1 % of requests took over 2 s in three of five minutes.',
      metric: latency,
      threshold: 2000,
      comparison: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: 5,
      datapointsToAlarm: 3,
    });
    this.#add('ThrottledRequests', {
      description:
        'Requests were refused: by a limit of the stage (429), or because a function had no concurrency left.',
      metric: throttledRequests,
      threshold: 1,
      evaluationPeriods: 3,
      datapointsToAlarm: 2,
    });
    this.#add('ThrottledFunctions', {
      description: 'The authorizer or the sweep had no concurrency left.',
      metric: throttledFunctions,
      threshold: 1,
    });
    this.#add('DeadLetters', {
      description: 'A sweep could not be delivered or failed; the queue has the event and the error.',
      metric: deadLetters,
      threshold: 1,
    });
    this.#add('DatabaseUnavailable', {
      description: 'Functions returned 503 because the database did not answer, in two of three minutes.',
      metric: unavailable,
      threshold: 1,
      evaluationPeriods: 3,
      datapointsToAlarm: 2,
    });

    const dashboard = new Dashboard(this, 'Dashboard', { defaultInterval: Duration.hours(3) });
    dashboard.addWidgets(
      new TextWidget({ markdown: `# Token Orchestrator, ${Stack.of(this).stackName}`, width: 24, height: 1 }),
    );
    const graph = (title: string, ...left: IMetric[]): GraphWidget =>
      new GraphWidget({ title, left, width: 8 });
    const hot = api.functions.filter(({ functionName }) =>
      ['acquire-lease', 'keep-alive-lease', 'release-lease'].includes(functionName),
    );
    dashboard.addWidgets(
      graph(
        'Requests and failures',
        requests,
        failures,
        api.api.metricClientError({ period: MINUTE, statistic: 'Sum' }),
      ),
      graph('Latency, ms', latency, api.api.metricLatency({ period: MINUTE, statistic: 'p50' })),
      graph('5xx, % of requests', failureRate),
    );
    dashboard.addWidgets(
      graph(
        'Lease functions: concurrency',
        ...hot.map((target) =>
          target.function.metric('ConcurrentExecutions', { statistic: 'Maximum', period: MINUTE }),
        ),
      ),
      graph(
        'Lease functions: duration p99, ms',
        ...hot.map((target) => target.function.metricDuration({ statistic: 'p99', period: MINUTE })),
      ),
      graph('Throttled', throttledRequests, throttledFunctions),
    );
    dashboard.addWidgets(
      graph('Sweeps in five minutes', sweeps, sweepErrors),
      graph('Dead letters', deadLetters),
      graph('Database unavailable', unavailable),
    );
  }

  /** Requests that the gateway refused, or Lambda did (the caller then gets 503): the access log has both. */
  #countThrottledRequests(api: Api): Metric {
    const filter = new MetricFilter(this, 'Throttled', {
      logGroup: api.accessLog,
      metricNamespace: METRIC_NAMESPACE,
      metricName: `${Stack.of(this).stackName}-throttled`,
      filterPattern: FilterPattern.any(
        FilterPattern.stringValue('$.status', '=', '429'),
        FilterPattern.stringValue('$.integrationStatus', '=', '429'),
      ),
      metricValue: '1',
      unit: Unit.COUNT,
    });
    return filter.metric({ statistic: 'Sum', period: MINUTE, label: 'Throttled requests' });
  }

  #add(id: string, props: AlarmProps): void {
    const alarm = props.metric.createAlarm(this, id, {
      alarmDescription: `Token Orchestrator: ${props.description}`,
      threshold: props.threshold,
      comparisonOperator: props.comparison ?? ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: props.evaluationPeriods ?? 1,
      datapointsToAlarm: props.datapointsToAlarm ?? props.evaluationPeriods ?? 1,
      treatMissingData: props.missing ?? TreatMissingData.NOT_BREACHING,
    });
    if (this.#topic !== undefined) {
      const topic = Topic.fromTopicArn(this, `${id}Topic`, this.#topic);
      alarm.addAlarmAction(new SnsAction(topic));
      alarm.addOkAction(new SnsAction(topic));
    }
  }
}
