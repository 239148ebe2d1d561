import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Validations } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { readParameters } from '../../../../infra/aws/parameters.ts';
import { TokenOrchestratorStack } from '../../../../infra/aws/stack.ts';
import { FUNCTION_NAMES } from '../../../../infra/bundle/bundle-functions.ts';

export interface Resource {
  readonly Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: a template's properties, of every shape
  readonly Properties: any;
  readonly DependsOn?: string[];
}

export interface Synthesized {
  readonly template: Template;
  /** By logical id. */
  resources(type: string): Record<string, Resource>;
  /** Logical ids of the Lambda functions by their name in `functions/`. */
  readonly functionIds: ReadonlyMap<string, string>;
}

export const IAM_URI = 'mongodb+srv://cluster.example.mongodb.net';

/** A deployment that uses every parameter there is. */
export const EVERY_OPTION = {
  mongodbSecretArn: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:orchestrator-AbCdEf',
  secretKeyArn: 'arn:aws:kms:eu-central-1:111122223333:key/abc',
  subnetIds: 'subnet-0a1b2c3d,subnet-0b1c2d3e',
  securityGroupIds: 'sg-0a1b2c3d',
  domainName: 'keys.example.com',
  certificateArn: 'arn:aws:acm:us-east-1:111122223333:certificate/abc',
  webAclArn: 'arn:aws:wafv2:us-east-1:111122223333:global/webacl/keys/abc',
  corsOrigins: 'https://app.example.com,http://localhost:5173',
  alarmTopicArn: 'arn:aws:sns:eu-central-1:111122223333:on-call',
  reservedConcurrency: '20',
  logRetentionDays: '365',
  tracing: 'on',
};

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

  const app = new App({ outdir: join(folder, 'cdk.out') });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  const stack = new TokenOrchestratorStack(app, 'Test', {
    parameters: readParameters((name) => parameters[name]),
    bundleFolder,
    siteFolder,
  });
  const template = Template.fromStack(stack);
  rmSync(folder, { recursive: true }); // 20 MB, with CDK's own uploader.
  const resources = (type: string) => template.findResources(type) as Record<string, Resource>;
  const functionIds = new Map(
    Object.entries(resources('AWS::Lambda::Function')).map(([id, { Properties }]) => [
      String(Properties.Description ?? id).replace('Token Orchestrator: ', ''),
      id,
    ]),
  );
  return { template, resources, functionIds };
}
