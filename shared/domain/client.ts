import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { ForbiddenError } from './errors.ts';

/** `admin`: everything; `client`: leases; `viewer`: reads. */
export type Role = 'admin' | 'client' | 'viewer';

/** Whoever a credential names. */
export interface Client extends SecretFields {
  readonly clientId: string;
  readonly role: Role;
  /** The pools it is limited to; absent: all. */
  readonly pools?: readonly string[] | undefined;
  readonly description?: string | undefined;
  readonly createdAt: number;
  /** The beginning of the hour in which its credential was last used; absent: never. */
  readonly lastUsedAt?: number | undefined;
}

/** What a rotation replaces. */
export interface SecretFields {
  /** SHA-256 of the newest secret, base64url. It has 256 random bits, so that a slow hash would add nothing. */
  readonly secretHash: string;
  /** From when on the newest secret is refused; absent: never. */
  readonly expiresAt?: number | undefined;
  /** The secret before the newest, where it was to stay good for a while, to `expiresAt`. */
  readonly oldSecret?: { readonly hash: string; readonly expiresAt: number } | undefined;
  /** When it got its newest secret; absent: at its creation. */
  readonly rotatedAt?: number | undefined;
}

/** Who makes a call, as the authorizer passed it on. */
export interface Caller {
  readonly clientId: string;
  readonly role: Role;
  readonly pools?: readonly string[] | undefined;
}

/** A credential, split at its first full stop: `<clientId>.<secret>`. */
export interface Credential {
  readonly clientId: string;
  readonly secret: string;
}

const CREDENTIAL = /^([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{16,256})$/;

/** Reads `<clientId>.<secret>`; undefined when it is not of that form. */
export function parseCredential(text: string): Credential | undefined {
  const match = CREDENTIAL.exec(text);
  return match === null ? undefined : { clientId: match[1] as string, secret: match[2] as string };
}

/** A new secret of 256 random bits, base64url. */
export function generateSecret(): string {
  return randomBytes(32).toString('base64url');
}

export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

/** Whether the secret is one of the client's that are good at `now`. */
export function secretIsGood(secret: string, client: Client, now: number): boolean {
  const { secretHash: hash, expiresAt = Number.POSITIVE_INFINITY, oldSecret } = client;
  return [{ hash, expiresAt }, oldSecret].some(
    (one) => one !== undefined && now < one.expiresAt && secretMatches(secret, one.hash),
  );
}

/** Compares in constant time. */
function secretMatches(secret: string, secretHash: string): boolean {
  const expected = Buffer.from(secretHash, 'base64url');
  const actual = createHash('sha256').update(secret).digest();
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

/** Throws {@link ForbiddenError} when the caller is limited to other pools. */
export function requirePool(caller: Caller, pool: string): void {
  if (caller.pools !== undefined && !caller.pools.includes(pool)) {
    throw new ForbiddenError(`The credential is not valid for pool "${pool}"`);
  }
}
