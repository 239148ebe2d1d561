import fc, { type AsyncCommand } from 'fast-check';
import { expect } from 'vitest';
import { createKeys, deleteKey, listKeys, refreshKey, unblockKey } from '../../../shared/domain/keys.ts';
import { getPool } from '../../../shared/domain/pools.ts';
import { sweep } from '../../../shared/domain/sweep.ts';
import { ADMIN, TOLERANCE } from '../support/world.ts';
import { answerOf, pick, type RealSystem } from './real-system.ts';
import { MODEL_KEY_LIFE, MODEL_LEASE, type ModelKey, type ReferenceModel } from './reference-model.ts';

type Command = AsyncCommand<ReferenceModel, RealSystem>;

const NOT_FOUND = { refused: 'key_not_found' };

class Create implements Command {
  check = (model: Readonly<ReferenceModel>) => model.visibleKeys().length < 4;

  async run(model: ReferenceModel, { context, pool }: RealSystem): Promise<void> {
    for (const key of await createKeys(context, ADMIN, { pool, count: 2 })) model.create(key.keyId);
  }

  toString(): string {
    return 'Create(2)';
  }
}

/** An operation of an admin on a key that was there once. */
class ManageKey implements Command {
  readonly operation: 'unblock' | 'delete' | 'refresh';
  readonly key: number;
  readonly force: boolean;

  constructor(operation: 'unblock' | 'delete' | 'refresh', key: number, force: boolean) {
    this.operation = operation;
    this.key = key;
    this.force = force;
  }

  check = (model: Readonly<ReferenceModel>) => model.keys.size > 0;

  async run(model: ReferenceModel, { context }: RealSystem): Promise<void> {
    const key = pick([...model.keys.values()], this.key) as ModelKey;
    const { force } = this;
    if (this.operation === 'refresh') {
      const answer = await answerOf(refreshKey(context, ADMIN, key.keyId));
      if (model.isVisible(key)) model.refresh(key);
      expect(answer).toMatchObject(model.isVisible(key) ? { ok: { expiresAt: key.expiresAt } } : NOT_FOUND);
    } else if (this.operation === 'delete') {
      const answer = await answerOf(deleteKey(context, ADMIN, key.keyId, { force }));
      expect(answer).toEqual(model.isVisible(key) ? { ok: undefined } : NOT_FOUND);
      if (model.isVisible(key)) model.delete(key, force);
    } else {
      const answer = await answerOf(unblockKey(context, ADMIN, key.keyId, { force }));
      if (!model.isVisible(key)) expect(answer).toEqual(NOT_FOUND);
      else if (model.stateOf(key) === 'free') expect(answer).toEqual({ refused: 'key_not_leased' });
      else {
        const freeAt = model.freeAtAfter(key, force);
        // A lease that has lapsed stays as it is unless the key is freed early.
        if (model.isLive(key) || freeAt !== key.freeAt) model.end(key, 'unblocked');
        key.freeAt = freeAt;
        expect(answer).toMatchObject({ ok: { keyId: key.keyId, state: model.stateOf(key) } });
      }
    }
  }

  toString(): string {
    return `ManageKey(${this.operation}, key ${this.key}${this.force ? ', by force' : ''})`;
  }
}

class PassTime implements Command {
  readonly ms: number;

  constructor(ms: number) {
    this.ms = ms;
  }

  check = () => true;

  async run(model: ReferenceModel, { world }: RealSystem): Promise<void> {
    model.now += this.ms;
    world.passTime(this.ms);
  }

  toString(): string {
    return `PassTime(${this.ms} ms)`;
  }
}

class Sweep implements Command {
  check = () => true;

  async run(model: ReferenceModel, { context, pool }: RealSystem): Promise<void> {
    const { lapsedByPool, complete } = await sweep(context, () => true);
    expect(lapsedByPool[pool] ?? 0).toBe(model.sweep());
    expect(complete).toBe(true);
  }

  toString(): string {
    return 'Sweep';
  }
}

/** Compares all keys, and that the database keeps them until they are free. */
class Look implements Command {
  check = () => true;

  async run(model: ReferenceModel, { context, pool }: RealSystem): Promise<void> {
    const expected = model.visibleKeys().map((key) => ({
      keyId: key.keyId,
      state: model.stateOf(key),
      expiresAt: key.expiresAt,
      fencingToken: key.token,
    }));
    const { keys } = await listKeys(context, ADMIN, { pool, limit: 100 });
    const seen = keys.map(({ keyId, state, expiresAt, fencingToken }) => ({
      keyId,
      state,
      expiresAt,
      fencingToken,
    }));
    const byId = (one: { keyId: string }, other: { keyId: string }) => (one.keyId < other.keyId ? -1 : 1);
    expect(seen.sort(byId)).toEqual(expected.sort(byId));

    const { counts } = await getPool(context, ADMIN, pool);
    for (const state of ['free', 'leased', 'cooling'] as const) {
      expect(counts[state].count).toBe(expected.filter((key) => key.state === state).length);
    }
    for (const { keyId } of expected) {
      const stored = await context.store.keys.getStored(keyId);
      expect(stored?.freeAt).toBe(model.keys.get(keyId)?.freeAt);
      expect(stored?.expiresAt).toBeGreaterThanOrEqual(stored?.freeAt as number);
    }
  }

  toString(): string {
    return 'Look';
  }
}

/** The lengths at which something changes, and those around them. */
const STEPS = [
  1,
  500,
  TOLERANCE,
  3000,
  4001,
  MODEL_LEASE - 1,
  MODEL_LEASE,
  MODEL_LEASE + TOLERANCE,
  MODEL_KEY_LIFE,
];
const operation = fc.constantFrom<ManageKey['operation']>('unblock', 'unblock', 'delete', 'refresh');

export const keyCommands: fc.Arbitrary<Command>[] = [
  fc.constant(new Create()),
  fc.tuple(operation, fc.nat(10), fc.boolean()).map((parts) => new ManageKey(...parts)),
  fc.constantFrom(...STEPS).map((ms) => new PassTime(ms)),
  fc.constant(new Sweep()),
  fc.constant(new Look()),
];
