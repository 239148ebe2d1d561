import * as z from 'zod';
import { corsOriginsSchema } from '../../shared/runtime/config.ts';

/** A parameter of the deployment is missing or malformed; the message has one line that says which and what it should be. */
export class ParameterError extends Error {
  /** Nothing is wrong but that no database is named yet. */
  readonly lacksDatabaseAlone: boolean;

  constructor(message: string, lacksDatabaseAlone = false) {
    super(message);
    this.lacksDatabaseAlone = lacksDatabaseAlone;
  }
}

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

/** How long a canary may take, of those that CodeDeploy knows. */
const CANARY_MINUTES = [5, 10, 15, 30];

const RETENTION_MESSAGE = `must be one of ${RETENTION_DAYS.join(', ')}`;

const CANARY_MESSAGE = `must be one of ${CANARY_MINUTES.join(', ')}`;

const TAGS_MESSAGE = 'must be NAME=VALUE, several separated by commas';

const switchSchema = z.enum(['on', 'off'], 'must be on or off').default('off');

const domainNameSchema = z
  .string()
  .regex(/^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/, 'must be a domain name like keys.example.com');

const DATABASE_MISSING =
  'is missing: -c mongodbUri=mongodb+srv://CLUSTER.mongodb.net, or -c mongodbSecretArn=ARN';

