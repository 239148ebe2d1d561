import { CelEngine } from '@aws/cloudformation-validate';
import { afterAll, describe, expect, it } from 'vitest';
import { CLOSED, EVERY_OPTION, IAM_URI, type Resource, synthesize } from './support/synthesize.ts';

const LEFT_OUT = [
  // CDK states a dependency on a role as a whole, for the sake of its policies; the role itself is then there twice.
  'W3005',
  // The operator names ARNs, of whatever account.
  'W9013',
];

const STAGING = { mongodbUri: IAM_URI, stage: 'staging' };
const PROD = {
  mongodbUri: IAM_URI,
  stage: 'prod',
  monthlyBudgetUsd: '100',
  budgetEmail: 'on-call@example.com',
};

/** One for all templates: it takes seconds to read its rules. */
const engine = new CelEngine();
afterAll(() => engine.free());

describe.each([
  ['the default', undefined],
  ['every option', EVERY_OPTION],
  ['an API behind CloudFront alone', CLOSED],
  ['a stage', STAGING],
])('the template of %s', (_name, parameters) => {
  const { template, webAcl } = synthesize(parameters);
  const templates = [template, ...(webAcl === undefined ? [] : [webAcl])].map((made) =>
    JSON.stringify(made.toJSON()),
  );

  it('has no finding of AwsSolutions that is not acknowledged, and none of cloudformation-validate', {
    timeout: 120_000, // On a machine that does much else.
  }, () => {
    // Findings of cdk-nag are errors of the synthesis.
    for (const json of templates) {
      const file = { path: 'template.json', readBytes: () => Buffer.from(json) };
      const { diagnostics } = engine.validateStandard(file, {
        severityLevel: 'WARN',
        exclude: { ids: LEFT_OUT },
      });
      const findings = diagnostics.map(
        ({ severity, ruleId, message }) => `${severity} ${ruleId}: ${message}`,
      );
      expect(findings).toEqual([]);
    }
  });

  it('asks nothing of an account: no lookup, no fixed account or region', () => {
    for (const json of templates) expect(json).not.toMatch(/dummy-value|dummy1a/);
  });

  it('stays well below the 500 resources and the megabyte that CloudFormation takes', () => {
    expect(Object.keys(template.toJSON().Resources).length).toBeLessThan(400);
    for (const json of templates) expect(json.length).toBeLessThan(800_000);
  });
});

describe('two deployments in one account', () => {
  /** Types whose names belong to something else in the stack. */
  const INNER = [
    'AWS::ApiGatewayV2::Authorizer',
    'AWS::ApiGatewayV2::Stage',
    'AWS::IAM::Policy',
    'AWS::Lambda::Alias',
  ];
  /** Types that are the account's in all its regions. */
  const WITHOUT_REGION = /^AWS::(IAM|CloudFront|Budgets)::/;

  /** The names that the template gives its resources itself, each after its type. */
  function namesIn(parameters: Record<string, string>): string[] {
    const all = Object.values(synthesize(parameters).template.toJSON().Resources) as Resource[];
    return all
      .filter(({ Type }) => !INNER.includes(Type))
      .flatMap(({ Type, Properties }) => {
        const nested = Object.entries(Properties ?? {}).filter(([key]) => /Config$|^Budget$/.test(key));
        const own = new RegExp(`^(${Type.split('::')[2]}Name|Name|BudgetName)$`);
        return [Properties ?? {}, ...nested.map(([, inner]) => inner)].flatMap((properties) =>
          Object.entries(properties)
            .filter(([key]) => own.test(key))
            .map(([, name]) => `${Type} ${JSON.stringify(name)}`),
        );
      });
  }
  const staging = namesIn(STAGING);
  const prod = namesIn(PROD);

  it('have a stack, and every physical name, of their own', () => {
    expect(synthesize(STAGING).stack.stackName).toBe('TokenOrchestrator-staging');
    expect(synthesize(PROD).stack.stackName).toBe('TokenOrchestrator-prod');
    expect(staging.map((name) => name.split(' ')[0]).sort()).toEqual([
      'AWS::ApiGatewayV2::Api',
      'AWS::CloudFront::Function',
      'AWS::CloudFront::OriginAccessControl',
      'AWS::CloudFront::ResponseHeadersPolicy',
      'AWS::CloudFront::ResponseHeadersPolicy',
      'AWS::Events::EventBus',
      'AWS::IAM::Role',
      'AWS::Logs::LogGroup',
    ]);
    expect(staging.filter((name) => prod.includes(name))).toEqual([]);
  });

  it('have different names where the region is all that differs, of what has no region', () => {
    const everywhere = prod.filter((name) => WITHOUT_REGION.test(name));
    expect(everywhere).toHaveLength(6);
    for (const name of everywhere) expect(name).toContain('"AWS::Region"');
  });

  it('count into metrics of their own', () => {
    const metricsOf = (parameters: Record<string, string>): string[] =>
      Object.values(synthesize(parameters).resources('AWS::Logs::MetricFilter')).map(
        ({ Properties }) => Properties.MetricTransformations[0].MetricName,
      );
    expect(new Set(metricsOf(STAGING))).toEqual(
      new Set([
        'TokenOrchestrator-staging-database-unavailable',
        'TokenOrchestrator-staging-outbox-age',
        'TokenOrchestrator-staging-throttled',
      ]),
    );
  });
});

