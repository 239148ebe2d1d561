import { Duration, Stack } from 'aws-cdk-lib';
import { MathExpression, Metric, Unit } from 'aws-cdk-lib/aws-cloudwatch';
import { FilterPattern, MetricFilter } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { EventSending } from './event-sending.ts';
import type { Api } from './http-api.ts';
import type { DeadLetters } from './schedule.ts';
import { METRIC_NAMESPACE, type ServiceFunction } from './service-function.ts';

export const MINUTE: Duration = Duration.minutes(1);
const FIVE_MINUTES = Duration.minutes(5);
const FIFTEEN_MINUTES = Duration.minutes(15);

/** What alarms and the CloudWatch dashboard look at. */
export type ServiceMetrics = ReturnType<typeof defineMetrics>;

/** @param scope where the filter of the access log belongs */
export function defineMetrics(
  scope: Construct,
  {
    api,
    sweep,
    sending,
    deadLetters,
  }: { api: Api; sweep: ServiceFunction; sending: EventSending; deadLetters: DeadLetters },
) {
  const requests = api.api.metricCount({ period: MINUTE });
  const serverErrors = api.api.metricServerError({ period: MINUTE, statistic: 'Sum' });
  const sweepErrors = sweep.metric('Errors', FIVE_MINUTES);
  const { stackName: service } = Stack.of(scope);
  /** One of those that the functions print (`emf-metrics.ts`). */
  const printed = (name: string, statistic: string, label: string, labels: Record<string, string> = {}) =>
    new Metric({
      namespace: METRIC_NAMESPACE,
      metricName: name,
      dimensionsMap: { service, ...labels },
      statistic,
      period: FIVE_MINUTES,
      label,
    });
  const acquired = printed('token_orchestrator_acquires_total', 'Sum', 'Acquired', { outcome: 'acquired' });
  const refused = printed('token_orchestrator_refusals_total', 'Sum', 'Found no key', {
    code: 'no_key_available',
  });
  const lapses = printed('token_orchestrator_lapses_total', 'Sum', 'Lapses');
  return {
    requests,
    serverErrors,
    clientErrors: api.api.metricClientError({ period: MINUTE, statistic: 'Sum' }),
    failureRate: new MathExpression({
      // One failure is a deployment or a failover; of three, every holder hears (one makes 15 calls in five minutes).
      expression: 'IF(failures >= 3, 100 * failures / requests, 0)',
      usingMetrics: {
        requests: requests.with({ period: FIVE_MINUTES }),
        failures: serverErrors.with({ period: FIVE_MINUTES }),
      },
      period: FIVE_MINUTES,
      label: '5xx, % of requests',
    }),
    latency: api.api.metricLatency({ period: MINUTE, statistic: 'p99' }),
    medianLatency: api.api.metricLatency({ period: MINUTE, statistic: 'p50' }),
    throttledRequests: countThrottledRequests(scope, api),
    throttledFunctions: new MathExpression({
      expression: 'FILL(authorizer, 0) + FILL(sweep, 0)',
      usingMetrics: {
        authorizer: api.authorizer.metric('Throttles'),
        sweep: sweep.metric('Throttles'),
      },
      period: MINUTE,
      label: 'Throttled authorizers and sweeps',
    }),
    sendErrors: sending.sender.metric('Errors', FIVE_MINUTES),
    outboxAge: sending.outboxAge,
    sweepErrors,
    sweeps: new MathExpression({
      expression: 'invocations - FILL(errors, 0)',
      usingMetrics: { invocations: sweep.metric('Invocations', FIVE_MINUTES), errors: sweepErrors },
      period: FIVE_MINUTES,
      label: 'Sweeps that succeeded',
    }),
    sweepBacklog: printed('token_orchestrator_sweep_backlog_seconds', 'Maximum', 'Oldest lapse found, s'),
    // The best minute of five: a pool that is nearly empty for a moment does its work.
    leastFree: printed('token_orchestrator_least_free_ratio', 'Maximum', 'Least share of free keys'),
    acquired,
    refused,
    lapses,
    refusedRate: new MathExpression({
      expression: 'IF(refused >= 10, 100 * refused / (refused + FILL(acquired, 0)), 0)',
      usingMetrics: { refused, acquired },
      period: FIVE_MINUTES,
      label: 'Acquires that found no key, %',
    }),
    lapseRate: new MathExpression({
      // Leases may lapse long after they were given, also more than are given meanwhile: that is all of them.
      expression: 'IF(lapses >= 5, IF(lapses < FILL(acquired, 0), 100 * lapses / FILL(acquired, 1), 100), 0)',
      usingMetrics: {
        lapses: lapses.with({ period: FIFTEEN_MINUTES }),
        acquired: acquired.with({ period: FIFTEEN_MINUTES }),
      },
      period: FIFTEEN_MINUTES,
      label: 'Lapses, % of leases given',
    }),
    /** For graphs; no alarm may search. */
    perPool: {
      freeKeys: search(
        'pool,service,state',
        `token_orchestrator_keys" service="${service}" state="free`,
        'Maximum',
      ),
      waiting: search('pool,service', `token_orchestrator_waiting" service="${service}`, 'Maximum'),
      refusals: search('code,pool,service', `token_orchestrator_refusals_total" service="${service}`, 'Sum'),
      lapses: search('pool,service', `token_orchestrator_lapses_total" service="${service}`, 'Sum'),
    },
    oldestDeadLetter: deadLetters.metricApproximateAgeOfOldestMessage({ period: MINUTE }),
    databaseUnavailable: new Metric({
      namespace: METRIC_NAMESPACE,
      metricName: `${Stack.of(scope).stackName}-database-unavailable`,
      statistic: 'Sum',
      period: MINUTE,
      unit: Unit.COUNT,
      label: 'Database unavailable',
    }),
  };
}

/** Every series of a printed metric, also of pools that nobody knew at the deployment. */
function search(dimensions: string, terms: string, statistic: string): MathExpression {
  const schema = `{${METRIC_NAMESPACE},${dimensions}}`;
  return new MathExpression({
    expression: `SEARCH('${schema} MetricName="${terms}"', '${statistic}', 300)`,
    period: FIVE_MINUTES,
    label: '',
  });
}

/** Requests that the gateway refused, or Lambda did (the caller then gets 503): the access log has both. */
function countThrottledRequests(scope: Construct, api: Api): Metric {
  const filter = new MetricFilter(scope, 'Throttled', {
    logGroup: api.accessLog,
    metricNamespace: METRIC_NAMESPACE,
    metricName: `${Stack.of(scope).stackName}-throttled`,
    filterPattern: FilterPattern.any(
      FilterPattern.stringValue('$.status', '=', '429'),
      FilterPattern.stringValue('$.integrationStatus', '=', '429'),
    ),
    metricValue: '1',
    unit: Unit.COUNT,
  });
  return filter.metric({ statistic: 'Sum', period: MINUTE, label: 'Throttled requests' });
}
