import fc, { type AsyncCommand } from 'fast-check';
import { expect } from 'vitest';
import { createKeys } from '../../../shared/domain/create-keys.ts';
import { type Key, keyStateAt } from '../../../shared/domain/key.ts';
import { deleteKey, listKeys, refreshKey, unblockKey } from '../../../shared/domain/keys.ts';
import { poolReference } from '../../../shared/domain/pool.ts';
import { sweep } from '../../../shared/domain/sweep.ts';
import { ADMIN, TOLERANCE, toTime } from '../support/world.ts';
import { answerOf, pick, type RealSystem } from './real-system.ts';
import { MODEL_KEY_LIFE, MODEL_LEASE, type ReferenceModel } from './reference-model.ts';

type Command = AsyncCommand<ReferenceModel, RealSystem>;

const NOT_FOUND = { refused: 'key_not_found' };

class Create implements Command {
  check = (model: Readonly<ReferenceModel>) => model.visibleKeys().length < 4;

  async run(model: ReferenceModel, { context, pool }: RealSystem): Promise<void> {
    const { keys } = await createKeys(context, ADMIN, { pool, count: 2 });
    for (const { keyId } of keys) {
      const key = await context.store.keys.getStored(keyId);
      expect(key).toMatchObject(model.newKey());
      model.store.create(key as Key);
    }
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

  check = (model: Readonly<ReferenceModel>) => model.keys().length > 0;

  async run(model: ReferenceModel, { context }: RealSystem): Promise<void> {
    const key = pick(model.keys(), this.key) as Key;
    const { force } = this;
    const isVisible = model.isVisible(key);
    if (this.operation === 'refresh') {
      const answer = await answerOf(refreshKey(context, ADMIN, key.keyId));
      const refreshed = model.refresh(key);
      expect(answer).toMatchObject(
        refreshed === null ? NOT_FOUND : { ok: { expiresAt: toTime(refreshed.expiresAt) } },
      );
    } else if (this.operation === 'delete') {
      const answer = await answerOf(deleteKey(context, ADMIN, key.keyId, { force }));
      expect(answer).toEqual(isVisible ? { ok: undefined } : NOT_FOUND);
      if (isVisible) model.delete(key, force);
    } else {
      const answer = await answerOf(unblockKey(context, ADMIN, key.keyId, { force }));
      const unblocked = isVisible ? model.unblock(key, force) : undefined;
      if (!isVisible) expect(answer).toEqual(NOT_FOUND);
      else if (unblocked === undefined) expect(answer).toEqual({ refused: 'key_not_leased' });
      else
        expect(answer).toMatchObject({ ok: { keyId: key.keyId, state: keyStateAt(unblocked, model.now) } });
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

/** Compares all keys, as they are seen and as they are stored, deleted and expired ones too. */
class Look implements Command {
  check = () => true;

  async run(model: ReferenceModel, { context, pool }: RealSystem): Promise<void> {
    const { now } = model;
    const expected = model.visibleKeys().map((key) => ({
      keyId: key.keyId,
      state: keyStateAt(key, now),
      expiresAt: toTime(key.expiresAt),
      fencingToken: key.fencingToken,
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

    const reference = poolReference(await context.pools.get(pool, now));
    const counts = await context.store.keys.count({ pool: reference, now, limit: 100 });
    for (const state of ['free', 'leased', 'cooling'] as const) {
      expect(counts[state]).toBe(expected.filter((key) => key.state === state).length);
    }
    for (const key of model.keys()) {
      expect(await context.store.keys.getStored(key.keyId)).toEqual(key);
      expect(key.expiresAt).toBeGreaterThanOrEqual(key.freeAt);
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
