import type { Caller } from '../client.ts';
import { ForbiddenError } from '../errors.ts';

/** A credential that is limited to some pools could otherwise make itself one that is not. @throws ForbiddenError */
export function requireUnlimited(caller: Caller): void {
  if (caller.pools !== undefined) {
    throw new ForbiddenError('A credential that is limited to some pools cannot manage clients');
  }
}
