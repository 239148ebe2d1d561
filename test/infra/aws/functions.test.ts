import { describe, expect, it } from 'vitest';
import { withRoleAuthentication } from '../../../infra/aws/database-role.ts';
import { FUNCTION_NAMES } from '../../../infra/bundle/bundle-functions.ts';
import {
  CLOSED,
  EVERY_OPTION,
  IAM_URI,
  type Resource,
  type Synthesized,
  synthesize,
} from './support/synthesize.ts';

const { mongodbSecretArn: SECRET_ARN, secretKeyArn } = EVERY_OPTION;

interface Statement {
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
}

/** Every statement of every policy of a role. */
function statementsOf({ resources }: Synthesized, roleId: string): Statement[] {
  const role = resources('AWS::IAM::Role')[roleId] as Resource;
  expect(role.Properties.ManagedPolicyArns ?? []).toEqual([]);
  const attached = Object.values(resources('AWS::IAM::Policy')).filter(({ Properties }) =>
    Properties.Roles.some((reference: { Ref: string }) => reference.Ref === roleId),
  );
  return [...(role.Properties.Policies ?? []), ...attached.map(({ Properties }) => Properties)].flatMap(
    ({ PolicyDocument }) => PolicyDocument.Statement as Statement[],
  );
}

function functionOf(synthesized: Synthesized, name: string): Resource {
  return synthesized.resources('AWS::Lambda::Function')[synthesized.functionIds.get(name) ?? ''] as Resource;
}

function roleOf(synthesized: Synthesized, name: string): string {
  return functionOf(synthesized, name).Properties.Role['Fn::GetAtt'][0];
}

/** The functions that seal or open imported values. */
const WITH_VALUES = ['create-keys', 'acquire-lease', 'get-lease'];

/** The ARN of the secret that values are sealed with: the stack's own, kept when the stack goes. */
function vaultKey({ resources }: Synthesized): unknown {
  const kept = Object.entries(resources('AWS::SecretsManager::Secret')).filter(([id]) =>
    id.includes('ValueKey'),
  );
  expect(kept).toMatchObject([[expect.any(String), { DeletionPolicy: 'Retain' }]]);
  return { Ref: kept[0]?.[0] };
}

function logOf(synthesized: Synthesized, name: string): unknown {
  return { 'Fn::GetAtt': [functionOf(synthesized, name).Properties.LoggingConfig.LogGroup.Ref, 'Arn'] };
}

/** The order of a statement's resources means nothing. */
function sorted(values: readonly unknown[]): string[] {
  return values.map((value) => JSON.stringify(value)).sort();
}

const KEPT_READY = { mongodbUri: IAM_URI, provisionedConcurrency: '5', tracing: 'on' };

const WITH_DATABASE = FUNCTION_NAMES.filter((name) => name !== 'answer-unmatched');

const byRole = synthesize();
const bySecret = synthesize({ mongodbSecretArn: SECRET_ARN });