const parametersSchema = z
  .strictObject({
    /** Which of several deployments in an account this is. In `prod` nothing is deleted by accident. */
    stage: z
      .string()
      .regex(/^[a-z][a-z0-9]{0,11}$/, 'must be up to 12 small letters and digits, like prod')
      .optional(),
    /** `TokenOrchestrator`, or `TokenOrchestrator-STAGE`. Short, since names of roles start with it. */
    stackName: z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9-]{0,35}$/, 'must be up to 36 letters, digits and hyphens, a letter first')
      .optional(),
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
    domainName: domainNameSchema.optional(),
    certificateArn: arn(
      /^arn:[\w-]+:acm:us-east-1:\d{12}:certificate\/\S+$/,
      'must be the ARN of a certificate in us-east-1, the region that CloudFront reads them from',
    ).optional(),
    webAclArn: arn(
      /^arn:[\w-]+:wafv2:us-east-1:\d{12}:global\/webacl\/\S+$/,
      'must be the ARN of a web ACL for CloudFront: scope global, in us-east-1',
    ).optional(),
    /** The API's own name, for programs that go past CloudFront; its certificate is in the stack's region. */
    apiDomainName: domainNameSchema.optional(),
    apiCertificateArn: arn(
      /^arn:[\w-]+:acm:[\w-]+:\d{12}:certificate\/\S+$/,
      'must be the ARN of a certificate in the region of the stack',
    ).optional(),
    /** Makes a web ACL with AWS' managed rules, in a stack of its own in us-east-1. */
    managedRules: switchSchema,
    /** Only what comes through CloudFront, and so through the web ACL, is let in. */
    closeDirectApi: switchSchema,
    /** The origins whose pages may call the API. */
    corsOrigins: corsOriginsSchema.optional(),
    alarmTopicArn: arn(/^arn:[\w-]+:sns:[\w-]+:\d{12}:[\w-]+$/, 'must be the ARN of an SNS topic').optional(),
    /** From which share on the alarms of pools and leases ring. */
    alarmFreePercent: wholeNumber(0, 100).default(10),
    alarmRefusedPercent: wholeNumber(0, 100).default(50),
    alarmLapsedPercent: wholeNumber(0, 100).default(10),
    /** What the account may cost a month, in US dollars, before the topic or `budgetEmail` hears of it. */
    monthlyBudgetUsd: wholeNumber(1, 1_000_000).optional(),
    budgetEmail: z.email('must be an address like on-call@example.com').optional(),
    /** Requests per second and at once, of the API as a whole. */
    rateLimit: wholeNumber(1, 100_000).default(1000),
    burstLimit: wholeNumber(1, 100_000).default(500),
    memoryMb: wholeNumber(256, 10_240).default(512),
    /** Environments that are kept ready, of each function that the holders of leases wait for. */
    provisionedConcurrency: wholeNumber(1, 1000).optional(),
    /** A deployment gives a tenth of the requests to new code for so long, and takes it back when an alarm rings. */
    canaryMinutes: z.coerce
      .number(CANARY_MESSAGE)
      .refine((minutes) => CANARY_MINUTES.includes(minutes), CANARY_MESSAGE)
      .optional(),
    /** Per function. Unset: functions share the account's pool. */
    reservedConcurrency: wholeNumber(1, 1000).optional(),
    eventRetentionHours: wholeNumber(1, 8760).optional(),
    logRetentionDays: z.coerce
      .number(RETENTION_MESSAGE)
      .refine((days) => RETENTION_DAYS.includes(days), RETENTION_MESSAGE)
      .default(30),
    /** `on`: X-Ray alone, per invocation. `otlp`: spans of requests and of the database's commands, with one of the next two. */
    tracing: z.enum(['on', 'off', 'otlp'], 'must be on, off or otlp').default('off'),
    /** The layer of a collector that takes spans on port 4318 of the function's own machine, for ARM64. */
    tracingLayerArn: arn(
      /^arn:[\w-]+:lambda:[\w-]+:\d{12}:layer:[\w-]+:\d+$/,
      'must be the ARN of a version of a Lambda layer',
    ).optional(),
    /** A collector that takes spans from the functions directly. */
    otlpEndpoint: z
      .string()
      .regex(
        /^https?:\/\/[^\s/?#@]+(\/[^\s?#@]*)?$/,
        'must be an address like https://collector.example.com:4318, without a credential',
      )
      .optional(),
    /** Of the requests that come without a decision of the caller's or of X-Ray. */
    tracingPercent: wholeNumber(1, 100).default(100),
    tags: z
      .string(TAGS_MESSAGE)
      .regex(/^[\w .:/+@-]{1,128}=[\w .:/+@-]{0,256}(,[\w .:/+@-]{1,128}=[\w .:/+@-]{0,256})*$/, TAGS_MESSAGE)
      .refine((text) => !/(^|,)aws:/i.test(text), "must not start with aws:, which is AWS' own")
      .transform((text) => text.split(',').map((tag) => tag.split('=') as [string, string]))
      .optional(),
    permissionsBoundaryArn: arn(
      /^arn:[\w-]+:iam::(\d{12}|aws):policy\/\S+$/,
      'must be the ARN of a managed policy',
    ).optional(),
  })
  .superRefine((parameters, context) => {
    const complain = (name: string, message: string): void => {
      context.addIssue({ code: 'custom', path: [name], message });
    };
    const { mongodbUri, mongodbSecretArn, managedRules, webAclArn, closeDirectApi } = parameters;
    if (mongodbUri === undefined && mongodbSecretArn === undefined) {
      complain('mongodbUri', DATABASE_MISSING);
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
    const together = (first: keyof typeof parameters, second: keyof typeof parameters, why: string): void => {
      if ((parameters[first] === undefined) === (parameters[second] === undefined)) return;
      complain(parameters[first] === undefined ? first : second, `is missing: ${why}`);
    };
    together('domainName', 'certificateArn', 'a domain needs both its name and its certificate');
    together('apiDomainName', 'apiCertificateArn', 'a domain needs both its name and its certificate');
    const { tracing, tracingLayerArn, otlpEndpoint } = parameters;
    if (tracing === 'otlp' && (tracingLayerArn === undefined) === (otlpEndpoint === undefined)) {
      complain('tracing', 'is otlp: give it one of tracingLayerArn and otlpEndpoint');
    }
    if (tracing !== 'otlp' && (tracingLayerArn ?? otlpEndpoint) !== undefined) {
      complain('tracing', 'must be otlp where tracingLayerArn or otlpEndpoint is given');
    }
    together('subnetIds', 'securityGroupIds', 'subnets and security groups belong together');
    if (managedRules === 'on' && webAclArn !== undefined) {
      complain('webAclArn', 'is given beside managedRules, which makes a web ACL: leave one out');
    }
    if (closeDirectApi === 'on' && parameters.apiDomainName !== undefined) {
      complain('closeDirectApi', 'leaves nobody to use apiDomainName: leave one out');
    }
    if (parameters.budgetEmail !== undefined && parameters.monthlyBudgetUsd === undefined) {
      complain('budgetEmail', 'is given without monthlyBudgetUsd');
    }
    if (
      parameters.monthlyBudgetUsd !== undefined &&
      parameters.budgetEmail === undefined &&
      parameters.alarmTopicArn === undefined
    ) {
      complain('monthlyBudgetUsd', 'has nobody to tell: add budgetEmail or alarmTopicArn');
    }
    const { provisionedConcurrency = 0, reservedConcurrency = Infinity } = parameters;
    if (provisionedConcurrency > reservedConcurrency) {
      complain('provisionedConcurrency', 'must not be over reservedConcurrency');
    }
  });

/** The parameters of a deployment, checked. */
export type Parameters = z.output<typeof parametersSchema>;

/** The names that `-c NAME=VALUE` may have. */
export const PARAMETER_NAMES = Object.keys(parametersSchema.shape) as readonly string[];

/** @param context everything that `-c` and `cdk.json` say, the settings of CDK itself among it. @throws ParameterError */
export function readParameters(context: Readonly<Record<string, unknown>>): Parameters {
  const given = Object.entries(context).filter(([name]) => !isSettingOfCdk(name));
  for (const [name] of given) {
    if (!PARAMETER_NAMES.includes(name)) {
      throw new ParameterError(
        `${name} is no parameter: is ${closestTo(name)} meant? docs/deploy.md has all`,
      );
    }
  }
  const parsed = parametersSchema.safeParse(Object.fromEntries(given.filter(([, value]) => value !== '')));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`);
  const [first, ...others] = problems;
  throw new ParameterError(
    problems.join('; '),
    first === `mongodbUri ${DATABASE_MISSING}` && others.length === 0,
  );
}

function isSettingOfCdk(name: string): boolean {
  return name.startsWith('@') || name.includes(':') || name === 'acknowledged-issue-numbers';
}

/** The parameter that takes the fewest letters to add, drop or change; where that is a tie, the first. */
function closestTo(name: string): string {
  const distances = PARAMETER_NAMES.map(
    (known) => [distance(name.toLowerCase(), known.toLowerCase()), known] as const,
  );
  return distances.reduce((closest, next) => (next[0] < closest[0] ? next : closest))[1];
}

function distance(from: string, to: string): number {
  let row = [...Array(to.length + 1).keys()];
  for (const [i, letter] of [...from].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...to].entries()) {
      next.push(
        Math.min(
          (next[j] as number) + 1,
          (row[j + 1] as number) + 1,
          (row[j] as number) + (letter === other ? 0 : 1),
        ),
      );
    }
    row = next;
  }
  return row[to.length] as number;
}

/** What the stack is called; also of parameters that are not checked yet, to say what is wrong with them. */
export function stackNameOf({ stackName, stage }: { stackName?: unknown; stage?: unknown }): string {
  if (typeof stackName === 'string' && stackName !== '') return stackName;
  return typeof stage === 'string' && stage !== '' ? `TokenOrchestrator-${stage}` : 'TokenOrchestrator';
}
