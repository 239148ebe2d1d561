import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

/** A secret that values are sealed with, and the name under which sealed values refer to it. */
export interface VaultKey {
  readonly id: string;
  /** At least 256 random bits, in whatever form. */
  readonly secret: string;
}

/** The first one seals; all of them open, so that keys can be rotated. */
export type VaultKeys = readonly [VaultKey, ...VaultKey[]];

const ALGORITHM = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Keeps imported values: sealed at rest with AES-256-GCM (NIST SP 800-38D), and found again by a keyed hash
 * (HMAC-SHA-256) that tells nothing to whoever has the database alone. The pool and the key id are bound in, so that a
 * sealed value that is moved to another key does not open.
 */
export class ValueVault {
  readonly #keys: ReadonlyMap<string, { sealing: Buffer; hashing: Buffer }>;
  readonly #current: string;

  constructor(keys: VaultKeys) {
    this.#current = keys[0].id;
    this.#keys = new Map(
      keys.map(({ id, secret }) => [
        id,
        { sealing: derive(secret, 'seal'), hashing: derive(secret, 'hash') },
      ]),
    );
  }

  /** The value as it is stored: the id of the vault's key, a full stop, and initial vector, tag and ciphertext. */
  seal(value: string, bound: { pool: string; keyId: string }): string {
    const { sealing } = this.#key(this.#current);
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(ALGORITHM, sealing, iv).setAAD(boundData(bound));
    const ciphertext = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
    return `${this.#current}.${Buffer.concat([iv, cipher.getAuthTag(), ciphertext]).toString('base64url')}`;
  }

  /** @throws Error when the vault's key is unknown, or the sealed value is not the one of this key */
  open(sealed: string, bound: { pool: string; keyId: string }): string {
    const stop = sealed.indexOf('.');
    const { sealing } = this.#key(sealed.slice(0, stop));
    const bytes = Buffer.from(sealed.slice(stop + 1), 'base64url');
    const decipher = createDecipheriv(ALGORITHM, sealing, bytes.subarray(0, IV_BYTES))
      .setAAD(boundData(bound))
      .setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    return decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
  }

  /** The hashes under which a value may stand in a pool, one for each of the vault's keys; new ones use the first. */
  hashes(pool: string, value: string): string[] {
    return [...this.#keys.values()].map(({ hashing }) =>
      createHmac('sha256', hashing).update(`${pool}\n${value}`).digest('base64url'),
    );
  }

  #key(id: string): { sealing: Buffer; hashing: Buffer } {
    const key = this.#keys.get(id);
    if (key === undefined) throw new Error(`The value is sealed with a key that is not configured: "${id}"`);
    return key;
  }
}

function boundData({ pool, keyId }: { pool: string; keyId: string }): Buffer {
  return Buffer.from(`${pool}\n${keyId}`);
}

function derive(secret: string, use: 'seal' | 'hash'): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `token-orchestrator ${use}`, 32));
}
