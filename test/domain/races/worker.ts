import type { Lease } from '../../../shared/contract/leases.ts';
import type { Caller } from '../../../shared/domain/client.ts';
import type { Context } from '../../../shared/domain/context.ts';
import {
  DatabaseUnavailableError,
  KeyNotLeasedError,
  LeaseChangedError,
  LeaseEndedError,
  NoKeyAvailableError,
} from '../../../shared/domain/errors.ts';
import { unblockKey } from '../../../shared/domain/keys.ts';
import { keepAliveLease, releaseLease } from '../../../shared/domain/leases.ts';
import { sweep } from '../../../shared/domain/sweep.ts';
import { ADMIN, acquire, type World } from '../support/world.ts';
import type { LeaseRecord } from './lease-record.ts';

/** Refusals that are part of the game; an outcome that is unknown is, too. */
const EXPECTED = [
  NoKeyAvailableError,
  LeaseEndedError,
  KeyNotLeasedError,
  LeaseChangedError,
  DatabaseUnavailableError,
];

export interface Workshop {
  readonly world: World;
  readonly record: LeaseRecord;
  readonly keyIds: readonly string[];
  /** From 0 to 1. */
  readonly random: () => number;
}

/** One client on one process: each step does something that a client, an operator or the schedule might do. */
export class Worker {
  readonly #workshop: Workshop;
  readonly #context: Context;
  readonly #caller: Caller;
  #lease: Lease | undefined;

  constructor(workshop: Workshop, context: Context, name: string) {
    this.#workshop = workshop;
    this.#context = context;
    this.#caller = { clientId: name, role: 'client' };
  }

  async step(): Promise<void> {
    try {
      await this.#act(this.#workshop.random());
    } catch (error) {
      if (error instanceof LeaseEndedError) this.#lease = undefined;
      if (!EXPECTED.some((expected) => error instanceof expected)) throw error;
    }
  }

  async #act(chance: number): Promise<unknown> {
    if (chance < 0.02) return sweep(this.#context, () => true);
    if (chance < 0.04) return this.#unblock();
    if (this.#lease === undefined) return this.#acquire();
    if (chance < 0.6) return this.#keepAlive(this.#lease);
    if (chance < 0.9) return this.#release(this.#lease);
    // Walks away: the lease lapses.
    this.#lease = undefined;
    return undefined;
  }

  async #acquire(): Promise<void> {
    const { world, record } = this.#workshop;
    const sentAt = world.now;
    this.#lease = await acquire(this.#context, this.#caller);
    record.acquired(this.#lease, sentAt, world.now);
  }

  async #keepAlive(lease: Lease): Promise<void> {
    const { world, record } = this.#workshop;
    const sentAt = world.now;
    record.keptAlive(await keepAliveLease(this.#context, this.#caller, lease.leaseId), sentAt);
  }

  async #release(lease: Lease): Promise<void> {
    const { world, record } = this.#workshop;
    record.releasing(lease, world.now);
    this.#lease = undefined;
    await releaseLease(this.#context, this.#caller, lease.leaseId);
  }

  async #unblock(): Promise<void> {
    const { keyIds, random } = this.#workshop;
    const keyId = keyIds[Math.floor(random() * keyIds.length)] as string;
    await unblockKey(this.#context, ADMIN, keyId, { force: false });
  }
}
