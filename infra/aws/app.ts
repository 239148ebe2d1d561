import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Annotations, App, CfnWaitConditionHandle, Stack, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { BUNDLE_FOLDER, bundleFunctions, bundleTracing } from '../bundle/bundle-functions.ts';
import { createStacks } from './create-stacks.ts';
import { SITE_FOLDER } from './dashboard-site.ts';
import { ParameterError, readParameters, stackNameOf } from './parameters.ts';

/** The CDK app: `npm run synth`, `npm run deploy -- -c mongodbUri=...`. */
const app = new App();
const context = app.node.getAllContext();
try {
  const parameters = readParameters(context);
  if (existsSync(join(SITE_FOLDER, 'index.html'))) {
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    await bundleFunctions(BUNDLE_FOLDER);
    if (parameters.tracing === 'otlp') await bundleTracing(BUNDLE_FOLDER);
    createStacks(app, { parameters, bundleFolder: BUNDLE_FOLDER, siteFolder: SITE_FOLDER });
  } else {
    standIn('the dashboard is not built: run npm run build:site, or npm run deploy, which does');
  }
} catch (error) {
  if (!(error instanceof ParameterError)) throw error;
  if (error.lacksDatabaseAlone) {
    standIn(error.message);
  } else {
    process.stderr.write(`token-orchestrator: ${error.message}\n`);
    process.exit(1);
  }
}

/** For commands that run the app and ask nothing of it, as `cdk bootstrap` does; one that wants the stack is told why not. */
function standIn(why: string): void {
  const stack = new Stack(app, 'Service', { stackName: stackNameOf(context) });
  new CfnWaitConditionHandle(stack, 'Nothing'); // A template without a resource is a warning of its own.
  Annotations.of(stack).addError(why);
}
