import { CelEngine, TemplateFile } from '@aws/cloudformation-validate';
import { describe, expect, it } from 'vitest';
import { IAM_URI, synthesize } from './support/synthesize.ts';

const DEPLOYMENTS: [string, Record<string, string>][] = [
  ['the default', { mongodbUri: IAM_URI }],
  [
    'every option',
    {
      mongodbSecretArn: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:orchestrator-AbCdEf',
      secretKeyArn: 'arn:aws:kms:eu-central-1:111122223333:key/abc',
      subnetIds: 'subnet-0a1b2c3d',
      securityGroupIds: 'sg-0a1b2c3d',
      domainName: 'keys.example.com',
      certificateArn: 'arn:aws:acm:us-east-1:111122223333:certificate/abc',
      webAclArn: 'arn:aws:wafv2:us-east-1:111122223333:global/webacl/keys/abc',
      alarmTopicArn: 'arn:aws:sns:eu-central-1:111122223333:on-call',
      reservedConcurrency: '20',
      tracing: 'on',
    },
  ],
];

describe.each(DEPLOYMENTS)('the template of %s', (_name, parameters) => {
  const { template, file } = synthesize(parameters);

  it('has no finding of AwsSolutions that is not acknowledged, and none of cloudformation-validate', () => {
    // Findings of cdk-nag are errors of the synthesis.
    const engine = new CelEngine();
    try {
      const { diagnostics } = engine.validateStandard(new TemplateFile(file), {
        severityLevel: 'WARN',
        // CDK states a dependency on a role as a whole, for the sake of its policies; the role itself is then there twice.
        exclude: { ids: ['W3005'] },
      });
      const findings = diagnostics.map(
        ({ severity, ruleId, message }) => `${severity} ${ruleId}: ${message}`,
      );
      expect(findings).toEqual([]);
    } finally {
      engine.free();
    }
  });

  it('asks nothing of an account: no lookup, no fixed account or region', () => {
    expect(JSON.stringify(template.toJSON())).not.toMatch(/dummy-value|dummy1a/);
  });
});
