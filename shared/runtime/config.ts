import { existsSync } from 'node:fs';
import * as z from 'zod';
import type { VaultKey, VaultKeys } from '../domain/value-vault.ts';

/** A variable of the environment is missing or malformed; the message names it and says what it should be. */
export class ConfigError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ConfigError';
  }
}

const credentialSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9_-]{1,64}\.[A-Za-z0-9_-]{32,256}$/,
    'must be <clientId>.<secret>, the secret of at least 32 characters',
  );

const mongodbUriSchema = z
  .string()
  .regex(/^mongodb(\+srv)?:\/\/\S+$/, 'must start with mongodb:// or mongodb+srv://');

function wholeNumber(min: number, max: number) {
  const message = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, message)
    .transform(Number)
    .pipe(z.int(message).min(min, message).max(max, message));
}

const CORS_MESSAGE = 'must be * or origins like https://app.example.com, separated by commas';

/** The origins whose pages may call the API: `*` for all, or each as a browser sends it, without a path. */
export const corsOriginsSchema = z
  .string(CORS_MESSAGE)
  .transform((text) => text.split(',').map((origin) => origin.trim()))
  .refine(
    ([first, ...others]) => (first === '*' && others.length === 0) || [first, ...others].every(isOrigin),
    CORS_MESSAGE,
  );

function isOrigin(text = ''): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

const secretArnSchema = z
  .string()
  .regex(
    /^arn:[\w-]+:secretsmanager:[\w-]+:\d{12}:secret:\S+$/,
    'must be the ARN of a Secrets Manager secret',
  );

const poolSizeSchema = wholeNumber(1, 1000);
const VAULT_KEY = /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9_+/=-]{32,256})$/;

/** `<id>:<secret>`, several separated by commas: the first seals values, all of them open. */
const vaultKeysSchema = z.string().transform((text, context): VaultKeys => {
  const keys = text.split(',').map((part): VaultKey => {
    const [, id = '', secret = ''] = VAULT_KEY.exec(part.trim()) ?? [];
    return { id, secret };
  });
  if (keys.some(({ id }) => id === '') || new Set(keys.map(({ id }) => id)).size < keys.length) {
    context.addIssue({
      code: 'custom',
      message:
        'must be <id>:<secret>, the secret of at least 32 characters, or several of them with commas between, each id once',
    });
  }
  return keys as [VaultKey, ...VaultKey[]];
});

/** Whether this text will do as `VALUE_ENCRYPTION_KEY`. */
export function isVaultKey(text: string): boolean {
  return vaultKeysSchema.safeParse(text).success;
}

// Functions, as is the schema of the local host: what nobody calls is left out of the bundles.

/** What is sent to another machine is encrypted. */
function webhookUrl() {
  return z.string().refine((text) => {
    if (!URL.canParse(text)) return false;
    const { protocol, hostname } = new URL(text);
    const isHere = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
    return protocol === 'https:' || (protocol === 'http:' && isHere);
  }, 'must be an address like https://example.com/events; http:// is for receivers on this machine');
}

/** As Standard Webhooks write a secret; each of several signs. */
function webhookSecrets() {
  return z.string().transform((text, context): Uint8Array[] => {
    const secrets = text.split(',').map((part) => {
      const [, base64 = ''] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(part.trim()) ?? [];
      return Buffer.from(base64, 'base64');
    });
    if (secrets.some(({ length }) => length < 24 || length > 64)) {
      context.addIssue({
        code: 'custom',
        message: 'must be whsec_ and 24 to 64 bytes in base64, or several of them with commas between',
      });
    }
    return secrets;
  });
}

const storeVariables = {
  MONGODB_URI: mongodbUriSchema.optional(),
  MONGODB_SECRET_ARN: secretArnSchema.optional(),
  MONGODB_MAX_POOL_SIZE: poolSizeSchema.optional(),
  SQLITE_PATH: z.string().min(1, 'must be a path or :memory:').default('.data/orchestrator.db'),
  SQLITE_SYNCHRONOUS: z.enum(['full', 'normal'], 'must be full or normal').default('full'),
  VALUE_ENCRYPTION_KEY: vaultKeysSchema.optional(),
  VALUE_ENCRYPTION_SECRET_ARN: secretArnSchema.optional(),
  DEFAULT_POOL_SIZE: wholeNumber(0, 10_000).optional(),
  EVENT_RETENTION_HOURS: wholeNumber(1, 8760).default(24),
  CLOCK_SKEW_TOLERANCE_MS: wholeNumber(0, 60_000).default(1000),
};

