import type { IAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import { LambdaApplication, LambdaDeploymentConfig, LambdaDeploymentGroup } from 'aws-cdk-lib/aws-codedeploy';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { acknowledgeDeployer } from './acknowledged-findings.ts';
import type { ServiceFunction } from './service-function.ts';

/**
 * Gives a tenth of each function's requests to its new version, and the rest some minutes later. When an alarm rings
 * meanwhile, every function goes back to the version before, and CloudFormation rolls the deployment back.
 */
export class Canary extends Construct {
  constructor(
    scope: Construct,
    id: string,
    props: { functions: readonly ServiceFunction[]; alarms: readonly IAlarm[]; minutes: number },
  ) {
    super(scope, id);
    const application = new LambdaApplication(this, 'Application');
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('codedeploy.amazonaws.com'),
      description: 'Token Orchestrator: moves traffic to new versions',
    });
    acknowledgeDeployer(role);
    const configuration = LambdaDeploymentConfig.fromLambdaDeploymentConfigName(
      this,
      'Configuration',
      `CodeDeployDefault.LambdaCanary10Percent${props.minutes}Minutes`,
    );
    for (const { alias, functionName } of props.functions) {
      if (alias === undefined) continue;
      new LambdaDeploymentGroup(this, functionName, {
        application,
        role,
        alias,
        deploymentConfig: configuration,
        alarms: [...props.alarms],
        autoRollback: { failedDeployment: true, stoppedDeployment: true, deploymentInAlarm: true },
      });
    }
  }
}
