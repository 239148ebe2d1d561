import { Aws, Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { Parameters } from './parameters.ts';

/**
 * Whom the database knows: one role for all functions that use it. A user for each would have the same `readWrite`, and
 * one that was forgotten at an upgrade would break its route. The name is fixed, so that no upgrade asks for a step in
 * Atlas, and a stack that is made again finds its user.
 */
export class DatabaseRole extends Role {
  constructor(scope: Construct, id: string, parameters: Parameters) {
    super(scope, id, {
      roleName: `${Stack.of(scope).stackName}-${Aws.REGION}-database`,
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: 'Token Orchestrator: the functions that use the database',
    });
    const { mongodbSecretArn, secretKeyArn, subnetIds } = parameters;
    const allow = (resource: string, ...actions: string[]): void => {
      this.addToPolicy(new PolicyStatement({ actions, resources: [resource] }));
    };
    if (mongodbSecretArn !== undefined) allow(mongodbSecretArn, 'secretsmanager:GetSecretValue');
    if (secretKeyArn !== undefined) allow(secretKeyArn, 'kms:Decrypt');
    if (subnetIds === undefined) return;
    allow(
      '*',
      'ec2:AssignPrivateIpAddresses',
      'ec2:CreateNetworkInterface',
      'ec2:DeleteNetworkInterface',
      'ec2:DescribeNetworkInterfaces',
      'ec2:DescribeSubnets',
      'ec2:UnassignPrivateIpAddresses',
    );
    Validations.of(this).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'Lambda insists on these actions on every resource when a function is in a VPC',
    });
  }
}

/** Two connections per environment: one invocation runs in it at a time, and a late reply to the one before may hold one. */
export function databaseEnvironment(parameters: Parameters): Record<string, string> {
  const { mongodbUri, mongodbSecretArn, eventRetentionHours } = parameters;
  const database =
    mongodbSecretArn === undefined
      ? { MONGODB_URI: withRoleAuthentication(mongodbUri ?? '') }
      : { MONGODB_SECRET_ARN: mongodbSecretArn };
  return {
    ...database,
    MONGODB_MAX_POOL_SIZE: '2',
    ...(eventRetentionHours !== undefined && { EVENT_RETENTION_HOURS: `${eventRetentionHours}` }),
  };
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
