import type { Lease } from '../../../shared/contract/leases.ts';
import { TOLERANCE } from '../support/world.ts';

/** A lease as its holder sees it. `acquiredAt` and `expiresAt` are by the clocks of hosts, the others are true times. */
interface HeldLease {
  readonly leaseId: string;
  readonly keyId: string;
  readonly fencingToken: number;
  readonly acquiredAt: number;
  /** The holder uses the key from the moment it is told of the lease. */
  readonly heldFrom: number;
  expiresAt: number;
  /** Counted by the holder from before it sent its latest request. */
  heldUntil: number;
  /** When the holder sent its release: from then on it uses the key no more. */
  releasedAt?: number;
}

/**
 * Everything that holders were told, judged after each answer: leases of one key, in the order of their fencing
 * tokens, never overlap.
 */
export class LeaseRecord {
  readonly #byKey = new Map<string, HeldLease[]>();

  acquired(lease: Lease, sentAt: number, answeredAt: number): void {
    const { leaseId, keyId, fencingToken, acquiredAt, expiresAt, expiresInMs } = lease;
    const leases = this.#byKey.get(keyId) ?? [];
    const heldUntil = sentAt + expiresInMs;
    leases.push({
      leaseId,
      keyId,
      fencingToken,
      acquiredAt: Date.parse(acquiredAt),
      heldFrom: answeredAt,
      expiresAt: Date.parse(expiresAt),
      heldUntil,
    });
    leases.sort((one, other) => one.fencingToken - other.fencingToken);
    this.#byKey.set(keyId, leases);
    this.#judge(leases);
  }

  keptAlive(lease: Lease, sentAt: number): void {
    const held = this.#find(lease);
    held.expiresAt = Date.parse(lease.expiresAt);
    held.heldUntil = Math.max(held.heldUntil, sentAt + lease.expiresInMs);
    if (held.fencingToken !== lease.fencingToken) throw new Error('A keep-alive changed the fencing token');
    this.#judge(this.#byKey.get(lease.keyId) ?? []);
  }

  /** The holder stops using the key as it sends its release, whatever the answer will be. */
  releasing(lease: Lease, sentAt: number): void {
    this.#find(lease).releasedAt ??= sentAt;
  }

  /** How many leases each key had. */
  get leasesPerKey(): number[] {
    return [...this.#byKey.values()].map((leases) => leases.length);
  }

  #find({ keyId, leaseId }: Lease): HeldLease {
    const held = this.#byKey.get(keyId)?.find((lease) => lease.leaseId === leaseId);
    if (held === undefined) throw new Error(`Nobody acquired lease ${leaseId}`);
    return held;
  }

  #judge(leases: readonly HeldLease[]): void {
    for (const [index, later] of leases.entries()) {
      const earlier = leases[index - 1];
      if (earlier === undefined) continue;
      const overlap = `Leases of key ${later.keyId} overlap: ${JSON.stringify([earlier, later])}`;
      if (earlier.fencingToken === later.fencingToken)
        throw new Error(`Two leases have one token: ${overlap}`);
      if (later.heldFrom < Math.min(earlier.heldUntil, earlier.releasedAt ?? Infinity))
        throw new Error(overlap);
      if (earlier.releasedAt === undefined && later.acquiredAt < earlier.expiresAt + TOLERANCE) {
        throw new Error(`A key did not cool: ${overlap}`);
      }
    }
  }
}
