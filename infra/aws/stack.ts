import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { Alarms } from './alarms.ts';
import { DashboardSite } from './dashboard-site.ts';
import { Api } from './http-api.ts';
import type { Parameters } from './parameters.ts';
import { SweepSchedule } from './schedule.ts';
import { withRoleAuthentication } from './service-function.ts';

export interface TokenOrchestratorProps extends StackProps {
  readonly parameters: Parameters;
  /** Where `infra/bundle` put the functions. */
  readonly bundleFolder: string;
  /** Where `npm run build:site` put the dashboard. */
  readonly siteFolder: string;
}

/** The whole service: API, sweep, dashboard, alarms. It belongs to no account or region until it is deployed. */
export class TokenOrchestratorStack extends Stack {
  constructor(scope: Construct, id: string, props: TokenOrchestratorProps) {
    super(scope, id, {
      description: 'Token Orchestrator: leases interchangeable keys to programs',
      ...props,
    });
    const { parameters, bundleFolder, siteFolder } = props;

    const api = new Api(this, 'Api', { parameters, bundleFolder });
    const schedule = new SweepSchedule(this, 'Sweep', { parameters, bundleFolder });
    const site = new DashboardSite(this, 'Site', { api: api.api, parameters, siteFolder });
    new Alarms(this, 'Alarms', { api, schedule, parameters });

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
    new CfnOutput(this, 'FunctionRoles', {
      description: 'The IAM roles that the database has to know as users, when it authenticates by role',
      value: [api.authorizer, ...api.functions, schedule.sweep]
        .filter(({ usesDatabase }) => usesDatabase)
        .map(({ role }) => role.roleArn)
        .join(' '),
    });
  }
}
