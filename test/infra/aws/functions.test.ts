import { describe, expect, it } from 'vitest';
import { withRoleAuthentication } from '../../../infra/aws/service-function.ts';
import { FUNCTION_NAMES } from '../../../infra/bundle/bundle-functions.ts';
import { EVERY_OPTION, IAM_URI, type Resource, type Synthesized, synthesize } from './support/synthesize.ts';

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
  const [[id, secret] = ['', undefined]] = Object.entries(resources('AWS::SecretsManager::Secret'));
  expect(secret).toMatchObject({ DeletionPolicy: 'Retain' });
  return { Ref: id };
}

function writesItsLog(synthesized: Synthesized, name: string): unknown {
  const logGroup = functionOf(synthesized, name).Properties.LoggingConfig.LogGroup.Ref;
  return {
    Effect: 'Allow',
    Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    Resource: { 'Fn::GetAtt': [logGroup, 'Arn'] },
  };
}

const byRole = synthesize();
const bySecret = synthesize({ mongodbSecretArn: SECRET_ARN });

describe('every Lambda function', () => {
  it('is one of functions/, or the uploader of the site', () => {
    const names = [...byRole.functionIds.keys()].filter(
      (name) => !name.startsWith('CustomCDKBucketDeployment'),
    );
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
        Timeout: name === 'expire-leases' ? 60 : 10,
        LoggingConfig: { LogFormat: 'JSON' },
      });
      expect(Properties.TracingConfig).toBeUndefined();
      expect(Properties.ReservedConcurrentExecutions).toBeUndefined();
      const logGroup = byRole.template.toJSON().Resources[Properties.LoggingConfig.LogGroup.Ref];
      expect(logGroup).toMatchObject({ DeletionPolicy: 'Delete', Properties: { RetentionInDays: 30 } });
    },
  );

  it('has a role and a log group of its own', () => {
    const roles = FUNCTION_NAMES.map((name) => roleOf(byRole, name));
    expect(new Set(roles).size).toBe(FUNCTION_NAMES.length);
    const logGroups = FUNCTION_NAMES.map(
      (name) => functionOf(byRole, name).Properties.LoggingConfig.LogGroup.Ref,
    );
    expect(new Set(logGroups).size).toBe(FUNCTION_NAMES.length);
  });

  it.each(FUNCTION_NAMES.filter((name) => name !== 'expire-leases'))(
    '%s may write its own log, read the key of values where it uses them, and nothing else',
    (name) => {
      const readsTheVaultKey = {
        Effect: 'Allow',
        Action: 'secretsmanager:GetSecretValue',
        Resource: vaultKey(byRole),
      };
      expect(statementsOf(byRole, roleOf(byRole, name))).toEqual([
        writesItsLog(byRole, name),
        ...(WITH_VALUES.includes(name) ? [readsTheVaultKey] : []),
      ]);
    },
  );

  it('expire-leases may write its own log, and report its failure to the queue', () => {
    const [queue] = Object.keys(byRole.resources('AWS::SQS::Queue'));
    expect(statementsOf(byRole, roleOf(byRole, 'expire-leases'))).toEqual([
      writesItsLog(byRole, 'expire-leases'),
      { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: { 'Fn::GetAtt': [queue, 'Arn'] } },
    ]);
  });

  it.each(FUNCTION_NAMES)(
    '%s may read the secret, that one alone, where the database has one, besides the key of values',
    (name) => {
      const secrets = statementsOf(bySecret, roleOf(bySecret, name)).filter(({ Action }) =>
        String(Action).includes('secret'),
      );
      const read = secrets.flatMap(({ Resource }) => [Resource].flat());
      expect(read).toEqual([
        ...(name === 'answer-unmatched' ? [] : [SECRET_ARN]),
        ...(WITH_VALUES.includes(name) ? [vaultKey(bySecret)] : []),
      ]);
    },
  );

  it('gets the database by its environment, with a small pool', () => {
    expect(functionOf(byRole, 'acquire-lease').Properties.Environment.Variables).toEqual({
      MONGODB_URI: `${IAM_URI}/?authMechanism=MONGODB-AWS&authSource=%24external`,
      MONGODB_MAX_POOL_SIZE: '2',
      VALUE_ENCRYPTION_SECRET_ARN: vaultKey(byRole),
    });
    expect(functionOf(bySecret, 'acquire-lease').Properties.Environment.Variables).toEqual({
      MONGODB_SECRET_ARN: SECRET_ARN,
      MONGODB_MAX_POOL_SIZE: '2',
      VALUE_ENCRYPTION_SECRET_ARN: vaultKey(bySecret),
    });
    expect(functionOf(byRole, 'keep-alive-lease').Properties.Environment.Variables).not.toHaveProperty(
      'VALUE_ENCRYPTION_SECRET_ARN',
    );
    expect(functionOf(byRole, 'answer-unmatched').Properties.Environment).toBeUndefined();
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
    expect(documents.length).toBeGreaterThan(FUNCTION_NAMES.length);
    for (const statement of documents.flatMap((document) => document.Statement as Statement[])) {
      for (const action of [statement.Action].flat()) expect(action).not.toContain('*');
      for (const resource of [statement.Resource].flat()) expect(resource).not.toBe('*');
    }
    for (const role of Object.values(synthesized.resources('AWS::IAM::Role'))) {
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
        Action: ['s3:AbortMultipartUpload', 's3:DeleteObject', 's3:GetObject', 's3:PutObject'],
        Resource: { 'Fn::Join': ['', [{ 'Fn::GetAtt': [bucket, 'Arn'] }, '/*']] },
      },
    ]);
  });
});

const withOptions = synthesize(EVERY_OPTION);

describe('the options', () => {
  it('reserve concurrency, keep logs longer, trace, and join a network', () => {
    const { Properties } = functionOf(withOptions, 'acquire-lease');
    expect(Properties).toMatchObject({
      ReservedConcurrentExecutions: 20,
      TracingConfig: { Mode: 'Active' },
      VpcConfig: { SubnetIds: ['subnet-0a1b2c3d', 'subnet-0b1c2d3e'], SecurityGroupIds: ['sg-0a1b2c3d'] },
    });
    withOptions.template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 365 });
    expect(functionOf(withOptions, 'answer-unmatched').Properties.VpcConfig).toBeUndefined();
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
