import { InvalidRequestError } from '../domain/errors.ts';

/** Where the next page starts as an opaque text; undefined where there is none. */
export function encodeCursor(position: string | number | undefined): string | undefined {
  return position === undefined ? undefined : Buffer.from(JSON.stringify(position)).toString('base64url');
}

/** @throws InvalidRequestError when the cursor is not one of this kind of list. */
export function decodeCursor<Kind extends 'string' | 'number'>(
  cursor: string | undefined,
  kind: Kind,
  path = 'cursor',
): (Kind extends 'string' ? string : number) | undefined {
  if (cursor === undefined) return undefined;
  try {
    const position: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (typeof position === kind) return position as never;
  } catch {
    // Answered below.
  }
  throw new InvalidRequestError([{ path, message: 'Must be a cursor of an earlier page' }]);
}
