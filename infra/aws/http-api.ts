import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  type CfnStage,
  type CorsHttpMethod,
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
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { routes, unmatchedRoute } from '../../functions/routes.ts';
import { CORS } from '../cors.ts';
import type { Parameters } from './parameters.ts';
import { ServiceFunction } from './service-function.ts';

/** Requests per second and at once, of the stage as a whole. */
const STAGE_LIMIT = { rateLimit: 1000, burstLimit: 500 };
/** Of each admin route, which people and scripts call, not a fleet of programs. */
const ADMIN_LIMIT = { rateLimit: 20, burstLimit: 40 };

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

export interface ApiProps {
  readonly bundleFolder: string;
  readonly parameters: Parameters;
}

/** The HTTP API: a route per row and method of `functions/routes.ts`, and a Lambda function per row. */
export class Api extends Construct {
  readonly api: HttpApi;
  readonly authorizer: ServiceFunction;
  readonly functions: readonly ServiceFunction[];
  readonly accessLog: LogGroup;

  constructor(scope: Construct, id: string, props: ApiProps) {
    super(scope, id);
    this.api = new HttpApi(this, 'HttpApi', {
      description: 'Token Orchestrator: leases interchangeable keys to programs',
      createDefaultStage: false,
      ...corsOf(props.parameters),
    });
    this.authorizer = new ServiceFunction(this, 'authorize', {
      ...props,
      name: 'authorize',
      usesDatabase: true,
    });
    const authorizer = new HttpLambdaAuthorizer('Authorizer', this.authorizer.function, {
      responseTypes: [HttpLambdaResponseType.SIMPLE],
      identitySource: ['$request.header.Authorization'],
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
    const routeSettings: Record<string, { ThrottlingRateLimit: number; ThrottlingBurstLimit: number }> = {};
    this.functions = [...Object.values(routes), unmatchedRoute].map((route) => {
      const target = new ServiceFunction(this, route.function, {
        ...props,
        name: route.function,
        usesDatabase: route.function !== unmatchedRoute.function,
        vaultSecret: 'usesValues' in route ? (vaultSecret as ISecret) : undefined,
      });
      const integration = new HttpLambdaIntegration('Integration', target.function);
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
        if (route.access === 'admin') {
          routeSettings[routeKey.key] = {
            ThrottlingRateLimit: ADMIN_LIMIT.rateLimit,
            ThrottlingBurstLimit: ADMIN_LIMIT.burstLimit,
          };
        }
        if (route.access === 'anyone') {
          Validations.of(httpRoute).acknowledge({
            id: 'AwsSolutions-APIG4',
            reason: 'Health and the 404 of unknown paths need no credential and tell nothing',
          });
        }
      }
      return target;
    });

    this.accessLog = new LogGroup(this, 'AccessLog', {
      retention: props.parameters.logRetentionDays as RetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const stage = new HttpStage(this, 'Stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      throttle: STAGE_LIMIT,
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
  }
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
