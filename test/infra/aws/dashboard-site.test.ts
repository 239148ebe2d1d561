import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { CONTENT_SECURITY_POLICY } from '../../../infra/site-headers.ts';
import { CLOSED, EVERY_OPTION, synthesize } from './support/synthesize.ts';

const { template, resources } = synthesize();
const distribution = Object.values(resources('AWS::CloudFront::Distribution'))[0]?.Properties
  .DistributionConfig;

const ON_EVERYTHING = {
  StrictTransportSecurity: { AccessControlMaxAgeSec: 63_072_000, IncludeSubdomains: true, Override: true },
  ContentTypeOptions: { Override: true },
};

function policyOf(behavior: { ResponseHeadersPolicyId: { Ref: string } }) {
  const policies = resources('AWS::CloudFront::ResponseHeadersPolicy');
  return policies[behavior.ResponseHeadersPolicyId.Ref]?.Properties.ResponseHeadersPolicyConfig;
}

/** CloudFront's own policies, by their ids in its documentation. */
const CACHING_OPTIMIZED = '658327ea-f89d-4fab-a63d-7e88639e58f6';
const CACHING_DISABLED = '4135ea2d-6df8-44a3-9df3-4b5a84be39ad';
const ALL_VIEWER_EXCEPT_HOST = 'b689b0a8-53d0-40ab-baf2-68738e2966ac';

describe('the bucket of the dashboard', () => {
  it('is private and encrypted', () => {
    template.resourceCountIs('AWS::S3::Bucket', 1);
    template.hasResourceProperties('AWS::S3::Bucket', {
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
      },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
    });
  });

  it('refuses what is not TLS, and lets only this distribution read, and what empties it', () => {
    const [policy] = Object.values(resources('AWS::S3::BucketPolicy'));
    const statements = policy?.Properties.PolicyDocument.Statement;
    expect(statements).toContainEqual(
      expect.objectContaining({
        Effect: 'Deny',
        Action: 's3:*',
        Principal: { AWS: '*' },
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      }),
    );
    const allowed = statements.filter(
      ({ Effect, Principal }: { Effect: string; Principal: { AWS?: unknown } }) =>
        Effect === 'Allow' && Principal.AWS === undefined,
    );
    expect(allowed).toEqual([
      expect.objectContaining({ Action: 's3:GetObject', Principal: { Service: 'cloudfront.amazonaws.com' } }),
    ]);
    expect(JSON.stringify(allowed[0].Condition)).toContain(':distribution/');
    template.resourceCountIs('AWS::CloudFront::OriginAccessControl', 1);
  });

  it('is emptied before it goes, by what is there before the first file and goes after the uploads', () => {
    const [bucketId] = Object.keys(resources('AWS::S3::Bucket'));
    const emptiers = Object.entries(resources('Custom::S3AutoDeleteObjects'));
    expect(emptiers).toMatchObject([[expect.any(String), { Properties: { BucketName: { Ref: bucketId } } }]]);
    const [[emptierId = ''] = []] = emptiers;
    const uploads = Object.entries(resources('Custom::CDKBucketDeployment'));
    expect(uploads).toHaveLength(2);
    for (const [id, { Properties, DependsOn }] of uploads) {
      expect(Properties.RetainOnDelete, id).toBe(true);
      const first = id.includes('HashedFiles');
      expect(DependsOn, id).toContainEqual(first ? emptierId : expect.stringContaining('HashedFiles'));
    }
  });
});