describe('every Lambda function', () => {
  it('is one of functions/, or one with which CDK fills and empties the bucket of the site', () => {
    const names = [...byRole.functionIds.keys()].filter((name) => !name.startsWith('Custom'));
    expect(names.sort()).toEqual([...FUNCTION_NAMES].sort());
  });

  it.each(FUNCTION_NAMES)(
    '%s runs on Node 24 and ARM64, with a time limit below the gateway, and JSON logs that end',
    (name) => {
      const { Properties } = functionOf(byRole, name);
      expect(Properties).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        Handler: 'index.handler',
        Timeout: ['expire-leases', 'send-events'].includes(name) ? 60 : 10,
        LoggingConfig: { LogFormat: 'JSON' },
      });
      expect(Properties.TracingConfig).toBeUndefined();
      expect(Properties.ReservedConcurrentExecutions).toBeUndefined();
      const logGroup = byRole.template.toJSON().Resources[Properties.LoggingConfig.LogGroup.Ref];
      expect(logGroup).toMatchObject({ DeletionPolicy: 'Delete', Properties: { RetentionInDays: 30 } });
    },
  );

  it('has a log group of its own, and one role together with all that use the database', () => {
    const logGroups = FUNCTION_NAMES.map(
      (name) => functionOf(byRole, name).Properties.LoggingConfig.LogGroup.Ref,
    );
    expect(new Set(logGroups).size).toBe(FUNCTION_NAMES.length);
    const roles = WITH_DATABASE.map((name) => roleOf(byRole, name));
    expect(new Set(roles).size).toBe(1);
    expect(roles).not.toContain(roleOf(byRole, 'answer-unmatched'));
  });

  it('keeps the role under a name that no upgrade changes, and that is told', () => {
    const roleId = roleOf(byRole, 'acquire-lease');
    expect(byRole.resources('AWS::IAM::Role')[roleId]?.Properties.RoleName).toEqual({
      'Fn::Join': ['', ['TokenOrchestrator-', { Ref: 'AWS::Region' }, '-database']],
    });
    expect(byRole.template.toJSON().Outputs.DatabaseRole.Value).toEqual({ 'Fn::GetAtt': [roleId, 'Arn'] });
  });

  it('without a database may write its own log, and nothing else', () => {
    expect(statementsOf(byRole, roleOf(byRole, 'answer-unmatched'))).toEqual([
      {
        Effect: 'Allow',
        Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        Resource: logOf(byRole, 'answer-unmatched'),
      },
    ]);
  });

  it.each([
    ['its role', byRole, []],
    ['a secret', bySecret, [SECRET_ARN]],
  ])(
    'that proves itself with %s may write logs, report a failed run, send events and read what it is made to',
    (_name, synthesized, secrets) => {
      const [queue] = Object.keys(synthesized.resources('AWS::SQS::Queue'));
      const vaultFunctions = WITH_VALUES.map((name) => ({
        'Fn::GetAtt': [synthesized.functionIds.get(name), 'Arn'],
      }));
      const statements = statementsOf(synthesized, roleOf(synthesized, 'acquire-lease'));
      const logs = statements.find(({ Action }) => Action.includes('logs:PutLogEvents'));
      expect(logs?.Action).toEqual(['logs:CreateLogStream', 'logs:PutLogEvents']);
      expect(sorted([logs?.Resource].flat())).toEqual(
        sorted(WITH_DATABASE.map((name) => logOf(synthesized, name))),
      );
      const others = statements.filter((statement) => statement !== logs);
      expect(others).toHaveLength(secrets.length + 3);
      expect(others).toEqual(
        expect.arrayContaining([
          ...secrets.map((arn) => ({
            Effect: 'Allow',
            Action: 'secretsmanager:GetSecretValue',
            Resource: arn,
          })),
          { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: { 'Fn::GetAtt': [queue, 'Arn'] } },
          expect.objectContaining({ Action: 'events:PutEvents' }),
          {
            Effect: 'Allow',
            Action: 'secretsmanager:GetSecretValue',
            Resource: vaultKey(synthesized),
            Condition: { ArnEquals: { 'lambda:SourceFunctionArn': vaultFunctions } },
          },
        ]),
      );
    },
  );

  it('gets the database by its environment, with a small pool', () => {
    expect(functionOf(byRole, 'acquire-lease').Properties.Environment.Variables).toEqual({
      MONGODB_URI: `${IAM_URI}/?authMechanism=MONGODB-AWS&authSource=%24external`,
      MONGODB_MAX_POOL_SIZE: '2',
      POWERTOOLS_SERVICE_NAME: 'TokenOrchestrator',
      VALUE_ENCRYPTION_SECRET_ARN: vaultKey(byRole),
    });
    expect(functionOf(bySecret, 'acquire-lease').Properties.Environment.Variables).toEqual({
      MONGODB_SECRET_ARN: SECRET_ARN,
      MONGODB_MAX_POOL_SIZE: '2',
      POWERTOOLS_SERVICE_NAME: 'TokenOrchestrator',
      VALUE_ENCRYPTION_SECRET_ARN: vaultKey(bySecret),
    });
    expect(functionOf(byRole, 'keep-alive-lease').Properties.Environment.Variables).not.toHaveProperty(
      'VALUE_ENCRYPTION_SECRET_ARN',
    );
    expect(functionOf(byRole, 'answer-unmatched').Properties.Environment.Variables).toEqual({
      POWERTOOLS_SERVICE_NAME: 'TokenOrchestrator',
    });
  });
});

