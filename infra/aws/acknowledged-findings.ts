import { type CfnElement, Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** Findings of cdk-nag's AwsSolutions pack on the dashboard's site that are meant to be so, each with its reason. */
export function acknowledgeSite(
  bucket: IConstruct,
  distribution: IConstruct,
  { hasWebAcl, hasCertificate }: { hasWebAcl: boolean; hasCertificate: boolean },
): void {
  Validations.of(bucket).acknowledge({
    id: 'AwsSolutions-S1',
    reason: 'Only CloudFront reads this bucket, of files that are public anyway: a log would tell nothing',
  });
  const findings = Validations.of(distribution);
  findings.acknowledge({
    id: 'AwsSolutions-CFR1',
    reason: 'Programs and operators may call from any country',
  });
  findings.acknowledge({
    id: 'AwsSolutions-CFR3',
    reason:
      "Every call is in the API's access log, with its status and its client; the rest are static files",
  });
  if (!hasWebAcl) {
    findings.acknowledge({
      id: 'AwsSolutions-CFR2',
      reason:
        'A web ACL costs money every month and is an option: -c managedRules=on, -c webAclArn=ARN. The API is throttled without one',
    });
  }
  if (!hasCertificate) {
    findings.acknowledge({
      id: 'AwsSolutions-CFR4',
      reason:
        "CloudFront fixes the protocols of its own certificate; a domain of one's own (-c domainName, -c certificateArn) has TLS 1.2 as its minimum",
    });
  }
}

/** Findings on the function with which CDK puts files into a bucket, while it deploys. */
export function acknowledgeUploader(role: IConstruct, uploader: IConstruct, bucket: IConstruct): void {
  const bucketId = Stack.of(bucket).getLogicalId(bucket.node.defaultChild as CfnElement);
  Validations.of(role).acknowledge({
    id: `AwsSolutions-IAM5[Resource::<${bucketId}.Arn>/*]`,
    reason: 'The names of the objects in this one bucket change with every build of the dashboard',
  });
  Validations.of(uploader).acknowledge({
    id: 'AwsSolutions-L1',
    reason: "The function is CDK's own, and so is its runtime",
  });
}

/** Findings on the function with which CDK empties a bucket before it is deleted. */
export function acknowledgeEmptier(emptier: IConstruct): void {
  Validations.of(emptier).acknowledge(
    {
      id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]',
      reason: "The function is CDK's own, and so is its role: it may write logs, and empty this one bucket",
    },
    { id: 'AwsSolutions-L1', reason: "The function is CDK's own, and so is its runtime" },
  );
}

/** Findings on the role with which CodeDeploy moves traffic to new versions. */
export function acknowledgeDeployer(role: IConstruct): void {
  Validations.of(role).acknowledge({
    id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSCodeDeployRoleForLambdaLimited]',
    reason:
      'AWS keeps it in step with what CodeDeploy needs; it is the narrowest that there is for functions',
  });
}
