import { join } from 'node:path';
import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { type Metric, Unit } from 'aws-cdk-lib/aws-cloudwatch';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  ApplicationLogLevel,
  Architecture,
  type CfnFunction,
  Code,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
  SystemLogLevel,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import { FilterPattern, LogGroup, MetricFilter, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { Parameters } from './parameters.ts';

/** The namespace of the metrics that are derived from logs. */
export const METRIC_NAMESPACE = 'TokenOrchestrator';

export interface ServiceFunctionProps {
  /** The file in `functions/`, without its extension. */
  readonly name: string;
  /** Where the bundles are, see `infra/bundle`. */
  readonly bundleFolder: string;
  readonly parameters: Parameters;
  /** False for a function that needs no database: it may then read no secret. */
  readonly usesDatabase: boolean;
  /** What imported values are sealed with, for the functions that seal or open them. */
  readonly vaultSecret?: ISecret | undefined;
  /** Below the gateway's limit of 30 s; 10 s by default. */
  readonly timeout?: Duration;
}

/**
 * One Lambda function with every default of this service: Node 24 on ARM64, a log group with an end, and a role of its
 * own that may write there, read the database's secret where there is one, and nothing else.
 */
export class ServiceFunction extends Construct {
  readonly function: LambdaFunction;
  readonly role: Role;
  readonly logGroup: LogGroup;
  readonly functionName: string;
  readonly usesDatabase: boolean;

  constructor(scope: Construct, id: string, props: ServiceFunctionProps) {
    super(scope, id);
    const { name, parameters, usesDatabase } = props;
    this.functionName = name;
    this.usesDatabase = usesDatabase;

    this.logGroup = new LogGroup(this, 'Log', {
      retention: parameters.logRetentionDays as RetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: `Token Orchestrator: ${name}`,
    });
    // Not the managed policy, which allows writing to every log group of the account.
    this.role.addToPolicy(
      new PolicyStatement({
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: [this.logGroup.logGroupArn],
      }),
    );
    if (usesDatabase) this.#allowSecret(parameters);
    if (props.vaultSecret !== undefined) {
      const resources = [props.vaultSecret.secretArn];
      this.role.addToPolicy(new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources }));
    }

    this.function = new LambdaFunction(this, 'Function', {
      description: `Token Orchestrator: ${name}`,
      code: Code.fromAsset(join(props.bundleFolder, name)),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: 512,
      timeout: props.timeout ?? Duration.seconds(10),
      role: this.role,
      environment: {
        ...(usesDatabase && databaseEnvironment(parameters)),
        ...(props.vaultSecret && { VALUE_ENCRYPTION_SECRET_ARN: props.vaultSecret.secretArn }),
      },
      logGroup: this.logGroup,
      loggingFormat: LoggingFormat.JSON,
      applicationLogLevelV2: ApplicationLogLevel.INFO,
      // Without a start, an end and a report line for every invocation: metrics have the same at no cost.
      systemLogLevelV2: SystemLogLevel.WARN,
      tracing: parameters.tracing === 'on' ? Tracing.ACTIVE : Tracing.DISABLED,
      ...(parameters.reservedConcurrency !== undefined && {
        reservedConcurrentExecutions: parameters.reservedConcurrency,
      }),
    });
    if (usesDatabase) {
      this.#joinNetwork(parameters);
      this.#countUnavailability();
    }
    if (parameters.tracing === 'on') {
      Validations.of(this.role).acknowledge({
        id: 'AwsSolutions-IAM5[Resource::*]',
        reason: 'xray:PutTraceSegments and xray:PutTelemetryRecords know no resource',
      });
    }
  }

  /** `Throttles`, `Errors` and the like of this function, summed up per minute. */
  metric(metricName: string, period: Duration = Duration.minutes(1)): Metric {
    return this.function.metric(metricName, { period, statistic: 'Sum' });
  }

  #allowSecret({ mongodbSecretArn, secretKeyArn }: Parameters): void {
    if (mongodbSecretArn === undefined) return;
    this.role.addToPolicy(
      new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [mongodbSecretArn] }),
    );
    if (secretKeyArn === undefined) return;
    this.role.addToPolicy(new PolicyStatement({ actions: ['kms:Decrypt'], resources: [secretKeyArn] }));
  }

  /** By ids: a `Vpc` would have to be looked up in the account. */
  #joinNetwork({ subnetIds, securityGroupIds }: Parameters): void {
    if (subnetIds === undefined || securityGroupIds === undefined) return;
    const resource = this.function.node.defaultChild as CfnFunction;
    resource.vpcConfig = { subnetIds, securityGroupIds };
    this.role.addToPolicy(
      new PolicyStatement({
        actions: [
          'ec2:AssignPrivateIpAddresses',
          'ec2:CreateNetworkInterface',
          'ec2:DeleteNetworkInterface',
          'ec2:DescribeNetworkInterfaces',
          'ec2:DescribeSubnets',
          'ec2:UnassignPrivateIpAddresses',
        ],
        resources: ['*'],
      }),
    );
    Validations.of(this.role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason:
        'Lambda refuses to put a function into a VPC unless its role has these on every resource; the code of the functions calls none of them',
    });
  }

  /** Counts the log line for a database that does not answer, for an alarm. */
  #countUnavailability(): void {
    new MetricFilter(this, 'DatabaseUnavailable', {
      logGroup: this.logGroup,
      metricNamespace: METRIC_NAMESPACE,
      metricName: `${Stack.of(this).stackName}-database-unavailable`,
      filterPattern: FilterPattern.stringValue('$.message', '=', 'database unavailable'),
      metricValue: '1',
      unit: Unit.COUNT,
    });
  }
}

/** Two connections per environment: one invocation runs in it at a time, and a late reply to the one before may hold one. */
function databaseEnvironment({ mongodbUri, mongodbSecretArn }: Parameters): Record<string, string> {
  const database =
    mongodbSecretArn === undefined
      ? { MONGODB_URI: withRoleAuthentication(mongodbUri ?? '') }
      : { MONGODB_SECRET_ARN: mongodbSecretArn };
  return { ...database, MONGODB_MAX_POOL_SIZE: '2' };
}

/** A connection string without a credential, made to authenticate with the function's role. */
export function withRoleAuthentication(uri: string): string {
  if (/[?&]authMechanism=/i.test(uri)) return uri;
  const [, base = uri, path = '', query = ''] = /^([a-z+]+:\/\/[^/?]+)(\/[^?]*)?(?:\?(.*))?$/.exec(uri) ?? [];
  const options = [query, 'authMechanism=MONGODB-AWS', 'authSource=%24external'].filter(
    (part) => part !== '',
  );
  return `${base}${path === '' ? '/' : path}?${options.join('&')}`;
}
