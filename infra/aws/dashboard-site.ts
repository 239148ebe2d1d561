import { fileURLToPath } from 'node:url';
import { Aws, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import {
  AllowedMethods,
  CachePolicy,
  Distribution,
  Function as EdgeFunction,
  FunctionCode,
  FunctionEventType,
  FunctionRuntime,
  HeadersFrameOption,
  HeadersReferrerPolicy,
  HttpVersion,
  OriginProtocolPolicy,
  OriginRequestPolicy,
  OriginSslPolicy,
  ResponseHeadersPolicy,
  type ResponseSecurityHeadersBehavior,
  S3OriginAccessControl,
  SecurityPolicyProtocol,
  ViewerProtocolPolicy,
} from 'aws-cdk-lib/aws-cloudfront';
import { HttpOrigin, S3BucketOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import { BlockPublicAccess, Bucket, BucketEncryption, type IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { CONTENT_SECURITY_POLICY } from '../site-headers.ts';
import { acknowledgeSite } from './acknowledged-findings.ts';
import { type Api, EDGE_HEADER } from './http-api.ts';
import type { Parameters } from './parameters.ts';
import { UploadedSite } from './upload-site.ts';

/** What `npm run build:site` makes. */
export const SITE_FOLDER: string = fileURLToPath(new URL('../../static-site/dist', import.meta.url));

/** The dashboard and, on the same origin, the API: CloudFront in front of a private bucket and the HTTP API. */
export class DashboardSite extends Construct {
  readonly distribution: Distribution;

  constructor(
    scope: Construct,
    id: string,
    props: { api: Api; parameters: Parameters; siteFolder: string; webAclArn: string | undefined },
  ) {
    super(scope, id);
    const { api, webAclArn } = props;
    const { domainName, certificateArn } = props.parameters;

    const bucket = new Bucket(this, 'Files', {
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      // The build makes the files again.
      removalPolicy: RemovalPolicy.DESTROY,
      autoDeleteObjects: true,
    }) as IBucket;

    this.distribution = new Distribution(this, 'Distribution', {
      comment: 'Token Orchestrator: dashboard and API',
      defaultRootObject: 'index.html',
      httpVersion: HttpVersion.HTTP2_AND_3,
      defaultBehavior: {
        origin: S3BucketOrigin.withOriginAccessControl(bucket, {
          originAccessControl: new S3OriginAccessControl(this, 'Access', {
            originAccessControlName: this.#globalName('site'),
          }),
        }),
        viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
        allowedMethods: AllowedMethods.ALLOW_GET_HEAD,
        cachePolicy: CachePolicy.CACHING_OPTIMIZED,
        compress: true,
        responseHeadersPolicy: this.#headers('site', {
          contentSecurityPolicy: { contentSecurityPolicy: CONTENT_SECURITY_POLICY, override: true },
          frameOptions: { frameOption: HeadersFrameOption.DENY, override: true },
          referrerPolicy: { referrerPolicy: HeadersReferrerPolicy.NO_REFERRER, override: true },
        }),
        functionAssociations: [
          {
            eventType: FunctionEventType.VIEWER_REQUEST,
            function: new EdgeFunction(this, 'ShowView', {
              functionName: this.#globalName('view'),
              comment: 'Token Orchestrator: every view of the dashboard is index.html',
              code: FunctionCode.fromFile({
                filePath: fileURLToPath(new URL('show-view.js', import.meta.url)),
              }),
              runtime: FunctionRuntime.JS_2_0,
            }),
          },
        ],
      },
      additionalBehaviors: {
        '/v1/*': {
          origin: new HttpOrigin(`${api.api.apiId}.execute-api.${Stack.of(this).region}.amazonaws.com`, {
            protocolPolicy: OriginProtocolPolicy.HTTPS_ONLY,
            originSslProtocols: [OriginSslPolicy.TLS_V1_2],
            ...(api.edgeSecret !== undefined && { customHeaders: { [EDGE_HEADER]: api.edgeSecret } }),
          }),
          // No redirect: whoever sends a credential over plain HTTP should notice.
          viewerProtocolPolicy: ViewerProtocolPolicy.HTTPS_ONLY,
          allowedMethods: AllowedMethods.ALLOW_ALL,
          cachePolicy: CachePolicy.CACHING_DISABLED,
          responseHeadersPolicy: this.#headers('api', {}),
          // API Gateway knows its own host name only.
          originRequestPolicy: OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
        },
      },
      ...(domainName !== undefined &&
        certificateArn !== undefined && {
          domainNames: [domainName],
          minimumProtocolVersion: SecurityPolicyProtocol.TLS_V1_2_2021,
          certificate: Certificate.fromCertificateArn(this, 'Certificate', certificateArn),
        }),
      ...(webAclArn !== undefined && { webAclId: webAclArn }),
    });

    new UploadedSite(this, 'Upload', { bucket, siteFolder: props.siteFolder, parameters: props.parameters });
    acknowledgeSite(bucket, this.distribution, {
      hasCertificate: certificateArn !== undefined,
      hasWebAcl: webAclArn !== undefined,
    });
  }

  #headers(what: 'site' | 'api', headers: ResponseSecurityHeadersBehavior): ResponseHeadersPolicy {
    return new ResponseHeadersPolicy(this, what === 'site' ? 'Headers' : 'ApiHeaders', {
      responseHeadersPolicyName: this.#globalName(what),
      comment: `Token Orchestrator: the ${what}`,
      securityHeadersBehavior: {
        ...headers,
        strictTransportSecurity: {
          accessControlMaxAge: Duration.days(730),
          includeSubdomains: true,
          override: true,
        },
        contentTypeOptions: { override: true },
      },
    });
  }

  /** CloudFront's names are those of an account, of every stage and region in it. */
  #globalName(what: string): string {
    return `${Stack.of(this).stackName}-${Aws.REGION}-${what}`;
  }
}
