import { DatabaseUnavailableError } from '../../../shared/domain/errors.ts';

const ATTEMPTS = 10;

/**
 * Repeats what is safe to repeat while the database does not answer, as clients do. Under many commands at once the
 * stand-in for MongoDB drops a connection now and then, and whatever waits for one fails with it.
 */
export async function persistently<Result>(operation: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await operation();
    } catch (error) {
      if (!(error instanceof DatabaseUnavailableError) || attempt === ATTEMPTS) throw error;
    }
  }
}
