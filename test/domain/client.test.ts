import { describe, expect, it } from 'vitest';
import {
  type Client,
  generateSecret,
  hashSecret,
  parseCredential,
  requirePool,
  secretIsGood,
} from '../../shared/domain/client.ts';
import { ForbiddenError } from '../../shared/domain/errors.ts';

const SECRET = 'abcdefghijklmnopqrstuvwxyz012345';
const NOW = Date.UTC(2026, 0, 1);

function clientWith(differing: Partial<Client>): Client {
  return { clientId: 'alice', role: 'client', secretHash: '', createdAt: NOW, ...differing };
}

describe('a credential', () => {
  it('is the id of a client and a secret, with a full stop between', () => {
    expect(parseCredential(`client_1.${SECRET}`)).toEqual({ clientId: 'client_1', secret: SECRET });
  });

  it('is read as it was made', () => {
    const secret = generateSecret();

    expect(parseCredential(`client_1.${secret}`)).toEqual({ clientId: 'client_1', secret });
  });

  it.each([
    '',
    '.',
    'client_1',
    'client_1.',
    `.${SECRET}`,
    'client_1.short',
    `client_1.${SECRET}.${SECRET}`,
    `client_1.${SECRET}\n`,
    ` client_1.${SECRET}`,
    `client 1.${SECRET}`,
    `${'c'.repeat(65)}.${SECRET}`,
    `client_1.${'s'.repeat(257)}`,
    `client_1.${SECRET}ä`,
  ])('is not %j', (text) => {
    expect(parseCredential(text)).toBeUndefined();
  });
});

describe('a secret', () => {
  it('has 256 random bits', () => {
    const secrets = Array.from({ length: 100 }, generateSecret);

    expect(new Set(secrets).size).toBe(100);
    for (const secret of secrets) expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
  });

  it('matches its own hash, which does not tell it', () => {
    const hash = hashSecret(SECRET);

    expect(secretIsGood(SECRET, clientWith({ secretHash: hash }), NOW)).toBe(true);
    expect(hash).not.toContain(SECRET);
    expect(Buffer.from(hash, 'base64url')).toHaveLength(32);
  });

  it.each([
    ['another secret', hashSecret(`${SECRET}x`)],
    ['a hash that differs in its last bits', `${hashSecret(SECRET).slice(0, -2)}AA`],
    ['a hash that is cut short', hashSecret(SECRET).slice(0, 20)],
    ['a hash that is longer', `${hashSecret(SECRET)}AAAA`],
    ['no hash', ''],
    ['the secret itself', SECRET],
  ])('does not match %s, and no length is an exception', (_what, hash) => {
    const oldSecret = { hash, expiresAt: NOW + 1 };
    expect(secretIsGood(SECRET, clientWith({ secretHash: hash, oldSecret }), NOW)).toBe(false);
  });

  it('is good before its own end and not from it on, whichever of the two it is', () => {
    const [newest, old] = ['n', 'o'].map((letter) => letter.repeat(32)) as [string, string];
    const client = clientWith({
      secretHash: hashSecret(newest),
      expiresAt: NOW + 20,
      oldSecret: { hash: hashSecret(old), expiresAt: NOW + 10 },
    });
    const good = (now: number) => [newest, old].map((secret) => secretIsGood(secret, client, now));
    expect(good(NOW + 9)).toEqual([true, true]);
    expect(good(NOW + 10)).toEqual([true, false]);
    expect(good(NOW + 19)).toEqual([true, false]);
    expect(good(NOW + 20)).toEqual([false, false]);
  });
});

describe('a caller', () => {
  it('that is limited to no pools may use every one', () => {
    expect(() => requirePool({ clientId: 'alice', role: 'client' }, 'licences')).not.toThrow();
  });

  it('that is limited to some may use those, and no others', () => {
    const caller = { clientId: 'alice', role: 'client', pools: ['licences', 'cards'] } as const;

    expect(() => requirePool(caller, 'cards')).not.toThrow();
    expect(() => requirePool(caller, 'card')).toThrow(ForbiddenError);
    expect(() => requirePool({ ...caller, pools: [] }, 'cards')).toThrow(ForbiddenError);
  });
});
