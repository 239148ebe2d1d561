import { join } from 'node:path';
import { Duration, Stack, Validations } from 'aws-cdk-lib';
import { type Metric, Unit } from 'aws-cdk-lib/aws-cloudwatch';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Alias,
  ApplicationLogLevel,
  Architecture,
  type CfnFunction,
  Code,
  type IFunction,
  type IVersion,
  Function as LambdaFunction,
  LayerVersion,
  LoggingFormat,
  Runtime,
  SystemLogLevel,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import { FilterPattern, type LogGroup, MetricFilter } from 'aws-cdk-lib/aws-logs';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { type DatabaseRole, databaseEnvironment } from './database-role.ts';
import type { Parameters } from './parameters.ts';
import { ServiceLogGroup } from './service-log-group.ts';

/** The namespace of the metrics that are derived from logs, and of those that the functions print (`emf-metrics.ts`). */
export const METRIC_NAMESPACE = 'TokenOrchestrator';

export interface ServiceFunctionProps {
  /** The file in `functions/`, without its extension. */
  readonly name: string;
  /** Where the bundles are, see `infra/bundle`. */
  readonly bundleFolder: string;
  readonly parameters: Parameters;
  /** For a function that uses the database; one that does not has a role of its own, which reaches nothing. */
  readonly databaseRole?: DatabaseRole | undefined;
  /** What imported values are sealed with, for the functions that seal or open them. */
  readonly vaultSecret?: ISecret | undefined;
  /** Beyond what every function has. */
  readonly environment?: Record<string, string> | undefined;
  /** Called by the gateway: it gets new versions as the parameters say. */
  readonly isServing?: boolean;
  /** Below the gateway's limit of 30 s; 10 s by default. */
  readonly timeout?: Duration;
}

/** What the holders of leases wait for. */
export const HOT_FUNCTIONS: readonly string[] = [
  'acquire-lease',
  'keep-alive-lease',
  'release-lease',
  'authorize',
];

/**
 * One Lambda function with every default of this service: Node 24 on ARM64, a log group with an end, and a role that may
 * write there.
 */
export class ServiceFunction extends Construct {
  readonly function: LambdaFunction;
  /** What whoever calls it should call: the alias where there is one. */
  readonly target: IFunction;
  /** Where new versions take over bit by bit, or environments are kept ready. */
  readonly alias: Alias | undefined;
  readonly role: Role;
  readonly logGroup: LogGroup;
  readonly functionName: string;
  readonly usesValues: boolean;

  constructor(scope: Construct, id: string, props: ServiceFunctionProps) {
    super(scope, id);
    const { name, parameters, databaseRole } = props;
    const { tracingLayerArn } = parameters;
    // A collector beside the function passes spans on to X-Ray, below the one of the invocation.
    const usesXray = parameters.tracing === 'on' || tracingLayerArn !== undefined;
    this.functionName = name;
    this.usesValues = props.vaultSecret !== undefined;

    this.logGroup = new ServiceLogGroup(this, 'Log', parameters);
    this.role =
      databaseRole ??
      new Role(this, 'Role', {
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

    this.function = new LambdaFunction(this, 'Function', {
      description: `Token Orchestrator: ${name}`,
      code: Code.fromAsset(join(props.bundleFolder, name)),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: parameters.memoryMb,
      timeout: props.timeout ?? Duration.seconds(10),
      role: this.role,
      environment: {
        // A dimension of every metric that the functions print: the namespace is the account's.
        POWERTOOLS_SERVICE_NAME: Stack.of(this).stackName,
        ...(databaseRole && databaseEnvironment(parameters)),
        ...(props.vaultSecret && { VALUE_ENCRYPTION_SECRET_ARN: props.vaultSecret.secretArn }),
        ...tracingEnvironment(name, Stack.of(this).stackName, parameters),
        ...props.environment,
      },
      logGroup: this.logGroup,
      loggingFormat: LoggingFormat.JSON,
      applicationLogLevelV2: ApplicationLogLevel.INFO,
      // Without a start, an end and a report line for every invocation: metrics have the same at no cost.
      systemLogLevelV2: SystemLogLevel.WARN,
      tracing: usesXray ? Tracing.ACTIVE : Tracing.DISABLED,
      ...(tracingLayerArn !== undefined && {
        layers: [LayerVersion.fromLayerVersionArn(this, 'Collector', tracingLayerArn)],
      }),
      ...(parameters.reservedConcurrency !== undefined && {
        reservedConcurrentExecutions: parameters.reservedConcurrency,
      }),
    });
    this.alias = props.isServing === true ? this.#publish(parameters) : undefined;
    this.target = (this.alias ?? this.function) as IFunction;
    if (databaseRole !== undefined) {
      this.#joinNetwork(parameters);
      this.#countUnavailability();
    }
    if (usesXray) {
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

  #publish({ canaryMinutes, provisionedConcurrency }: Parameters): Alias | undefined {
    const kept = HOT_FUNCTIONS.includes(this.functionName) ? provisionedConcurrency : undefined;
    if (canaryMinutes === undefined && kept === undefined) return undefined;
    return new Alias(this, 'Live', {
      aliasName: 'live',
      version: this.function.currentVersion as IVersion,
      ...(kept !== undefined && { provisionedConcurrentExecutions: kept }),
    });
  }

  /** By ids: a `Vpc` would have to be looked up in the account. */
  #joinNetwork({ subnetIds, securityGroupIds }: Parameters): void {
    if (subnetIds === undefined || securityGroupIds === undefined) return;
    const resource = this.function.node.defaultChild as CfnFunction;
    resource.vpcConfig = { subnetIds, securityGroupIds };
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

/** OpenTelemetry's own variables, which say where spans go to, of which service and which of them. */
function tracingEnvironment(name: string, stackName: string, parameters: Parameters): Record<string, string> {
  const { tracing, tracingLayerArn, otlpEndpoint = 'http://127.0.0.1:4318', tracingPercent } = parameters;
  if (tracing !== 'otlp') return {};
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: otlpEndpoint,
    OTEL_SERVICE_NAME: stackName,
    OTEL_RESOURCE_ATTRIBUTES: `faas.name=${name}`,
    OTEL_PROPAGATORS: tracingLayerArn === undefined ? 'tracecontext' : 'xray,tracecontext',
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: String(tracingPercent / 100),
  };
}
