import { describe, expect, it } from 'vitest';
import { ValueVault } from '../../shared/domain/value-vault.ts';

const OLD = { id: 'old', secret: 'a secret of at least 32 characters' };
const NEW = { id: 'new', secret: 'another secret of 32 characters !' };
const BOUND = { pool: 'licences', keyId: 'key_1' };
const VALUE = 'sk-live-ü☃-"quoted"\n\0';

describe('a vault', () => {
  const vault = new ValueVault([OLD]);

  it('opens what it has sealed, whatever text that is', () => {
    for (const value of [VALUE, 'x', 'x'.repeat(4096), '☃'.repeat(1365)]) {
      const sealed = vault.seal(value, BOUND);
      expect(sealed).toMatch(/^old\.[A-Za-z0-9_-]+$/);
      expect(sealed).not.toContain(Buffer.from(value).toString('base64url'));
      expect(vault.open(sealed, BOUND)).toBe(value);
    }
  });

  it('seals the same value differently each time', () => {
    expect(new Set(Array.from({ length: 100 }, () => vault.seal(VALUE, BOUND))).size).toBe(100);
  });

  it('opens nothing of another key or pool, nor anything that was changed', () => {
    const sealed = vault.seal(VALUE, BOUND);
    for (const bound of [
      { ...BOUND, keyId: 'key_2' },
      { ...BOUND, pool: 'other' },
      { pool: 'licences\nkey_1', keyId: '' },
    ]) {
      expect(() => vault.open(sealed, bound)).toThrow();
    }
    const bytes = Buffer.from(sealed.slice(4), 'base64url');
    for (let index = 0; index < bytes.length; index += 1) {
      const changed = Buffer.from(bytes);
      changed[index] = (changed[index] as number) ^ 1;
      expect(() => vault.open(`old.${changed.toString('base64url')}`, BOUND)).toThrow();
    }
    for (const wrong of ['', '.', 'old', 'old.', 'old.AAAA', `${sealed.slice(0, -30)}`]) {
      expect(() => vault.open(wrong, BOUND)).toThrow();
    }
  });

  it('opens what was sealed with any of its keys, and seals with the first', () => {
    const rotated = new ValueVault([NEW, OLD]);
    const before = vault.seal(VALUE, BOUND);
    const after = rotated.seal(VALUE, BOUND);

    expect(after).toMatch(/^new\./);
    for (const sealed of [before, after]) expect(rotated.open(sealed, BOUND)).toBe(VALUE);
    expect(() => vault.open(after, BOUND)).toThrow(/not configured: "new"/);
    expect(() => new ValueVault([NEW]).open(before, BOUND)).toThrow(/not configured: "old"/);
    expect(() => new ValueVault([{ ...OLD, secret: NEW.secret }]).open(before, BOUND)).toThrow();
  });

  it('finds a value by a hash for each of its keys, the first key’s first, which says nothing without the key', () => {
    const rotated = new ValueVault([NEW, OLD]);
    const [current, former, ...others] = rotated.hashes('licences', VALUE);

    expect(others).toEqual([]);
    expect(vault.hashes('licences', VALUE)).toEqual([former]);
    expect(current).not.toBe(former);
    const hashes = [
      current,
      former,
      ...rotated.hashes('other', VALUE),
      ...rotated.hashes('licences', `${VALUE} `),
      ...new ValueVault([{ id: 'old', secret: NEW.secret }]).hashes('licences', 'x'),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
    for (const hash of hashes) expect(hash).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });
});
