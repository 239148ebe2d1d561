import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnEventInvokeConfig } from 'aws-cdk-lib/aws-lambda';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { DatabaseRole } from './database-role.ts';
import type { Parameters } from './parameters.ts';
import { ServiceFunction } from './service-function.ts';

/** A late sweep is dropped: the next one does its work. */
const MAXIMUM_AGE_SECONDS = 60;

/**
 * The sweep, every minute. The schedule invokes it asynchronously, so the schedule's dead-letter queue sees a delivery
 * that failed, and the function's on-failure destination, the same queue, a sweep that failed. Nothing is retried, and
 * two sweeps at once are correct.
 */
export class SweepSchedule extends Construct {
  readonly sweep: ServiceFunction;
  readonly deadLetters: Queue;

  constructor(
    scope: Construct,
    id: string,
    props: { bundleFolder: string; parameters: Parameters; databaseRole: DatabaseRole },
  ) {
    super(scope, id);
    this.sweep = new ServiceFunction(this, 'expire-leases', {
      ...props,
      name: 'expire-leases',
      timeout: Duration.seconds(60),
    });
    this.deadLetters = new Queue(this, 'DeadLetters', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
      removalPolicy: RemovalPolicy.DESTROY,
    });
    Validations.of(this.deadLetters).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason: 'It is itself the dead-letter queue, of a schedule and of an on-failure destination',
    });
    const mayReportFailure = new PolicyStatement({
      actions: ['sqs:SendMessage'],
      resources: [this.deadLetters.queueArn],
    });

    this.sweep.role.addToPolicy(mayReportFailure);
    const invocation = new CfnEventInvokeConfig(this, 'Invocation', {
      functionName: this.sweep.function.functionName,
      qualifier: '$LATEST',
      maximumRetryAttempts: 0,
      maximumEventAgeInSeconds: MAXIMUM_AGE_SECONDS,
      destinationConfig: { onFailure: { destination: this.deadLetters.queueArn } },
    });
    // Lambda checks that the role may reach the destination.
    invocation.node.addDependency(this.sweep.role);

    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
      description: 'Token Orchestrator: invokes the sweep every minute',
    });
    role.addToPolicy(
      new PolicyStatement({
        actions: ['lambda:InvokeFunction'],
        resources: [this.sweep.function.functionArn],
      }),
    );
    role.addToPolicy(mayReportFailure.copy());
    const schedule = new CfnSchedule(this, 'EveryMinute', {
      description: 'Token Orchestrator: frees lapsed keys',
      scheduleExpression: 'rate(1 minute)',
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        arn: this.sweep.function.functionArn,
        roleArn: role.roleArn,
        retryPolicy: { maximumRetryAttempts: 0, maximumEventAgeInSeconds: MAXIMUM_AGE_SECONDS },
        deadLetterConfig: { arn: this.deadLetters.queueArn },
      },
    });
    schedule.node.addDependency(role);
  }
}