describe('the stage prod', () => {
  const logsOf = (parameters: Record<string, string>): (string | undefined)[] =>
    Object.values(synthesize(parameters).resources('AWS::Logs::LogGroup')).map(
      ({ DeletionPolicy }) => DeletionPolicy,
    );

  it('is protected from being deleted, and its logs outlive it', () => {
    expect(synthesize(PROD).stack.terminationProtection).toBe(true);
    expect(new Set(logsOf(PROD))).toEqual(new Set(['Retain']));
  });

  it('is the only one', () => {
    expect(synthesize(STAGING).stack.terminationProtection).not.toBe(true);
    expect(new Set(logsOf(STAGING))).toEqual(new Set(['Delete']));
  });
});

describe('what the platform asks of every resource', () => {
  it('is a boundary of every role', () => {
    for (const { Properties } of Object.values(synthesize(EVERY_OPTION).resources('AWS::IAM::Role'))) {
      expect(Properties.PermissionsBoundary).toBe(EVERY_OPTION.permissionsBoundaryArn);
    }
  });

  it('is a tag of everything that has tags', () => {
    const { template } = synthesize(EVERY_OPTION);
    for (const type of ['AWS::Lambda::Function', 'AWS::S3::Bucket', 'AWS::IAM::Role', 'AWS::SQS::Queue']) {
      for (const [id, { Properties }] of Object.entries(template.findResources(type))) {
        // CDK's own, which has the tags of the stack.
        if (id.startsWith('CustomS3AutoDelete')) continue;
        expect(Properties.Tags, type).toEqual(
          expect.arrayContaining([
            { Key: 'cost-centre', Value: '42' },
            { Key: 'team', Value: 'platform' },
          ]),
        );
      }
    }
  });
});

describe('the budget', () => {
  it('tells of a forecast and of a bill that are above it, where there is one', () => {
    expect(synthesize().resources('AWS::Budgets::Budget')).toEqual({});
    const [budget] = Object.values(synthesize(EVERY_OPTION).resources('AWS::Budgets::Budget'));
    expect(budget?.Properties.Budget).toMatchObject({
      BudgetType: 'COST',
      TimeUnit: 'MONTHLY',
      BudgetLimit: { Amount: 500, Unit: 'USD' },
    });
    const told = budget?.Properties.NotificationsWithSubscribers;
    expect(
      told.map(
        ({ Notification }: { Notification: { NotificationType: string } }) => Notification.NotificationType,
      ),
    ).toEqual(['FORECASTED', 'ACTUAL']);
    for (const { Subscribers } of told) {
      expect(Subscribers).toEqual([
        { SubscriptionType: 'EMAIL', Address: 'on-call@example.com' },
        { SubscriptionType: 'SNS', Address: EVERY_OPTION.alarmTopicArn },
      ]);
    }
  });
});
