import { type App, CfnOutput, Fn, Stack, type StackProps } from 'aws-cdk-lib';
import { CfnWebACL } from 'aws-cdk-lib/aws-wafv2';

/**
 * AWS' managed rules and what they only count: bodies carry up to a thousand secrets of any bytes, which look like attacks
 * to a rule for bodies and are longer than one of them allows, and not every program names itself.
 */
const RULE_GROUPS = {
  AWSManagedRulesAmazonIpReputationList: [],
  AWSManagedRulesKnownBadInputsRuleSet: [],
  AWSManagedRulesCommonRuleSet: [
    'NoUserAgent_HEADER',
    'SizeRestrictions_BODY',
    'EC2MetaDataSSRF_BODY',
    'GenericLFI_BODY',
    'GenericRFI_BODY',
    'CrossSiteScripting_BODY',
  ],
} as const;

/** CloudFront reads web ACLs from us-east-1 only, wherever the service is. */
const REGION = 'us-east-1';

export class WebAclStack extends Stack {
  /** What another stack of the account, in whatever region, reads the ARN with. */
  readonly arnFromAnyRegion: string;

  constructor(app: App, id: string, props: StackProps) {
    super(app, id, {
      description: 'Token Orchestrator: the web ACL of its distribution',
      env: { region: REGION },
      ...props,
    });
    const webAcl = new CfnWebACL(this, 'WebAcl', {
      scope: 'CLOUDFRONT',
      defaultAction: { allow: {} },
      visibilityConfig: visibility('all'),
      rules: Object.entries(RULE_GROUPS).map(([name, counted], priority) => ({
        name,
        priority,
        overrideAction: { none: {} },
        statement: {
          managedRuleGroupStatement: {
            vendorName: 'AWS',
            name,
            ruleActionOverrides: counted.map((rule) => ({ name: rule, actionToUse: { count: {} } })),
          },
        },
        visibilityConfig: visibility(name),
      })),
    });
    new CfnOutput(this, 'WebAclArn', { value: webAcl.attrArn });
    this.arnFromAnyRegion = Fn.getStackOutput(this.stackName, 'WebAclArn', REGION);
  }
}

/** Without samples: they show requests' headers, and so credentials. */
function visibility(metricName: string): CfnWebACL.VisibilityConfigProperty {
  return { cloudWatchMetricsEnabled: true, metricName, sampledRequestsEnabled: false };
}
