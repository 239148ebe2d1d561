import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeLeaseId,
  encodeLeaseId,
  generateLeaseProof,
  leaseMsOfProof,
} from '../../shared/domain/lease-id.ts';

const KEY_ID = 'key_5hVbnkXyG1Nv0eWcXl4Zzw';
const POOL = 'licences/000000000000042';

const encodeText = (text: string) => Buffer.from(text).toString('base64url');

describe('a lease id', () => {
  it('carries the key, the pool, the length of the lease and the proof', () => {
    const proof = generateLeaseProof(60_000);

    expect(decodeLeaseId(encodeLeaseId({ keyId: KEY_ID, pool: POOL, proof }))).toEqual({
      keyId: KEY_ID,
      pool: POOL,
      leaseMs: 60_000,
      proof,
    });
  });

  it.each([1, 1000, 60_000, 86_400_000])(
    'has a proof that tells a lease of %d ms, and 128 random bits',
    (leaseMs) => {
      const proof = generateLeaseProof(leaseMs);

      expect(leaseMsOfProof(proof)).toBe(leaseMs);
      expect(Buffer.from(proof.split('.')[1] as string, 'base64url')).toHaveLength(16);
    },
  );

  it('is different each time, for the same key and length', () => {
    const proofs = Array.from({ length: 100 }, () => generateLeaseProof(60_000));

    expect(new Set(proofs).size).toBe(100);
  });

  it('is fit for a path of the API, also for the longest names', () => {
    const leaseId = encodeLeaseId({
      keyId: 'k'.repeat(64),
      pool: `${'p'.repeat(63)}/000000000000042`,
      proof: generateLeaseProof(86_400_000),
    });

    expect(leaseId).toMatch(/^[A-Za-z0-9_-]{1,512}$/);
  });

  it.each([
    ['nothing', ''],
    ['no base64url', 'not base64url!'],
    ['a form that base64url does not give', `${encodeText(`${KEY_ID}|${POOL}|1.${'A'.repeat(22)}`)}=`],
    ['too few parts', encodeText(`${KEY_ID}|${POOL}`)],
    ['too many parts', encodeText(`${KEY_ID}|${POOL}|1.${'A'.repeat(22)}|more`)],
    ['no key', encodeText(`|${POOL}|1.${'A'.repeat(22)}`)],
    ['no pool', encodeText(`${KEY_ID}||1.${'A'.repeat(22)}`)],
    ['a proof without a length', encodeText(`${KEY_ID}|${POOL}|.${'A'.repeat(22)}`)],
    ['a proof that is too long', encodeText(`${KEY_ID}|${POOL}|1.${'A'.repeat(23)}`)],
    ['a proof that is too short', encodeText(`${KEY_ID}|${POOL}|1.${'A'.repeat(21)}`)],
    ['a negative length', encodeText(`${KEY_ID}|${POOL}|-1.${'A'.repeat(22)}`)],
    ['a length beyond all bounds', encodeText(`${KEY_ID}|${POOL}|${'z'.repeat(10)}.${'A'.repeat(22)}`)],
  ])('is refused where it holds %s', (_what, leaseId) => {
    expect(decodeLeaseId(leaseId)).toBeUndefined();
  });

  it('is read from any text without an exception, and only from the one text that was made', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String(), fc.string().map(encodeText)), (text) => {
        const parts = decodeLeaseId(text);
        expect(parts === undefined || encodeLeaseId(parts) === text).toBe(true);
      }),
    );
  });

  it('is not read when a character of it is changed into another lease of the same key', () => {
    const proof = generateLeaseProof(60_000);
    const leaseId = encodeLeaseId({ keyId: KEY_ID, pool: POOL, proof });
    fc.assert(
      fc.property(fc.nat(leaseId.length - 1), fc.constantFrom(...'ABCabc012-_'), (at, character) => {
        fc.pre(leaseId[at] !== character);
        const changed = decodeLeaseId(leaseId.slice(0, at) + character + leaseId.slice(at + 1));
        expect(changed).not.toEqual(decodeLeaseId(leaseId));
      }),
    );
  });
});
