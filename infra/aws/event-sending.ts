import { Duration, Stack } from 'aws-cdk-lib';
import { type Metric, Unit } from 'aws-cdk-lib/aws-cloudwatch';
import { EventBus } from 'aws-cdk-lib/aws-events';
import { Policy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { FilterPattern, MetricFilter } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { DatabaseRole } from './database-role.ts';
import type { Parameters } from './parameters.ts';
import { type DeadLetters, Schedule } from './schedule.ts';
import { METRIC_NAMESPACE, type ServiceFunction } from './service-function.ts';

/**
 * The events, out to rules of the account: a bus of the stack's own name, and the function that sends to it every minute,
 * which waits for no sweep. Always there: without a rule it costs next to nothing, and a rule needs no deployment.
 */
export class EventSending extends Construct {
  readonly bus: EventBus;
  readonly sender: ServiceFunction;
  /** How long ago the oldest event happened that was not sent; no data: all were. */
  readonly outboxAge: Metric;

  constructor(
    scope: Construct,
    id: string,
    props: {
      bundleFolder: string;
      parameters: Parameters;
      databaseRole: DatabaseRole;
      deadLetters: DeadLetters;
    },
  ) {
    super(scope, id);
    const { stackName } = Stack.of(this);
    this.bus = new EventBus(this, 'Bus', {
      eventBusName: stackName,
      description: 'Token Orchestrator: what happens to leases, keys, pools and clients',
    });
    const schedule = new Schedule(this, 'Schedule', {
      ...props,
      name: 'send-events',
      purpose: 'sends events to the event bus',
      environment: { EVENT_BUS_ARN: this.bus.eventBusArn },
    });
    this.sender = schedule.scheduled;
    // Of all functions with the role, this one alone.
    new Policy(this, 'PutEvents', {
      roles: [props.databaseRole],
      statements: [
        new PolicyStatement({
          actions: ['events:PutEvents'],
          resources: [this.bus.eventBusArn],
          conditions: { ArnEquals: { 'lambda:SourceFunctionArn': this.sender.function.functionArn } },
        }),
      ],
    });
    const filter = new MetricFilter(this, 'OutboxAge', {
      logGroup: this.sender.logGroup,
      metricNamespace: METRIC_NAMESPACE,
      metricName: `${stackName}-outbox-age`,
      filterPattern: FilterPattern.stringValue('$.message', '=', 'events sent'),
      metricValue: '$.oldestUnsentAgeMs',
      unit: Unit.MILLISECONDS,
    });
    this.outboxAge = filter.metric({
      statistic: 'Maximum',
      period: Duration.minutes(5),
      label: 'Oldest event that was not sent, ms',
    });
  }
}
