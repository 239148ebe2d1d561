import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { routes, unmatchedRoute } from '../../../functions/routes.ts';
import type { Route } from '../../../shared/http/route.ts';
import { CLOSED, EVERY_OPTION, synthesize } from './support/synthesize.ts';

const { template, resources, functionIds } = synthesize();

const rows = [...Object.values<Route>(routes), unmatchedRoute].flatMap((route) =>
  (route.methods.length === 0 ? ['$default'] : route.methods.map((method) => `${method} ${route.path}`)).map(
    (routeKey) => ({ routeKey, route }),
  ),
);

describe('the HTTP API', () => {
  it('has one route per row and method of the table, and no other', () => {
    const keys = Object.values(resources('AWS::ApiGatewayV2::Route')).map(
      ({ Properties }) => Properties.RouteKey,
    );
    expect(keys.sort()).toEqual(rows.map(({ routeKey }) => routeKey).sort());
  });

  it.each(rows)(
    'hands $routeKey to its own function, behind the authorizer unless anyone may call',
    ({ routeKey, route }) => {
      const found = Object.values(resources('AWS::ApiGatewayV2::Route')).find(
        ({ Properties }) => Properties.RouteKey === routeKey,
      );
      const integrationId = found?.Properties.Target['Fn::Join'][1][1].Ref;
      const integration = resources('AWS::ApiGatewayV2::Integration')[integrationId];
      expect(integration?.Properties).toMatchObject({
        IntegrationUri: { 'Fn::GetAtt': [functionIds.get(route.function), 'Arn'] },
        PayloadFormatVersion: '2.0',
      });
      const [authorizerId] = Object.keys(resources('AWS::ApiGatewayV2::Authorizer'));
      expect(found?.Properties.AuthorizationType).toBe(route.access === 'anyone' ? 'NONE' : 'CUSTOM');
      expect(found?.Properties.AuthorizerId).toEqual(
        route.access === 'anyone' ? undefined : { Ref: authorizerId },
      );
    },
  );

  it('lets the gateway, and this API only, invoke each function', () => {
    for (const { Properties } of Object.values(resources('AWS::Lambda::Permission'))) {
      expect(Properties).toMatchObject({
        Action: 'lambda:InvokeFunction',
        Principal: 'apigateway.amazonaws.com',
      });
      expect(JSON.stringify(Properties.SourceArn)).toContain('{"Ref":"ApiHttpApi');
    }
  });

  it('asks the authorizer once a minute and credential, and expects a simple answer', () => {
    template.resourceCountIs('AWS::ApiGatewayV2::Authorizer', 1);
    template.hasResourceProperties('AWS::ApiGatewayV2::Authorizer', {
      AuthorizerType: 'REQUEST',
      AuthorizerPayloadFormatVersion: '2.0',
      EnableSimpleResponses: true,
      AuthorizerResultTtlInSeconds: 60,
      IdentitySource: ['$request.header.Authorization'],
      AuthorizerUri: Match.objectLike({}),
    });
    expect(
      JSON.stringify(Object.values(resources('AWS::ApiGatewayV2::Authorizer'))[0]?.Properties.AuthorizerUri),
    ).toContain(functionIds.get('authorize'));
  });

  it('throttles the stage, and the admin routes and those that anyone may call more tightly', () => {
    const [stage] = Object.values(resources('AWS::ApiGatewayV2::Stage'));
    const { DefaultRouteSettings, RouteSettings } = stage?.Properties ?? {};
    expect(DefaultRouteSettings).toMatchObject({ ThrottlingRateLimit: 1000, ThrottlingBurstLimit: 500 });
    const limited = rows.filter(({ route }) => route.access === 'admin' || route.access === 'anyone');
    expect(Object.keys(RouteSettings).sort()).toEqual(limited.map(({ routeKey }) => routeKey).sort());
    for (const settings of Object.values<{ ThrottlingRateLimit: number }>(RouteSettings)) {
      expect(settings.ThrottlingRateLimit).toBeLessThan(DefaultRouteSettings.ThrottlingRateLimit);
    }
  });

  it('takes the limits of the stage from the parameters, and no route has more than it', () => {
    const [stage] = Object.values(synthesize(EVERY_OPTION).resources('AWS::ApiGatewayV2::Stage'));
    const { DefaultRouteSettings, RouteSettings } = stage?.Properties ?? {};
    expect(DefaultRouteSettings).toMatchObject({ ThrottlingRateLimit: 30, ThrottlingBurstLimit: 45 });
    expect(RouteSettings['GET /v1/health']).toEqual({ ThrottlingRateLimit: 30, ThrottlingBurstLimit: 45 });
    expect(RouteSettings['POST /v1/keys']).toEqual({ ThrottlingRateLimit: 20, ThrottlingBurstLimit: 40 });
  });

  it('lets pages of other origins call only where origins are given', () => {
    const [api] = Object.values(resources('AWS::ApiGatewayV2::Api'));
    expect(api?.Properties).not.toHaveProperty('CorsConfiguration');
    synthesize(EVERY_OPTION).template.hasResourceProperties('AWS::ApiGatewayV2::Api', {
      CorsConfiguration: {
        AllowOrigins: ['https://app.example.com', 'http://localhost:5173'],
        AllowMethods: Match.arrayWith(['DELETE']),
        AllowHeaders: ['authorization', 'content-type', 'idempotency-key', 'if-match', 'traceparent'],
        ExposeHeaders: ['retry-after', 'x-request-id'],
        MaxAge: 3600,
      },
    });
  });

  it('has a name of its own, with TLS 1.2, where one is given', () => {
    expect(resources('AWS::ApiGatewayV2::DomainName')).toEqual({});
    const named = synthesize(EVERY_OPTION);
    named.template.hasResourceProperties('AWS::ApiGatewayV2::DomainName', {
      DomainName: 'api.keys.example.com',
      DomainNameConfigurations: [
        {
          CertificateArn: EVERY_OPTION.apiCertificateArn,
          EndpointType: 'REGIONAL',
        },
      ],
    });
    const [domain] = Object.keys(named.resources('AWS::ApiGatewayV2::DomainName'));
    const [mapping] = Object.values(named.resources('AWS::ApiGatewayV2::ApiMapping'));
    expect(mapping?.Properties.DomainName).toEqual({ Ref: domain });
    expect(named.template.toJSON().Outputs.ApiDomainTarget.Value).toEqual({
      'Fn::GetAtt': [domain, 'RegionalDomainName'],
    });
  });

  it('is open to CloudFront alone where it is closed to others: both know one secret, which is not in the template', () => {
    const closed = synthesize(CLOSED);
    const [id] = Object.keys(closed.resources('AWS::SecretsManager::Secret')).filter((id) =>
      id.includes('EdgeSecret'),
    );
    const secret = { 'Fn::Join': ['', ['{{resolve:secretsmanager:', { Ref: id }, ':SecretString:::}}']] };
    const authorizer = closed.resources('AWS::Lambda::Function')[closed.functionIds.get('authorize') ?? ''];
    expect(authorizer?.Properties.Environment.Variables.EDGE_SECRET).toEqual(secret);
    const [distribution] = Object.values(closed.resources('AWS::CloudFront::Distribution'));
    expect(distribution?.Properties.DistributionConfig.Origins).toContainEqual(
      expect.objectContaining({
        OriginCustomHeaders: [{ HeaderName: 'token-orchestrator-edge', HeaderValue: secret }],
      }),
    );
    closed.template.hasResourceProperties('AWS::ApiGatewayV2::Authorizer', {
      IdentitySource: ['$request.header.Authorization', '$request.header.token-orchestrator-edge'],
    });
    expect(JSON.stringify(synthesize().template.toJSON())).not.toMatch(/EDGE_SECRET|token-orchestrator-edge/);
  });

  it('makes the stage after the routes that its settings name', () => {
    const [stage] = Object.values(resources('AWS::ApiGatewayV2::Stage'));
    for (const [id, route] of Object.entries(resources('AWS::ApiGatewayV2::Route'))) {
      expect(stage?.DependsOn, route.Properties.RouteKey).toContain(id);
    }
  });

  it('logs each access as one JSON line without a header', () => {
    const [stage] = Object.values(resources('AWS::ApiGatewayV2::Stage'));
    const line = JSON.parse(stage?.Properties.AccessLogSettings.Format);
    expect(line).toMatchObject({ requestId: '$context.requestId', status: '$context.status' });
    for (const value of Object.values<string>(line)) expect(value).toMatch(/^\$context\.[\w.]+$/);
  });
});
