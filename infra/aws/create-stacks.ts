import { type App, Tags } from 'aws-cdk-lib';
import { ManagedPolicy, PermissionsBoundary } from 'aws-cdk-lib/aws-iam';
import { stackNameOf } from './parameters.ts';
import { type TokenOrchestratorProps, TokenOrchestratorStack } from './stack.ts';
import { WebAclStack } from './web-acl-stack.ts';

/** The stacks of one deployment: the service and, where it is to have one, its web ACL in us-east-1. */
export function createStacks(
  app: App,
  props: Omit<TokenOrchestratorProps, 'madeWebAclArn'>,
): TokenOrchestratorStack {
  const { parameters } = props;
  const stackName = stackNameOf(parameters);
  // Ids of stacks are names in their templates: a stack that is renamed keeps the rest.
  const terminationProtection = parameters.stage === 'prod';
  const webAcl =
    parameters.managedRules === 'on'
      ? new WebAclStack(app, 'WebAcl', { stackName: `${stackName}-WebAcl`, terminationProtection })
      : undefined;
  const stack = new TokenOrchestratorStack(app, 'Service', {
    ...props,
    stackName,
    terminationProtection,
    madeWebAclArn: webAcl?.arnFromAnyRegion,
  });
  if (webAcl !== undefined) stack.addStackDependency(webAcl);
  for (const [name, value] of parameters.tags ?? []) Tags.of(app).add(name, value);
  if (parameters.permissionsBoundaryArn !== undefined) {
    PermissionsBoundary.of(stack).apply(
      ManagedPolicy.fromManagedPolicyArn(stack, 'Boundary', parameters.permissionsBoundaryArn),
    );
  }
  return stack;
}
