import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NEVER_EXPIRES } from '../../shared/domain/key.ts';
import {
  DEFAULT_POLICY,
  hardExpiration,
  nextGeneration,
  poolName,
  poolReference,
} from '../../shared/domain/pool.ts';

/** Up to the time at which keys are said never to expire. */
const generations = fc.nat(NEVER_EXPIRES);
const names = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,62}$/);

describe('a pool reference', () => {
  it('tells the name of the pool', () => {
    fc.assert(
      fc.property(names, generations, (name, generation) => {
        expect(poolName(poolReference({ name, generation }))).toBe(name);
      }),
    );
  });

  it('sorts by generation', () => {
    fc.assert(
      fc.property(names, generations, generations, (name, one, other) => {
        const first = poolReference({ name, generation: one });
        const second = poolReference({ name, generation: other });
        expect(first < second).toBe(one < other);
        expect(first === second).toBe(one === other);
      }),
    );
  });

  it('stands between the references of its own pool only, never of one whose name begins the same', () => {
    fc.assert(
      fc.property(names, names, generations, generations, (name, suffix, generation, before) => {
        const reference = poolReference({ name: `${name}${suffix}`, generation });
        const isWithin =
          poolReference({ name, generation: 0 }) <= reference &&
          reference < poolReference({ name, generation: before });
        expect(isWithin).toBe(false);
      }),
    );
  });

  it('holds for the generation that a wrong clock would give', () => {
    expect(poolReference({ name: 'a', generation: 0 })).toBe('a/000000000000000');
    expect(poolReference({ name: 'a', generation: NEVER_EXPIRES })).toHaveLength('a/'.length + 15);
  });
});

describe('the next generation', () => {
  it('is the time, and greater than the one before even when the clock went back', () => {
    expect(nextGeneration(5, 1000)).toBe(1000);
    expect(nextGeneration(1000, 1000)).toBe(1001);
    expect(nextGeneration(2000, 1000)).toBe(2001);
  });
});

describe('the hard expiration', () => {
  it('is a key life from now', () => {
    expect(hardExpiration(DEFAULT_POLICY, 1000)).toBe(1000 + 300_000);
  });

  it('is never before the moment the key is free', () => {
    expect(hardExpiration({ ...DEFAULT_POLICY, keyTtlSeconds: 10 }, 1000, 61_000)).toBe(61_000);
  });

  it('is a far-future date for keys that never expire', () => {
    expect(hardExpiration({ ...DEFAULT_POLICY, keyTtlSeconds: null }, 1000)).toBe(NEVER_EXPIRES);
  });
});