describe('every IAM policy of the template', () => {
  it.each([
    ['with the role as credential', byRole],
    ['with a secret', bySecret],
    ['with a secret under its own key', synthesize({ mongodbSecretArn: SECRET_ARN, secretKeyArn })],
  ])('%s names its actions one by one, and no resource is *', (_name, synthesized) => {
    const documents = [
      ...Object.values(synthesized.resources('AWS::IAM::Policy')).map(
        ({ Properties }) => Properties.PolicyDocument,
      ),
      ...Object.values(synthesized.resources('AWS::IAM::Role')).flatMap(({ Properties }) =>
        (Properties.Policies ?? []).map((policy: { PolicyDocument: unknown }) => policy.PolicyDocument),
      ),
    ];
    expect(documents.length).toBeGreaterThanOrEqual(5);
    for (const statement of documents.flatMap((document) => document.Statement as Statement[])) {
      for (const action of [statement.Action].flat()) expect(action).not.toContain('*');
      for (const resource of [statement.Resource].flat()) expect(resource).not.toBe('*');
    }
    for (const [id, role] of Object.entries(synthesized.resources('AWS::IAM::Role'))) {
      // CDK's own function, which empties the bucket, has CDK's own role.
      if (id.startsWith('CustomS3AutoDelete')) continue;
      expect(role.Properties.ManagedPolicyArns ?? []).toEqual([]);
    }
  });

  it('has a * in a resource for the objects of the site, whose names change, and nowhere else', () => {
    const withStar = Object.values(byRole.resources('AWS::IAM::Policy'))
      .flatMap(({ Properties }) => Properties.PolicyDocument.Statement as Statement[])
      .filter(({ Resource }) => JSON.stringify(Resource).includes('*'));
    const [bucket] = Object.keys(byRole.resources('AWS::S3::Bucket'));
    expect(withStar).toEqual([
      {
        Effect: 'Allow',
        Action: ['s3:AbortMultipartUpload', 's3:GetObject', 's3:PutObject'],
        Resource: { 'Fn::Join': ['', [{ 'Fn::GetAtt': [bucket, 'Arn'] }, '/*']] },
      },
    ]);
  });
});

const withOptions = synthesize(EVERY_OPTION);

describe('the options', () => {
  it('reserve concurrency and memory, keep logs longer, trace, and join a network', () => {
    const { Properties } = functionOf(withOptions, 'acquire-lease');
    expect(Properties).toMatchObject({
      ReservedConcurrentExecutions: 20,
      MemorySize: 1024,
      TracingConfig: { Mode: 'Active' },
      VpcConfig: { SubnetIds: ['subnet-0a1b2c3d', 'subnet-0b1c2d3e'], SecurityGroupIds: ['sg-0a1b2c3d'] },
    });
    withOptions.template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 365 });
    expect(functionOf(withOptions, 'answer-unmatched').Properties.VpcConfig).toBeUndefined();
  });
});

describe('tracing', () => {
  const variables = (synthesized: Synthesized, name = 'acquire-lease') =>
    functionOf(synthesized, name).Properties.Environment.Variables;

  it('sends spans to the collector of a layer, below the segments of X-Ray, from each function', () => {
    for (const name of FUNCTION_NAMES) {
      expect(functionOf(withOptions, name).Properties).toMatchObject({
        Layers: [EVERY_OPTION.tracingLayerArn],
        TracingConfig: { Mode: 'Active' },
        Environment: {
          Variables: {
            OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318',
            OTEL_SERVICE_NAME: 'Keys',
            OTEL_RESOURCE_ATTRIBUTES: `faas.name=${name}`,
            OTEL_PROPAGATORS: 'xray,tracecontext',
            OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
            OTEL_TRACES_SAMPLER_ARG: '0.25',
          },
        },
      });
    }
  });

  it('or to a collector elsewhere, past X-Ray, whose variable says that nothing is sampled where it is off', () => {
    const synthesized = synthesize(CLOSED);
    const { Layers, TracingConfig } = functionOf(synthesized, 'acquire-lease').Properties;
    expect({ Layers, TracingConfig }).toEqual({});
    expect(variables(synthesized)).toMatchObject({
      OTEL_EXPORTER_OTLP_ENDPOINT: CLOSED.otlpEndpoint,
      OTEL_PROPAGATORS: 'tracecontext',
      OTEL_TRACES_SAMPLER_ARG: '1',
    });
  });

  it('is X-Ray’s alone where it is on, and nobody’s otherwise', () => {
    const synthesized = synthesize(KEPT_READY);
    expect(functionOf(synthesized, 'acquire-lease').Properties.TracingConfig).toEqual({ Mode: 'Active' });
    for (const each of [synthesized, byRole])
      expect(Object.keys(variables(each)).join()).not.toContain('OTEL');
  });
});