const runtimeSchema = z.object({
  ...storeVariables,
  /** What CloudFront shows the authorizer, where nothing else may call the API. */
  EDGE_SECRET: z.string().min(32, 'must have at least 32 characters').optional(),
  EVENT_BUS_ARN: z
    .string()
    .regex(/^arn:[\w-]+:events:[\w-]+:\d{12}:event-bus\/\S+$/, 'must be the ARN of an event bus')
    .optional(),
});

function localSchema() {
  const schema = z.object({
    ...storeVariables,
    PORT: wholeNumber(0, 65_535).default(3000),
    HOST: z.string().min(1, 'must be an address to listen on').default('127.0.0.1'),
    /** One process serves every caller, where a Lambda environment serves one. */
    MONGODB_MAX_POOL_SIZE: poolSizeSchema.default(50),
    CORS_ORIGINS: corsOriginsSchema.optional(),
    BOOTSTRAP_CREDENTIAL: credentialSchema.optional(),
    OTEL_EXPORTER_OTLP_ENDPOINT: z
      .url({ protocol: /^https?$/, error: 'must be an address like http://127.0.0.1:4318' })
      .optional(),
    METRICS: z.enum(['on', 'off'], 'must be on or off').optional(),
    LOG_LEVEL: z
      .enum(['DEBUG', 'INFO', 'WARN', 'ERROR'], 'must be DEBUG, INFO, WARN or ERROR')
      .default('WARN'),
    EVENTS_WEBHOOK_URL: webhookUrl().optional(),
    EVENTS_WEBHOOK_SECRET: webhookSecrets().optional(),
  });
  return schema.superRefine((config, context) => {
    const variables = ['EVENTS_WEBHOOK_URL', 'EVENTS_WEBHOOK_SECRET'] as const;
    const missing = variables.filter((name) => config[name] === undefined);
    if (missing.length !== 1) return;
    const message = 'is missing: a webhook needs both its address and its secret';
    context.addIssue({ code: 'custom', path: missing, message });
  });
}

/** What every function needs. */
export type RuntimeConfig = z.output<typeof runtimeSchema>;
/** What the local host needs. */
export type LocalConfig = z.output<ReturnType<typeof localSchema>>;

export function readRuntimeConfig(env: NodeJS.ProcessEnv = process.env): RuntimeConfig {
  return read(runtimeSchema, env);
}

export function readLocalConfig(env: NodeJS.ProcessEnv = process.env): LocalConfig {
  return read(localSchema(), env);
}

/** Whether the local host serves `/metrics`: as `METRICS` says, otherwise where only this machine reaches it. */
export function servesMetrics({ METRICS, HOST }: Pick<LocalConfig, 'METRICS' | 'HOST'>): boolean {
  if (METRICS !== undefined) return METRICS === 'on';
  return HOST === 'localhost' || HOST === '::1' || /^127(\.\d{1,3}){3}$/.test(HOST);
}

/** The connection string that a secret holds, alone and as it is. @throws ConfigError, without the secret */
export function readSecretUri(secret: string): string {
  const parsed = mongodbUriSchema.safeParse(secret.trim());
  if (parsed.success) return parsed.data;
  throw new ConfigError('The secret of MONGODB_SECRET_ARN must start with mongodb:// or mongodb+srv://');
}

/**
 * The vault's keys that a secret holds, in the form of `VALUE_ENCRYPTION_KEY`; one secret without an id, as the deployment
 * makes it, goes by the id `first`. @throws ConfigError, without the secret
 */
export function readVaultSecret(secret: string): VaultKeys {
  const text = secret.trim();
  const parsed = vaultKeysSchema.safeParse(text.includes(':') ? text : `first:${text}`);
  if (parsed.success) return parsed.data;
  throw new ConfigError(`The secret of VALUE_ENCRYPTION_SECRET_ARN ${parsed.error.issues[0]?.message}`);
}

/** Reads `.env` of the working directory, if there is one; what is already set stays. @throws ConfigError */
export function loadEnvFile(): void {
  if (!existsSync('.env')) return;
  try {
    process.loadEnvFile('.env');
  } catch (error) {
    throw new ConfigError('.env must be a text file that this user may read', { cause: error });
  }
}

/** Sets a variable that the environment does not have; functions that run as bundles read it there. */
export function provideVariable(name: string, value: string): void {
  process.env[name] ||= value;
}

/** Empty variables count as unset. The message has the variable and the rule, never the value: it may be a secret. */
function read<Schema extends z.ZodType>(schema: Schema, env: NodeJS.ProcessEnv): z.output<Schema> {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = schema.safeParse(set);
  if (parsed.success) return parsed.data;
  throw new ConfigError(
    parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`).join('; '),
  );
}
