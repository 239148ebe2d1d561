import { DatabaseUnavailableError } from '../../shared/domain/errors.ts';
import { ConfigError } from '../../shared/runtime/config.ts';
import { DatabaseFileError } from '../../shared/store/sqlite/errors.ts';

/** Something that the person who starts the program can put right: one line, no stack. */
export class ForeseeableMistake extends Error {}

/** One line that says what is wrong and what to do; undefined for an error that nobody foresaw. */
export function explainMistake(error: unknown): string | undefined {
  if (error instanceof ForeseeableMistake) return error.message;
  if (error instanceof DatabaseFileError) return `${error.message}: check SQLITE_PATH`;
  if (error instanceof ConfigError) return `${error.message} (environment or .env)`;
  if (error instanceof DatabaseUnavailableError) return explainUnavailable(error.cause);
  return explainDriverError(error) ?? explainSystemError(error as SystemError);
}

function explainUnavailable(cause: unknown): string {
  if ((cause as NodeJS.ErrnoException | undefined)?.code === 'ERR_SQLITE_ERROR') {
    return 'the SQLite database does not answer: check that the disk has room, and that no other program locks SQLITE_PATH';
  }
  const mistake = explainRefusal(cause) ?? explainAwsError(cause);
  if (mistake !== undefined) return mistake;
  return 'the database does not answer: check MONGODB_URI (or the secret of MONGODB_SECRET_ARN), that the server runs, and that its network access list has this host';
}

/** By the names of the AWS SDK, which reads the secret of MONGODB_SECRET_ARN and finds the credentials of a role. */
function explainAwsError(error: unknown): string | undefined {
  const { name, message, hostname } = (error ?? {}) as Error & { hostname?: string };
  switch (name) {
    case 'CredentialsProviderError':
      return 'there are no AWS credentials here: run aws sso login, or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY';
    case 'ExpiredTokenException':
    case 'InvalidSignatureException':
    case 'UnrecognizedClientException':
      return 'AWS refuses the credentials of this host: they are wrong or have expired; log in again';
    case 'AccessDeniedException':
      return 'the AWS credentials of this host may not read the secret of MONGODB_SECRET_ARN: allow them secretsmanager:GetSecretValue, and kms:Decrypt where the secret has a key of its own';
    case 'DecryptionFailure':
      return 'the secret of MONGODB_SECRET_ARN cannot be decrypted: check that its KMS key is enabled';
    case 'ResourceNotFoundException':
      return 'there is no secret MONGODB_SECRET_ARN: check its region, its account and the six characters at its end, and that it has a value';
    case 'InvalidRequestException':
      return 'the secret of MONGODB_SECRET_ARN cannot be read: it is marked for deletion';
    default:
      break;
  }
  const isSecretsManager = `${hostname} ${message}`.includes('secretsmanager.');
  return isSecretsManager
    ? 'Secrets Manager does not answer: check the region in MONGODB_SECRET_ARN, and the way from here to it'
    : undefined;
}

function explainRefusal(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { code?: unknown };
  return [13, 18, 8000].includes(code as number)
    ? 'the database refuses the user of MONGODB_URI (or of the secret of MONGODB_SECRET_ARN): check its name, its password, and that it may read and write'
    : undefined;
}

/** By name, so that a host on SQLite loads no driver. What the driver says may hold a part of the password. */
function explainDriverError(error: unknown): string | undefined {
  const { name, message, cause } = error as Error;
  if (name === 'MongoAWSError') return explainAwsError(cause);
  if (!/^Mongo(Parse|Runtime|API|InvalidArgument|MissingCredentials)Error$/.test(name)) return undefined;
  const [unsupported] = /\boptions? [\w, ]+ (is|are) not supported/.exec(message) ?? [];
  return `MONGODB_URI cannot be used: ${unsupported ?? 'check its hosts and options, and that user and password are percent-encoded'}`;
}

type SystemError = NodeJS.ErrnoException & { port?: number; address?: string; hostname?: string };

function explainSystemError({
  code,
  syscall,
  path,
  port,
  address,
  hostname,
}: SystemError): string | undefined {
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} is taken: stop the other program, or set PORT to a free one`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `${address ?? hostname} is not an address of this machine: check HOST`;
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return syscall === 'listen'
        ? `not allowed to listen on port ${port}: set PORT to one above 1023`
        : `cannot use ${path}: let this user read and write it`;
    case 'ENOTDIR':
    case 'EEXIST':
    case 'EISDIR':
      return `cannot use ${path}: there is a file where a folder should be, or a folder where a file should be`;
    default:
      return undefined;
  }
}

/** Ends the program: with one line for a mistake that can be put right, with the stack for one of ours. */
export function failWith(error: unknown): never {
  const explanation = explainMistake(error);
  if (explanation === undefined) console.error(error);
  else console.error(`token-orchestrator: ${explanation}`);
  process.exit(1);
}
