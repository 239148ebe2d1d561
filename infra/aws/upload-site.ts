import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { BucketDeployment, CacheControl, Source } from 'aws-cdk-lib/aws-s3-deployment';
import { Construct } from 'constructs';
import { acknowledgeUploader } from './acknowledged-findings.ts';
import type { Parameters } from './parameters.ts';

/** Names with the hash of their content, from the dashboard's build: `NAME-XXXXXXXX.EXTENSION`. */
const HASHED_FILES = ['*-????????.js', '*-????????.css', '*-????????.woff2'];

/** Uploaded when the dashboard was not built, so that the stack can always be synthesized. */
const NOT_BUILT_FOLDER = join(import.meta.dirname, 'site-not-built');

/**
 * Puts the dashboard's files into the bucket: hashed ones first, kept by browsers for good; then the rest, which is
 * never kept without asking. Hashed files of older versions stay, for the pages that are open while a deployment runs.
 */
export class UploadedSite extends Construct {
  constructor(
    scope: Construct,
    id: string,
    props: { bucket: IBucket; siteFolder: string; parameters: Parameters },
  ) {
    super(scope, id);
    const { bucket, parameters } = props;
    const isBuilt = existsSync(join(props.siteFolder, 'index.html'));
    const files = new Asset(this, 'Files', { path: isBuilt ? props.siteFolder : NOT_BUILT_FOLDER });
    const logGroup = new LogGroup(this, 'Log', {
      retention: parameters.logRetentionDays as RetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = makeRole(this, bucket, files, logGroup);

    const settings = {
      destinationBucket: bucket,
      sources: [Source.bucket(files.bucket, files.s3ObjectKey)],
      prune: false,
      // Deleting the stack deletes the files, so that the bucket can be deleted.
      retainOnDelete: false,
      role: role.withoutPolicyUpdates(),
      logGroup,
    };
    const hashed = new BucketDeployment(this, 'HashedFiles', {
      ...settings,
      exclude: ['*'],
      include: HASHED_FILES,
      cacheControl: [CacheControl.fromString('public, max-age=31536000, immutable')],
    });
    const others = new BucketDeployment(this, 'OtherFiles', {
      ...settings,
      exclude: HASHED_FILES,
      cacheControl: [CacheControl.noCache()],
    });
    hashed.node.addDependency(role);
    others.node.addDependency(hashed);
    for (const child of Stack.of(this).node.children) {
      if (child.node.id.startsWith('Custom::CDKBucketDeployment')) acknowledgeUploader(role, child, bucket);
    }
  }
}

/** Narrower than what CDK would grant: all reading and writing, on the bucket of all assets too. */
function makeRole(scope: Construct, bucket: IBucket, files: Asset, logGroup: LogGroup): Role {
  const role = new Role(scope, 'Role', {
    assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    description: "Token Orchestrator: uploads the dashboard's files",
  });
  const allow = (resource: string, ...actions: string[]): void => {
    role.addToPolicy(new PolicyStatement({ actions, resources: [resource] }));
  };
  allow(logGroup.logGroupArn, 'logs:CreateLogStream', 'logs:PutLogEvents');
  allow(files.bucket.arnForObjects(files.s3ObjectKey), 's3:GetObject');
  allow(bucket.bucketArn, 's3:GetBucketTagging', 's3:ListBucket');
  allow(
    bucket.arnForObjects('*'),
    's3:AbortMultipartUpload',
    's3:DeleteObject',
    's3:GetObject',
    's3:PutObject',
  );
  return role;
}
