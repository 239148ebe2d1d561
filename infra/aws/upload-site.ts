import { Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { BucketDeployment, CacheControl, Source } from 'aws-cdk-lib/aws-s3-deployment';
import { Construct } from 'constructs';
import { acknowledgeEmptier, acknowledgeUploader } from './acknowledged-findings.ts';
import type { Parameters } from './parameters.ts';
import { ServiceLogGroup } from './service-log-group.ts';

/** Names with the hash of their content, from the dashboard's build: `NAME-XXXXXXXX.EXTENSION`. */
const HASHED_FILES = ['*-????????.js', '*-????????.css', '*-????????.woff2'];

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
    const files = new Asset(this, 'Files', { path: props.siteFolder });
    const logGroup = new ServiceLogGroup(this, 'Log', parameters);
    const role = makeRole(this, bucket, files, logGroup);

    const settings = {
      destinationBucket: bucket,
      sources: [Source.bucket(files.bucket, files.s3ObjectKey)],
      prune: false,
      // The bucket deletes its files before it goes. The uploader would not: it sees that its own tag is on the bucket.
      retainOnDelete: true,
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
    // The bucket as a whole: what empties it must be there before the first file, and go after the uploads.
    hashed.node.addDependency(role, bucket);
    others.node.addDependency(hashed);
    for (const child of Stack.of(this).node.children) {
      if (child.node.id.startsWith('Custom::CDKBucketDeployment')) acknowledgeUploader(role, child, bucket);
      if (child.node.id.startsWith('Custom::S3AutoDelete')) acknowledgeEmptier(child);
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
  allow(bucket.bucketArn, 's3:ListBucket');
  allow(bucket.arnForObjects('*'), 's3:AbortMultipartUpload', 's3:GetObject', 's3:PutObject');
  return role;
}
