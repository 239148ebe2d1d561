import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { Alarms } from './alarms.ts';
import { addBudget } from './budget.ts';
import { Canary } from './canary.ts';
import { DashboardSite } from './dashboard-site.ts';
import { DatabaseRole, withRoleAuthentication } from './database-role.ts';
import { EventSending } from './event-sending.ts';
import { Api } from './http-api.ts';
import { defineMetrics } from './metrics.ts';
import { addOperationsDashboard } from './operations-dashboard.ts';
import type { Parameters } from './parameters.ts';
import { DeadLetters, Schedule } from './schedule.ts';

export interface TokenOrchestratorProps extends StackProps {
  readonly parameters: Parameters;
  /** Where `infra/bundle` put the functions. */
  readonly bundleFolder: string;
  /** Where `npm run build:site` put the dashboard. */
  readonly siteFolder: string;
  /** The web ACL that this deployment makes itself, where the parameters name none. */
  readonly madeWebAclArn?: string | undefined;
}

/** The whole service: API, sweep, dashboard, alarms. It belongs to no account or region until it is deployed. */
export class TokenOrchestratorStack extends Stack {
  constructor(scope: Construct, id: string, props: TokenOrchestratorProps) {
    super(scope, id, {
      description: 'Token Orchestrator: leases interchangeable keys to programs',
      ...props,
    });
    const { parameters, bundleFolder, siteFolder } = props;

    const databaseRole = new DatabaseRole(this, 'DatabaseUser', parameters);
    const api = new Api(this, 'Api', { parameters, bundleFolder, databaseRole });
    const deadLetters = new DeadLetters(this, 'DeadLetterQueue');
    const scheduling = { parameters, bundleFolder, databaseRole, deadLetters };
    const { scheduled: sweep } = new Schedule(this, 'Sweep', {
      ...scheduling,
      name: 'expire-leases',
      purpose: 'frees lapsed keys',
    });
    const sending = new EventSending(this, 'Events', scheduling);
    const webAclArn = parameters.webAclArn ?? props.madeWebAclArn;
    const site = new DashboardSite(this, 'Site', { api, parameters, siteFolder, webAclArn });
    const metrics = defineMetrics(this, { api, sweep, sending, deadLetters });
    const alarms = new Alarms(this, 'Alarms', { metrics, parameters });
    addOperationsDashboard(this, api, metrics);
    if (parameters.canaryMinutes !== undefined) {
      new Canary(this, 'Canary', {
        functions: [api.authorizer, ...api.functions],
        alarms: alarms.endingDeployments,
        minutes: parameters.canaryMinutes,
      });
    }
    addBudget(this, parameters);

    const { domainName, mongodbUri, mongodbSecretArn } = parameters;
    new CfnOutput(this, 'SiteUrl', {
      description: 'The dashboard, and the API under /v1 on the same origin',
      value: `https://${domainName ?? site.distribution.distributionDomainName}`,
    });
    new CfnOutput(this, 'DistributionDomainName', {
      description: 'What the DNS record of an own domain name points to',
      value: site.distribution.distributionDomainName,
    });
    new CfnOutput(this, 'ApiUrl', {
      description: "The API's own address, for programs",
      value: api.api.apiEndpoint,
    });
    new CfnOutput(this, 'SetupDatabase', {
      description: 'Makes indexes and the first admin credential: before every deployment',
      value:
        mongodbUri === undefined
          ? `MONGODB_SECRET_ARN='${mongodbSecretArn}' npm run setup-database`
          : `MONGODB_URI='${withRoleAuthentication(mongodbUri)}' npm run setup-database`,
    });
    new CfnOutput(this, 'DatabaseRole', {
      description: 'The IAM role that the database has to know as a user, when it authenticates by role',
      value: databaseRole.roleArn,
    });
    new CfnOutput(this, 'EventBus', {
      description: 'The event bus on which rules see what happens',
      value: sending.bus.eventBusName,
    });
    new CfnOutput(this, 'DeadLetters', {
      description: 'The queue of scheduled runs that were not delivered or failed',
      value: deadLetters.queueUrl,
    });
    if (api.domain !== undefined) {
      new CfnOutput(this, 'ApiDomainTarget', {
        description: "What the DNS record of the API's own name points to",
        value: api.domain.regionalDomainName,
      });
    }
  }
}
