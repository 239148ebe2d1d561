import { expect } from 'vitest';
import type { Lease } from '../../../shared/contract/leases.ts';
import type { Caller } from '../../../shared/domain/client.ts';
import type { OrchestratorError } from '../../../shared/domain/errors.ts';
import { type Outcome, releaseLease } from '../../../shared/domain/leases.ts';
import { persistently } from './persistently.ts';
import type { World } from './world.ts';

/**
 * The leases that holders go by: from the response to an acquire until they send the release, or their own deadline.
 * What an admin does about a lease ends it for the holder only then, at the latest.
 */
export class HeldLeases {
  readonly #world: World;
  readonly #held = new Map<string, { lease: Lease; caller: Caller; until: number }>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Those that are held now. */
  get leases(): Lease[] {
    for (const [leaseId, { until }] of this.#held) {
      if (until <= this.#world.now) this.#held.delete(leaseId);
    }
    return [...this.#held.values()].map(({ lease }) => lease);
  }

  /** Takes note of what a caller was given; no key may be held twice, and no more of them than `most`. */
  add(caller: Caller, lease: Lease, most = Number.POSITIVE_INFINITY): void {
    expect(this.leases.map(({ keyId }) => keyId)).not.toContain(lease.keyId);
    this.#held.set(lease.leaseId, { lease, caller, until: this.#world.now + lease.expiresInMs });
    expect(this.leases.length).toBeLessThanOrEqual(most);
  }

  /** The holder uses the key no more as soon as it sends this. A lease that an admin ended meanwhile is none to release. */
  async release({ leaseId }: Lease, outcome: Outcome = 'ok'): Promise<void> {
    const held = this.#held.get(leaseId);
    this.#held.delete(leaseId);
    if (held === undefined) return;
    try {
      await persistently(() => releaseLease(this.#world.context, held.caller, leaseId, { outcome }));
    } catch (error) {
      expect((error as OrchestratorError).code).toBe('lease_ended');
    }
  }
}
