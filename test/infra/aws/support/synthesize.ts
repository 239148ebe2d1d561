import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Validations } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { afterAll } from 'vitest';
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
  readonly file: string;
  /** By logical id. */
  resources(type: string): Record<string, Resource>;
  /** Logical ids of the Lambda functions by their name in `functions/`. */
  readonly functionIds: ReadonlyMap<string, string>;
}

export const IAM_URI = 'mongodb+srv://cluster.example.mongodb.net';

/**
 * The template of a deployment with these parameters, with nothing but placeholders in the bundles. Throws what
 * cdk-nag finds. Called outside of tests, since its folder lives until the file's tests are over.
 */
export function synthesize(parameters: Record<string, string> = { mongodbUri: IAM_URI }): Synthesized {
  const folder = mkdtempSync(join(tmpdir(), 'synthesized-'));
  // 20 MB, with CDK's own uploader.
  afterAll(() => rmSync(folder, { recursive: true }));
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
  const assembly = app.synth();
  const template = Template.fromStack(stack);
  const resources = (type: string) => template.findResources(type) as Record<string, Resource>;
  const functionIds = new Map(
    Object.entries(resources('AWS::Lambda::Function')).map(([id, { Properties }]) => [
      String(Properties.Description ?? id).replace('Token Orchestrator: ', ''),
      id,
    ]),
  );
  return { template, file: join(assembly.directory, 'Test.template.json'), resources, functionIds };
}
