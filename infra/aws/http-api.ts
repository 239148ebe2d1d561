import { Aws, Duration, Fn, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  ApiMapping,
  type CfnStage,
  type CorsHttpMethod,
  DomainName,
  HttpApi,
  type HttpApiProps,
  type HttpMethod,
  HttpNoneAuthorizer,
  HttpRoute,
  HttpRouteKey,
  HttpStage,
  LogGroupLogDestination,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaAuthorizer, HttpLambdaResponseType } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { Policy, PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { routes, unmatchedRoute } from '../../functions/routes.ts';
import { CORS } from '../cors.ts';
import type { DatabaseRole } from './database-role.ts';
import type { Parameters } from './parameters.ts';
import { ServiceFunction } from './service-function.ts';
import { ServiceLogGroup } from './service-log-group.ts';

/** Requests per second and at once of each admin route, which people and scripts call, not a fleet of programs. */
const ADMIN_LIMIT = { ThrottlingRateLimit: 20, ThrottlingBurstLimit: 40 };
/** Of health and of unknown paths, which ask for no credential: with a slow database they must not use up the account's concurrency. */
const OPEN_LIMIT = { ThrottlingRateLimit: 50, ThrottlingBurstLimit: 50 };

/** API Gateway caches the authorizer's decision this long, so a revoked credential may work as long. */
const AUTHORIZER_CACHE = Duration.seconds(60);

/** One line of the access log. No header and no path is in it, so no credential, no key and no lease. */
const ACCESS_LOG_LINE = {
  requestId: '$context.requestId',
  time: '$context.requestTime',
  ip: '$context.identity.sourceIp',
  route: '$context.routeKey',
  method: '$context.httpMethod',
  status: '$context.status',
  latencyMs: '$context.responseLatency',
  integrationLatencyMs: '$context.integrationLatency',
  integrationStatus: '$context.integration.integrationStatus',
  authorizerError: '$context.authorizer.error',
  clientId: '$context.authorizer.clientId',
  userAgent: '$context.identity.userAgent',
};

/** What CloudFront adds to each request where the API lets nothing else in. */
export const EDGE_HEADER = 'token-orchestrator-edge';

export interface ApiProps {
  readonly databaseRole: DatabaseRole;
  readonly bundleFolder: string;
  readonly parameters: Parameters;
}

/** The HTTP API: a route per row and method of `functions/routes.ts`, and a Lambda function per row. */
export class Api extends Construct {
  readonly api: HttpApi;
  readonly authorizer: ServiceFunction;
  readonly functions: readonly ServiceFunction[];
  readonly accessLog: LogGroup;
  /** The value of `EDGE_HEADER`, as CloudFormation finds it; absent: the API is open to all who have a credential. */
  readonly edgeSecret: string | undefined;
  /** What the DNS record of the API's own name points to. */
  readonly domain: DomainName | undefined;

  constructor(scope: Construct, id: string, props: ApiProps) {
    super(scope, id);
    const { parameters, databaseRole } = props;
    this.edgeSecret = parameters.closeDirectApi === 'on' ? this.#makeEdgeSecret() : undefined;
    this.api = new HttpApi(this, 'HttpApi', {
      apiName: Stack.of(this).stackName,
      description: 'Token Orchestrator: leases interchangeable keys to programs',
      createDefaultStage: false,
      ...corsOf(parameters),
    });
    this.authorizer = new ServiceFunction(this, 'authorize', {
      ...props,
      name: 'authorize',
      isServing: true,
      environment: this.edgeSecret === undefined ? undefined : { EDGE_SECRET: this.edgeSecret },
    });
    const authorizer = new HttpLambdaAuthorizer('Authorizer', this.authorizer.target, {
      responseTypes: [HttpLambdaResponseType.SIMPLE],
      // The gateway itself refuses a request that lacks one of them.
      identitySource: [
        '$request.header.Authorization',
        ...(this.edgeSecret === undefined ? [] : [`$request.header.${EDGE_HEADER}`]),
      ],
      resultsCacheTtl: AUTHORIZER_CACHE,
    });

    const vaultSecret = new Secret(this, 'ValueKey', {
      description: 'Token Orchestrator: what imported values are sealed with; lost with it are the values',
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
      removalPolicy: RemovalPolicy.RETAIN,
    });
    Validations.of(vaultSecret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason: 'A new key goes in front of the old one by hand, since values that are sealed need the old one',
    });

    const httpRoutes: HttpRoute[] = [];
    // In CloudFormation's spelling: CDK does not translate this map.
    const routeSettings: Record<string, RouteLimit> = {};
    this.functions = [...Object.values(routes), unmatchedRoute].map((route) => {
      const target = new ServiceFunction(this, route.function, {
        ...props,
        name: route.function,
        databaseRole: route === unmatchedRoute ? undefined : databaseRole,
        isServing: true,
        vaultSecret: 'usesValues' in route ? (vaultSecret as ISecret) : undefined,
      });
      const integration = new HttpLambdaIntegration('Integration', target.target);
      const keys =
        route.methods.length === 0
          ? [HttpRouteKey.DEFAULT]
          : route.methods.map((method) => HttpRouteKey.with(route.path, method as HttpMethod));
      for (const routeKey of keys) {
        const httpRoute = new HttpRoute(target, routeKey.method ?? 'ANY', {
          httpApi: this.api,
          routeKey,
          integration,
          authorizer: route.access === 'anyone' ? new HttpNoneAuthorizer() : authorizer,
        });
        httpRoutes.push(httpRoute);
        if (route.access === 'admin') routeSettings[routeKey.key] = withinStage(ADMIN_LIMIT, parameters);
        if (route.access === 'anyone') {
          routeSettings[routeKey.key] = withinStage(OPEN_LIMIT, parameters);
          Validations.of(httpRoute).acknowledge({
            id: 'AwsSolutions-APIG4',
            reason: 'Health and the 404 of unknown paths need no credential and tell nothing',
          });
        }
      }
      return target;
    });

    this.#letOpenValues(vaultSecret, databaseRole);
    this.accessLog = new ServiceLogGroup(this, 'AccessLog', parameters, {
      // The prefix keeps the account's policy for log delivery from growing beyond its limit. The stack's own id at the
      // end, since the log of a stack in `prod` outlives it.
      logGroupName: `/aws/vendedlogs/${Stack.of(this).stackName}-access-${Fn.select(2, Fn.split('/', Aws.STACK_ID))}`,
    });
    const stage = new HttpStage(this, 'Stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: parameters.rateLimit, burstLimit: parameters.burstLimit },
      // Per route they are custom metrics: six for each route, 0.30 dollars each a month.
      detailedMetricsEnabled: false,
      accessLogSettings: {
        destination: new LogGroupLogDestination(this.accessLog),
        format: AccessLogFormat.custom(JSON.stringify(ACCESS_LOG_LINE)),
      },
    });
    (stage.node.defaultChild as CfnStage).routeSettings = routeSettings;
    // CloudFormation sees no reference from the settings to the routes, and fails where a route is not there yet.
    stage.node.addDependency(...httpRoutes);
    this.domain = this.#addDomain(stage, parameters);
  }

  /** Of all functions with the role, those alone that seal or open values. After the functions, whose ARNs it names. */
  #letOpenValues(secret: Secret, role: Role): void {
    new Policy(this, 'OpenValues', {
      roles: [role],
      statements: [
        new PolicyStatement({
          actions: ['secretsmanager:GetSecretValue'],
          resources: [secret.secretArn],
          conditions: {
            ArnEquals: {
              'lambda:SourceFunctionArn': this.functions
                .filter(({ usesValues }) => usesValues)
                .map((target) => target.function.functionArn),
            },
          },
        }),
      ],
    });
  }

  /** Not through the functions' secrets API: whoever may read their configuration may read CloudFront's, which has it too. */
  #makeEdgeSecret(): string {
    const secret = new Secret(this, 'EdgeSecret', {
      description: 'Token Orchestrator: what CloudFront shows the API, which lets nothing else in',
      generateSecretString: { passwordLength: 48, excludePunctuation: true },
    });
    Validations.of(secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason: 'CloudFront and the authorizer would have to change at one moment',
    });
    return secret.secretValue.unsafeUnwrap();
  }

  #addDomain(stage: HttpStage, { apiDomainName, apiCertificateArn }: Parameters): DomainName | undefined {
    if (apiDomainName === undefined || apiCertificateArn === undefined) return undefined;
    const domainName = new DomainName(this, 'Domain', {
      domainName: apiDomainName,
      certificate: Certificate.fromCertificateArn(this, 'Certificate', apiCertificateArn),
    });
    new ApiMapping(this, 'Mapping', { api: this.api, domainName, stage });
    return domainName;
  }
}

interface RouteLimit {
  readonly ThrottlingRateLimit: number;
  readonly ThrottlingBurstLimit: number;
}

/** A route's limit cannot be above that of the stage. */
function withinStage(limit: RouteLimit, { rateLimit, burstLimit }: Parameters): RouteLimit {
  return {
    ThrottlingRateLimit: Math.min(limit.ThrottlingRateLimit, rateLimit),
    ThrottlingBurstLimit: Math.min(limit.ThrottlingBurstLimit, burstLimit),
  };
}

function corsOf({ corsOrigins }: Parameters): Pick<HttpApiProps, 'corsPreflight'> {
  if (corsOrigins === undefined) return {};
  return {
    corsPreflight: {
      allowOrigins: corsOrigins,
      allowMethods: CORS.allowMethods as CorsHttpMethod[],
      allowHeaders: [...CORS.allowHeaders],
      exposeHeaders: [...CORS.exposeHeaders],
      maxAge: Duration.seconds(CORS.maxAgeSeconds),
    },
  };
}
