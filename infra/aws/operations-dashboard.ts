import { Duration, Stack } from 'aws-cdk-lib';
import { Dashboard, GraphWidget, type IMetric, TextWidget } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { Api } from './http-api.ts';
import { MINUTE, type ServiceMetrics } from './metrics.ts';
import { HOT_FUNCTIONS } from './service-function.ts';

/** One CloudWatch dashboard to look at when an alarm rings. */
export function addOperationsDashboard(scope: Construct, api: Api, metrics: ServiceMetrics): void {
  const graph = (title: string, ...left: IMetric[]): GraphWidget =>
    new GraphWidget({ title, left, width: 8 });
  const hot = api.functions.filter(({ functionName }) => HOT_FUNCTIONS.includes(functionName));
  const rows = [
    [
      graph('Requests and failures', metrics.requests, metrics.serverErrors, metrics.clientErrors),
      graph('Latency, ms', metrics.latency, metrics.medianLatency),
      graph('5xx, % of requests', metrics.failureRate),
    ],
    [
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
      graph('Throttled', metrics.throttledRequests, metrics.throttledFunctions),
    ],
    [
      graph('Sweeps in five minutes', metrics.sweeps, metrics.sweepErrors),
      graph('Oldest dead letter, s', metrics.oldestDeadLetter),
      graph('Database unavailable', metrics.databaseUnavailable),
    ],
    [
      graph('Oldest event that was not sent, ms', metrics.outboxAge),
      graph('Oldest lapse that a sweep found, s', metrics.sweepBacklog),
      graph('Least share of free keys', metrics.leastFree),
    ],
    [
      graph('Acquired, found no key, lapsed', metrics.acquired, metrics.refused, metrics.lapses),
      graph('Acquires that found no key, %', metrics.refusedRate),
      graph('Lapses, % of leases given', metrics.lapseRate),
    ],
    [
      graph('Free keys by pool', metrics.perPool.freeKeys),
      graph('Refusals by code and pool', metrics.perPool.refusals),
      graph('Lapses by pool', metrics.perPool.lapses),
    ],
    [graph('Waiting by pool', metrics.perPool.waiting)],
  ];
  const dashboard = new Dashboard(scope, 'Dashboard', { defaultInterval: Duration.hours(3) });
  const title = `# Token Orchestrator, ${Stack.of(scope).stackName}`;
  dashboard.addWidgets(new TextWidget({ markdown: title, width: 24, height: 1 }));
  for (const row of rows) dashboard.addWidgets(...row);
}
