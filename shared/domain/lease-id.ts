import { randomBytes } from 'node:crypto';

/**
 * What a public lease id carries, so that keep-alive and release are one command on the key's primary key.
 * `proof` is what the key stores as `lease.id`; it includes the lease's length and latest end, so that a
 * caller who forges longer ones holds no lease at all.
 */
export interface LeaseId {
  readonly keyId: string;
  /** The pool's reference. */
  readonly pool: string;
  readonly leaseMs: number;
  /** No keep-alive moves the lease's end further than this. */
  readonly maxExpiresAt?: number | undefined;
  readonly proof: string;
}

const PROOF = /^([0-9a-z]{1,9})(?:-([0-9a-z]{1,9}))?\.[A-Za-z0-9_-]{22}$/;

/** A new proof: the lease's length, its latest end if it has one, and 128 random bits. */
export function generateLeaseProof(leaseMs: number, maxExpiresAt?: number): string {
  const latest = maxExpiresAt === undefined ? '' : `-${maxExpiresAt.toString(36)}`;
  return `${leaseMs.toString(36)}${latest}.${randomBits()}`;
}

let random = Buffer.alloc(0);

/** 128 random bits. Drawn by the thousand: to ask for 16 bytes costs nearly as much as for 16,000. */
function randomBits(): string {
  if (random.length === 0) random = randomBytes(16_000);
  const bits = random.toString('base64url', 0, 16);
  random = random.subarray(16);
  return bits;
}

/** The lease's length in milliseconds, as the proof has it. */
export function leaseMsOfProof(proof: string): number {
  return Number.parseInt(proof, 36);
}

export function encodeLeaseId(parts: { keyId: string; pool: string; proof: string }): string {
  return Buffer.from([parts.keyId, parts.pool, parts.proof].join('|')).toString('base64url');
}

/** Reads a public lease id; undefined when this service cannot have made it. */
export function decodeLeaseId(leaseId: string): LeaseId | undefined {
  const bytes = Buffer.from(leaseId, 'base64url');
  if (bytes.toString('base64url') !== leaseId) return undefined;
  const [keyId, pool, proof, ...rest] = bytes.toString('utf8').split('|');
  if (!keyId || !pool || proof === undefined || rest.length > 0) return undefined;
  const match = PROOF.exec(proof);
  if (match === null) return undefined;
  const maxExpiresAt = match[2] === undefined ? undefined : Number.parseInt(match[2], 36);
  return { keyId, pool, leaseMs: leaseMsOfProof(proof), maxExpiresAt, proof };
}