describe('the distribution', () => {
  it('serves files compressed, over HTTP 2 and 3, and over TLS', () => {
    expect(distribution).toMatchObject({ HttpVersion: 'http2and3', DefaultRootObject: 'index.html' });
    expect(distribution.DefaultCacheBehavior).toMatchObject({
      Compress: true,
      ViewerProtocolPolicy: 'redirect-to-https',
      CachePolicyId: CACHING_OPTIMIZED,
    });
    expect(distribution.CustomErrorResponses).toBeUndefined();
  });

  it('hands /v1/* to the API, uncached, with every header but Host', () => {
    expect(distribution.CacheBehaviors).toHaveLength(1);
    expect(distribution.CacheBehaviors[0]).toMatchObject({
      PathPattern: '/v1/*',
      CachePolicyId: CACHING_DISABLED,
      OriginRequestPolicyId: ALL_VIEWER_EXCEPT_HOST,
      ViewerProtocolPolicy: 'https-only',
      AllowedMethods: ['GET', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'POST', 'DELETE'],
    });
    const origin = distribution.Origins.find(
      ({ Id }: { Id: string }) => Id === distribution.CacheBehaviors[0].TargetOriginId,
    );
    expect(JSON.stringify(origin.DomainName)).toContain('.execute-api.');
    expect(origin.CustomOriginConfig).toMatchObject({
      OriginProtocolPolicy: 'https-only',
      OriginSSLProtocols: ['TLSv1.2'],
    });
  });

  it('adds the security headers, the same policy as the local host', () => {
    const { SecurityHeadersConfig: headers } = policyOf(distribution.DefaultCacheBehavior);
    expect(headers).toMatchObject({
      ...ON_EVERYTHING,
      ContentSecurityPolicy: { ContentSecurityPolicy: CONTENT_SECURITY_POLICY, Override: true },
      FrameOptions: { FrameOption: 'DENY', Override: true },
    });
    expect(CONTENT_SECURITY_POLICY).toContain("frame-ancestors 'none'");
    expect(CONTENT_SECURITY_POLICY).not.toContain('unsafe');
  });

  it('adds HSTS and nosniff to what the API returns', () => {
    expect(policyOf(distribution.CacheBehaviors[0]).SecurityHeadersConfig).toEqual(ON_EVERYTHING);
  });

  it('keeps hashed files for good, and never shows an old index.html', () => {
    const uploads = Object.values(resources('Custom::CDKBucketDeployment')).map(
      ({ Properties }) => Properties,
    );
    const hashed = ['*-????????.js', '*-????????.css', '*-????????.woff2'];
    expect(uploads).toHaveLength(2);
    expect(uploads).toContainEqual(
      expect.objectContaining({
        Exclude: ['*'],
        Include: hashed,
        SystemMetadata: { 'cache-control': 'public, max-age=31536000, immutable' },
      }),
    );
    expect(uploads).toContainEqual(
      expect.objectContaining({ Exclude: hashed, SystemMetadata: { 'cache-control': 'no-cache' } }),
    );
  });

  it('has a domain and a web ACL where they are given', () => {
    expect(distribution).not.toHaveProperty('Aliases');
    expect(distribution).not.toHaveProperty('WebACLId');
    synthesize(EVERY_OPTION).template.hasResourceProperties('AWS::CloudFront::Distribution', {
      DistributionConfig: {
        Aliases: ['keys.example.com'],
        WebACLId: EVERY_OPTION.webAclArn,
        ViewerCertificate: {
          AcmCertificateArn: EVERY_OPTION.certificateArn,
          MinimumProtocolVersion: 'TLSv1.2_2021',
        },
      },
    });
  });
});

describe('the managed rules', () => {
  const { webAcl, template: closed } = synthesize(CLOSED);

  it('are a web ACL in us-east-1, which the distribution reads by the name of its stack', () => {
    expect(synthesize().webAcl).toBeUndefined();
    webAcl?.hasResourceProperties('AWS::WAFv2::WebACL', {
      Scope: 'CLOUDFRONT',
      DefaultAction: { Allow: {} },
    });
    closed.hasResourceProperties('AWS::CloudFront::Distribution', {
      DistributionConfig: {
        WebACLId: {
          'Fn::GetStackOutput': {
            StackName: 'TokenOrchestrator-staging-WebAcl',
            OutputName: 'WebAclArn',
            Region: 'us-east-1',
          },
        },
      },
    });
    expect(webAcl?.toJSON().Outputs).toHaveProperty('WebAclArn');
  });

  it('only count what imported values would trip over, and keep no sample of a request', () => {
    const [acl] = Object.values(webAcl?.findResources('AWS::WAFv2::WebACL') ?? {});
    const groups = acl?.Properties.Rules.map(
      ({ Statement }: { Statement: Record<string, unknown> }) => Statement.ManagedRuleGroupStatement,
    );
    expect(groups.map(({ Name }: { Name: string }) => Name)).toEqual([
      'AWSManagedRulesAmazonIpReputationList',
      'AWSManagedRulesKnownBadInputsRuleSet',
      'AWSManagedRulesCommonRuleSet',
    ]);
    const counted = groups[2].RuleActionOverrides;
    expect(counted).toContainEqual({ Name: 'SizeRestrictions_BODY', ActionToUse: { Count: {} } });
    expect(JSON.stringify(acl)).not.toContain('"SampledRequestsEnabled":true');
  });
});

describe('the function at the edge', () => {
  const source = readFileSync(new URL('../../../infra/aws/show-view.js', import.meta.url), 'utf8');

  it.each([
    ['/', '/index.html'],
    ['/pools/default', '/index.html'],
    ['/pools/v1.2/keys', '/index.html'],
    ['/app-0A1B2C3D.js', '/app-0A1B2C3D.js'],
    ['/favicon.svg', '/favicon.svg'],
    ['/docs', '/docs/index.html'],
    ['/docs/', '/docs/index.html'],
    ['/docs/openapi.json', '/docs/openapi.json'],
  ])('turns %s into %s', (uri, expected) => {
    const request = runInNewContext(`${source}; handler(event)`, { event: { request: { uri } } });
    expect(request.uri).toBe(expected);
  });
});
