import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnEventInvokeConfig } from 'aws-cdk-lib/aws-lambda';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { DatabaseRole } from './database-role.ts';
import type { Parameters } from './parameters.ts';
import { ServiceFunction } from './service-function.ts';

/** A late invocation is dropped: the next one does its work. */
const MAXIMUM_AGE_SECONDS = 60;

/**
 * A function that runs every minute. The schedule invokes it asynchronously, so the schedule's dead-letter queue sees a
 * delivery that failed, and the function's on-failure destination, the same queue, a run that failed. Nothing is retried,
 * and two runs at once are correct.
 */
export class Schedule extends Construct {
  readonly scheduled: ServiceFunction;

  constructor(
    scope: Construct,
    id: string,
    props: {
      /** The file in `functions/`. */
      name: string;
      /** What it does every minute. */
      purpose: string;
      bundleFolder: string;
      parameters: Parameters;
      databaseRole: DatabaseRole;
      environment?: Record<string, string>;
      deadLetters: DeadLetters;
    },
  ) {
    super(scope, id);
    const { purpose, deadLetters, ...rest } = props;
    this.scheduled = new ServiceFunction(this, props.name, { ...rest, timeout: Duration.seconds(60) });
    const target = this.scheduled.function;
    const mayReportFailure = new PolicyStatement({
      actions: ['sqs:SendMessage'],
      resources: [deadLetters.queueArn],
    });

    this.scheduled.role.addToPolicy(mayReportFailure);
    const invocation = new CfnEventInvokeConfig(this, 'Invocation', {
      functionName: target.functionName,
      qualifier: '$LATEST',
      maximumRetryAttempts: 0,
      maximumEventAgeInSeconds: MAXIMUM_AGE_SECONDS,
      destinationConfig: { onFailure: { destination: deadLetters.queueArn } },
    });
    // Lambda checks that the role may reach the destination.
    invocation.node.addDependency(this.scheduled.role);

    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
      description: `Token Orchestrator: invokes ${props.name} every minute`,
    });
    role.addToPolicy(
      new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [target.functionArn] }),
    );
    role.addToPolicy(mayReportFailure.copy());
    const schedule = new CfnSchedule(this, 'EveryMinute', {
      description: `Token Orchestrator: ${purpose}`,
      scheduleExpression: 'rate(1 minute)',
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        arn: target.functionArn,
        roleArn: role.roleArn,
        retryPolicy: { maximumRetryAttempts: 0, maximumEventAgeInSeconds: MAXIMUM_AGE_SECONDS },
        deadLetterConfig: { arn: deadLetters.queueArn },
      },
    });
    schedule.node.addDependency(role);
  }
}

/** What no schedule could deliver, and what failed. */
export class DeadLetters extends Queue {
  constructor(scope: Construct, id: string) {
    super(scope, id, {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
      removalPolicy: RemovalPolicy.DESTROY,
    });
    Validations.of(this).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason: 'It is itself the dead-letter queue, of schedules and of on-failure destinations',
    });
  }
}
