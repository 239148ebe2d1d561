import * as z from 'zod';
import { corsOriginsSchema } from '../../shared/runtime/config.ts';

/** A parameter of the deployment is missing or malformed; the message has one line that says which and what it should be. */
export class ParameterError extends Error {}

function arn(pattern: RegExp, message: string) {
  return z.string(message).regex(pattern, message);
}

function wholeNumber(min: number, max: number) {
  const message = `must be a whole number from ${min} to ${max}`;
  return z.coerce.number(message).int(message).min(min, message).max(max, message);
}

function ids(prefix: string) {
  const message = `must be ids like ${prefix}-0123456789abcdef0, separated by commas`;
  const id = `${prefix}-[0-9a-f]{8}([0-9a-f]{9})?`;
  return z
    .string(message)
    .regex(new RegExp(`^${id}(,${id})*$`), message)
    .transform((text) => text.split(','));
}

/** What CloudWatch Logs accepts up to two years. */
const RETENTION_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731];

const RETENTION_MESSAGE = `must be one of ${RETENTION_DAYS.join(', ')}`;

const parametersSchema = z
  .strictObject({
    /** The cluster, without a credential: the functions authenticate with their IAM roles. */
    mongodbUri: z
      .string('must be the connection string of the cluster')
      .regex(
        /^mongodb(\+srv)?:\/\/[^@\s/?]+(\/[^@\s?]*)?(\?[^@\s]*)?$/,
        'must start with mongodb:// or mongodb+srv:// and carry no credential: one with a password belongs into a secret, see mongodbSecretArn',
      )
      .optional(),
    /** Instead of `mongodbUri`: the secret whose whole text is a connection string with its credential. */
    mongodbSecretArn: arn(
      /^arn:[\w-]+:secretsmanager:[\w-]+:\d{12}:secret:[\w/+=.@-]+-[A-Za-z0-9]{6}$/,
      'must be the whole ARN of a Secrets Manager secret, with the six characters at its end',
    ).optional(),
    /** The customer managed key of that secret, where it has one. */
    secretKeyArn: arn(/^arn:[\w-]+:kms:[\w-]+:\d{12}:key\/\S+$/, 'must be the ARN of a KMS key').optional(),
    /** Where the functions run, for a private endpoint or a NAT gateway with fixed addresses. */
    subnetIds: ids('subnet').optional(),
    securityGroupIds: ids('sg').optional(),
    /** The dashboard's own name; needs a certificate. */
    domainName: z
      .string()
      .regex(/^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/, 'must be a domain name like keys.example.com')
      .optional(),
    certificateArn: arn(
      /^arn:[\w-]+:acm:us-east-1:\d{12}:certificate\/\S+$/,
      'must be the ARN of a certificate in us-east-1, the region that CloudFront reads them from',
    ).optional(),
    webAclArn: arn(
      /^arn:[\w-]+:wafv2:us-east-1:\d{12}:global\/webacl\/\S+$/,
      'must be the ARN of a web ACL for CloudFront: scope global, in us-east-1',
    ).optional(),
    /** The origins whose pages may call the API. */
    corsOrigins: corsOriginsSchema.optional(),
    alarmTopicArn: arn(/^arn:[\w-]+:sns:[\w-]+:\d{12}:[\w-]+$/, 'must be the ARN of an SNS topic').optional(),
    /** Per function. Unset: functions share the account's pool. */
    reservedConcurrency: wholeNumber(1, 1000).optional(),
    logRetentionDays: z.coerce
      .number(RETENTION_MESSAGE)
      .refine((days) => RETENTION_DAYS.includes(days), RETENTION_MESSAGE)
      .default(30),
    tracing: z.enum(['on', 'off'], 'must be on or off').default('off'),
  })
  .superRefine((parameters, context) => {
    const complain = (name: string, message: string): void => {
      context.addIssue({ code: 'custom', path: [name], message });
    };
    const { mongodbUri, mongodbSecretArn, domainName, certificateArn, subnetIds, securityGroupIds } =
      parameters;
    if (mongodbUri === undefined && mongodbSecretArn === undefined) {
      complain(
        'mongodbUri',
        'is missing: -c mongodbUri=mongodb+srv://CLUSTER.mongodb.net, or -c mongodbSecretArn=ARN',
      );
    }
    if (mongodbUri !== undefined && mongodbSecretArn !== undefined) {
      complain(
        'mongodbSecretArn',
        'is given beside mongodbUri: the secret has the whole connection string, so leave one out',
      );
    }
    if (parameters.secretKeyArn !== undefined && mongodbSecretArn === undefined) {
      complain('secretKeyArn', 'is given without mongodbSecretArn');
    }
    if ((domainName === undefined) !== (certificateArn === undefined)) {
      complain(
        domainName === undefined ? 'domainName' : 'certificateArn',
        'is missing: a domain needs both its name and its certificate',
      );
    }
    if ((subnetIds === undefined) !== (securityGroupIds === undefined)) {
      complain(
        subnetIds === undefined ? 'subnetIds' : 'securityGroupIds',
        'is missing: subnets and security groups belong together',
      );
    }
  });

/** The parameters of a deployment, checked. */
export type Parameters = z.output<typeof parametersSchema>;

/** The names that `-c NAME=VALUE` may have. */
const PARAMETER_NAMES = Object.keys(parametersSchema.shape) as readonly (keyof Parameters)[];

/** @param read gives a parameter's text by its name, undefined when it is absent. @throws ParameterError */
export function readParameters(read: (name: string) => unknown): Parameters {
  const given = PARAMETER_NAMES.map((name) => [name, read(name)] as const).filter(
    ([, value]) => value !== undefined && value !== '',
  );
  const parsed = parametersSchema.safeParse(Object.fromEntries(given));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`);
  throw new ParameterError(problems.join('; '));
}
