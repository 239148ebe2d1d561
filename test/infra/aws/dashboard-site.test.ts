import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { CONTENT_SECURITY_POLICY } from '../../../infra/site-headers.ts';
import { EVERY_OPTION, synthesize } from './support/synthesize.ts';

const { template, resources } = synthesize();
const distribution = Object.values(resources('AWS::CloudFront::Distribution'))[0]?.Properties
  .DistributionConfig;

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

  it('refuses what is not TLS, and lets only this distribution read', () => {
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
    const allowed = statements.filter(({ Effect }: { Effect: string }) => Effect === 'Allow');
    expect(allowed).toEqual([
      expect.objectContaining({ Action: 's3:GetObject', Principal: { Service: 'cloudfront.amazonaws.com' } }),
    ]);
    expect(JSON.stringify(allowed[0].Condition)).toContain(':distribution/');
    template.resourceCountIs('AWS::CloudFront::OriginAccessControl', 1);
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
    const [policy] = Object.values(resources('AWS::CloudFront::ResponseHeadersPolicy'));
    const headers = policy?.Properties.ResponseHeadersPolicyConfig.SecurityHeadersConfig;
    expect(headers).toMatchObject({
      ContentSecurityPolicy: { ContentSecurityPolicy: CONTENT_SECURITY_POLICY, Override: true },
      StrictTransportSecurity: {
        AccessControlMaxAgeSec: 63_072_000,
        IncludeSubdomains: true,
        Override: true,
      },
      ContentTypeOptions: { Override: true },
      FrameOptions: { FrameOption: 'DENY', Override: true },
    });
    expect(CONTENT_SECURITY_POLICY).toContain("frame-ancestors 'none'");
    expect(CONTENT_SECURITY_POLICY).not.toContain('unsafe');
    const [policyId] = Object.keys(resources('AWS::CloudFront::ResponseHeadersPolicy'));
    expect(distribution.DefaultCacheBehavior.ResponseHeadersPolicyId).toEqual({ Ref: policyId });
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
