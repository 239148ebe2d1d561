import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, type Stack, Validations } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { createStacks } from '../../../../infra/aws/create-stacks.ts';
import { readParameters } from '../../../../infra/aws/parameters.ts';

import { FUNCTION_NAMES } from '../../../../infra/bundle/bundle-functions.ts';

export interface Resource {
  readonly Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: a template's properties, of every shape
  readonly Properties: any;
  readonly DependsOn?: string[];
  readonly DeletionPolicy?: string;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly UpdatePolicy?: any;
}

export interface Synthesized {
  readonly template: Template;
  /** By logical id. */
  resources(type: string): Record<string, Resource>;
  readonly stack: Stack;
  /** The web ACL's, where the deployment makes one. */
  readonly webAcl: Template | undefined;
  /** Logical ids of the Lambda functions by their name in `functions/`. */
  readonly functionIds: ReadonlyMap<string, string>;
}

export const IAM_URI = 'mongodb+srv://cluster.example.mongodb.net';

/** A deployment that uses every parameter that goes with most of the others. */
export const EVERY_OPTION = {
  stage: 'prod',
  stackName: 'Keys',
  mongodbSecretArn: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:orchestrator-AbCdEf',
  secretKeyArn: 'arn:aws:kms:eu-central-1:111122223333:key/abc',
  subnetIds: 'subnet-0a1b2c3d,subnet-0b1c2d3e',
  securityGroupIds: 'sg-0a1b2c3d',
  domainName: 'keys.example.com',
  certificateArn: 'arn:aws:acm:us-east-1:111122223333:certificate/abc',
  apiDomainName: 'api.keys.example.com',
  apiCertificateArn: 'arn:aws:acm:eu-central-1:111122223333:certificate/def',
  webAclArn: 'arn:aws:wafv2:us-east-1:111122223333:global/webacl/keys/abc',
  corsOrigins: 'https://app.example.com,http://localhost:5173',
  alarmTopicArn: 'arn:aws:sns:eu-central-1:111122223333:on-call',
  alarmFreePercent: '25',
  alarmRefusedPercent: '90',
  alarmLapsedPercent: '100',
  monthlyBudgetUsd: '500',
  budgetEmail: 'on-call@example.com',
  rateLimit: '30',
  burstLimit: '45',
  memoryMb: '1024',
  provisionedConcurrency: '3',
  canaryMinutes: '10',
  reservedConcurrency: '20',
  logRetentionDays: '365',
  eventRetentionHours: '48',
  tracing: 'otlp',
  tracingLayerArn: 'arn:aws:lambda:eu-central-1:444455556666:layer:collector-arm64:3',
  tracingPercent: '25',
  tags: 'team=platform,cost-centre=42',
  permissionsBoundaryArn: 'arn:aws:iam::111122223333:policy/boundary',
};

/** What excludes one of those: CloudFront alone may call, through a web ACL that the deployment makes. */
export const CLOSED = {
  mongodbUri: IAM_URI,
  stage: 'staging',
  managedRules: 'on',
  closeDirectApi: 'on',
  tracing: 'otlp',
  otlpEndpoint: 'https://collector.example.com:4318',
};

/** CDK's own settings, as the command line reads them. */
const CDK_SETTINGS = JSON.parse(
  readFileSync(new URL('../../../../cdk.json', import.meta.url), 'utf8'),
).context;

const known = new Map<string, Synthesized>();

/**
 * The template of a deployment with these parameters, with nothing but placeholders in the bundles: made once for all
 * the files of this folder, which share a worker. Throws what cdk-nag finds.
 */
export function synthesize(parameters: Record<string, string> = { mongodbUri: IAM_URI }): Synthesized {
  const id = JSON.stringify(parameters);
  const synthesized = known.get(id) ?? synthesizeAnew(parameters);
  known.set(id, synthesized);
  return synthesized;
}

function synthesizeAnew(parameters: Record<string, string>): Synthesized {
  const folder = mkdtempSync(join(tmpdir(), 'synthesized-'));
  const bundleFolder = join(folder, 'functions');
  for (const name of FUNCTION_NAMES) {
    mkdirSync(join(bundleFolder, name), { recursive: true });
    writeFileSync(join(bundleFolder, name, 'index.mjs'), `// ${name}`);
  }
  const siteFolder = join(folder, 'site');
  mkdirSync(siteFolder);
  writeFileSync(join(siteFolder, 'index.html'), '<!doctype html>');

  const app = new App({ outdir: join(folder, 'cdk.out'), context: CDK_SETTINGS });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  const stack = createStacks(app, { parameters: readParameters(parameters), bundleFolder, siteFolder });
  const template = Template.fromStack(stack);
  const webAclStack = app.node.tryFindChild('WebAcl');
  const webAcl = webAclStack === undefined ? undefined : Template.fromStack(webAclStack as Stack);
  rmSync(folder, { recursive: true }); // 20 MB, with CDK's own uploader.
  const resources = (type: string) => template.findResources(type) as Record<string, Resource>;
  const functionIds = new Map(
    Object.entries(resources('AWS::Lambda::Function')).map(([id, { Properties }]) => [
      typeof Properties.Description === 'string'
        ? Properties.Description.replace('Token Orchestrator: ', '')
        : id,
      id,
    ]),
  );
  return { stack, template, webAcl, resources, functionIds };
}
