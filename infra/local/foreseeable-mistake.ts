import { DatabaseUnavailableError } from '../../shared/domain/errors.ts';
import { ConfigError } from '../../shared/runtime/config.ts';
import { DatabaseFileError } from '../../shared/store/sqlite/database-file.ts';

/** Something that the person who starts the program can put right: one line, no stack. */
export class ForeseeableMistake extends Error {}

/** One line that says what is wrong and what to do; undefined for an error that nobody foresaw. */
export function explainMistake(error: unknown): string | undefined {
  if (error instanceof ForeseeableMistake) return error.message;
  if (error instanceof DatabaseFileError) return `${error.message}: check SQLITE_PATH`;
  if (error instanceof ConfigError) return `${error.message} (environment or .env)`;
  if (error instanceof DatabaseUnavailableError) {
    return 'the database does not answer: check MONGODB_URI, that the server runs, and that its network access list has this host';
  }
  const { code, syscall, path, port, address } = error as NodeJS.ErrnoException & {
    port?: number;
    address?: string;
  };
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} is taken: stop the other program, or set PORT to a free one`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${address ?? 'the address'} is not an address of this machine: check HOST`;
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'ENOTDIR':
    case 'EEXIST':
    case 'EISDIR':
      return syscall === 'listen'
        ? `not allowed to listen on port ${port}: set PORT to one above 1023`
        : `cannot write ${path}: make it writable for this user`;
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
