import fc from 'fast-check';
import { SECOND, TOLERANCE_MS } from './scene.ts';

/** What a random history consists of. */
export interface Step {
  readonly verb:
    | 'create'
    | 'claim'
    | 'acquire'
    | 'reclaim'
    | 'extend'
    | 'release'
    | 'recordLapse'
    | 'recordLapses'
    | 'unblock'
    | 'delete'
    | 'refresh'
    | 'pause'
    | 'resume'
    | 'applyLifetime'
    | 'removeExpired';
  /** How long after the step before, in milliseconds. */
  readonly afterMs: number;
  /** How far the clock of the host differs. */
  readonly skewMs: number;
  /** How long the command was on its way before it was carried out. */
  readonly lateMs: number;
  readonly leaseMs: number;
  readonly slot: number;
  readonly request: string | undefined;
  /** Which number of the client the lease takes. */
  readonly clientNumber: number | undefined;
  /** What a release makes of the key. */
  readonly outcome: 'free' | 'forget' | 'rest' | 'discard';
  /** Whether a key that is created has a value. */
  readonly hasValue: boolean;
  /** Which one of what was seen, modulo how many there are. */
  readonly which: number;
  /** Goes by the key as it stands, not by what was seen of it earlier. */
  readonly isFresh: boolean;
  readonly force: boolean;
}

const often = <T>(usual: T, arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 2, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary });

export const stepArbitrary: fc.Arbitrary<Step> = fc.record({
  // Those that others depend on are named more than once, and so drawn more often.
  verb: fc.constantFrom<Step['verb'][]>(
    ...([
      'create',
      'claim',
      'claim',
      'acquire',
      'acquire',
      'reclaim',
      'extend',
      'extend',
      'release',
    ] as const),
    ...(['applyLifetime', 'removeExpired'] as const),
    ...(['recordLapse', 'recordLapses', 'unblock', 'delete', 'refresh', 'pause', 'resume'] as const),
  ),
  afterMs: often(0, fc.integer({ min: 0, max: 30 * SECOND })),
  skewMs: fc.integer({ min: -TOLERANCE_MS / 2, max: TOLERANCE_MS / 2 }),
  lateMs: often(0, fc.integer({ min: 0, max: 200 * SECOND })),
  leaseMs: fc.constantFrom(5 * SECOND, 30 * SECOND, 60 * SECOND),
  slot: fc.double({ min: 0, max: 1, noNaN: true }),
  request: often<string | undefined>(undefined, fc.constantFrom('a', 'b')),
  clientNumber: often<number | undefined>(undefined, fc.constantFrom(0, 1)),
  outcome: fc.constantFrom<Step['outcome'][]>('free', 'free', 'forget', 'rest', 'discard'),
  hasValue: fc.boolean(),
  which: fc.nat(),
  isFresh: fc.boolean(),
  force: fc.boolean(),
});
