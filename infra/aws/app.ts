import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { BUNDLE_FOLDER, bundleFunctions } from '../bundle/bundle-functions.ts';
import { SITE_FOLDER } from './dashboard-site.ts';
import { ParameterError, readParameters } from './parameters.ts';
import { TokenOrchestratorStack } from './stack.ts';

/** The CDK app: `npm run synth`, `npx cdk deploy -c mongodbUri=...`. */
const app = new App();
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
try {
  const parameters = readParameters((name) => app.node.tryGetContext(name));
  await bundleFunctions(BUNDLE_FOLDER);
  new TokenOrchestratorStack(app, 'TokenOrchestrator', {
    parameters,
    bundleFolder: BUNDLE_FOLDER,
    siteFolder: SITE_FOLDER,
  });
} catch (error) {
  if (!(error instanceof ParameterError)) throw error;
  process.stderr.write(`token-orchestrator: ${error.message}\n`);
  process.exit(1);
}