describe('aliases', () => {
  it('are there only where a parameter asks for them', () => {
    expect(byRole.resources('AWS::Lambda::Alias')).toEqual({});
    expect(byRole.resources('AWS::CodeDeploy::DeploymentGroup')).toEqual({});
  });

  it('keep environments ready for what holders of leases wait for, and for nothing else', () => {
    const { resources } = synthesize(KEPT_READY);
    const aliases = Object.values(resources('AWS::Lambda::Alias'));
    expect(aliases).toHaveLength(4);
    for (const { Properties } of aliases) {
      expect(Properties.ProvisionedConcurrencyConfig).toEqual({ ProvisionedConcurrentExecutions: 5 });
    }
    expect(resources('AWS::CodeDeploy::DeploymentGroup')).toEqual({});
  });

  it('are what the gateway calls', () => {
    const aliased = new Set(
      Object.keys(withOptions.resources('AWS::Lambda::Alias')).map((id) => JSON.stringify({ Ref: id })),
    );
    for (const { Properties } of Object.values(withOptions.resources('AWS::ApiGatewayV2::Integration'))) {
      expect(aliased).toContain(JSON.stringify(Properties.IntegrationUri));
    }
    const [authorizer] = Object.values(withOptions.resources('AWS::ApiGatewayV2::Authorizer'));
    const [authorize] = [...aliased].filter((reference) => reference.includes('Apiauthorize'));
    expect(JSON.stringify(authorizer?.Properties.AuthorizerUri)).toContain(authorize);
  });

  it('give a tenth of the requests to a new version, and take it back when an alarm rings', () => {
    const alarms = Object.keys(withOptions.resources('AWS::CloudWatch::Alarm'));
    const groups = Object.entries(withOptions.resources('AWS::CodeDeploy::DeploymentGroup'));
    // All that the gateway calls: everything but what is scheduled.
    expect(groups).toHaveLength(FUNCTION_NAMES.length - 2);
    for (const [, { Properties }] of groups) {
      expect(Properties).toMatchObject({
        DeploymentConfigName: 'CodeDeployDefault.LambdaCanary10Percent10Minutes',
        AutoRollbackConfiguration: {
          Enabled: true,
          Events: ['DEPLOYMENT_FAILURE', 'DEPLOYMENT_STOP_ON_REQUEST', 'DEPLOYMENT_STOP_ON_ALARM'],
        },
      });
      const watched = Properties.AlarmConfiguration.Alarms.map(
        ({ Name }: { Name: { Ref: string } }) => Name.Ref,
      );
      expect(alarms).toEqual(expect.arrayContaining(watched));
      expect(watched.map((id: string) => id.replace(/^Alarms(.*?)[0-9A-F]{8}$/, '$1')).sort()).toEqual([
        'DatabaseUnavailable',
        'Latency',
        'ServerErrors',
      ]);
    }
    const updated = Object.values(withOptions.resources('AWS::Lambda::Alias')).map(
      ({ UpdatePolicy }) => UpdatePolicy?.CodeDeployLambdaAliasUpdate.DeploymentGroupName.Ref,
    );
    expect(updated.sort()).toEqual(groups.map(([id]) => id).sort());
  });
});

describe('a connection string for the role', () => {
  it.each([
    [
      'mongodb+srv://a.example.net',
      'mongodb+srv://a.example.net/?authMechanism=MONGODB-AWS&authSource=%24external',
    ],
    [
      'mongodb+srv://a.example.net/keys',
      'mongodb+srv://a.example.net/keys?authMechanism=MONGODB-AWS&authSource=%24external',
    ],
    [
      'mongodb://a:1,b:2/keys?replicaSet=rs',
      'mongodb://a:1,b:2/keys?replicaSet=rs&authMechanism=MONGODB-AWS&authSource=%24external',
    ],
    ['mongodb://a/?authMechanism=MONGODB-X509', 'mongodb://a/?authMechanism=MONGODB-X509'],
  ])('%s becomes %s', (given, expected) => {
    expect(withRoleAuthentication(given)).toBe(expected);
  });
});
