import fc, { type AsyncCommand } from 'fast-check';
import { expect } from 'vitest';
import { acquireLease } from '../../../shared/domain/acquire-lease.ts';
import { type Key, liveLeaseAt } from '../../../shared/domain/key.ts';
import { encodeLeaseId } from '../../../shared/domain/lease-id.ts';
import { getLease, keepAliveLease, listLeases, releaseLease } from '../../../shared/domain/leases.ts';
import { SECOND, toTime } from '../support/world.ts';
import { answerOf, pick, type RealSystem } from './real-system.ts';
import { type Finding, MODEL_LEASE, type ReferenceModel, readLeaseId } from './reference-model.ts';

type Command = AsyncCommand<ReferenceModel, RealSystem>;

/** The refusal that follows from what the model finds. */
function refusalOf(finding: Finding): object {
  return finding === 'forbidden' ? { refused: 'forbidden' } : { refused: 'lease_ended', detail: finding };
}

/** What a caller is told of the lease that stands on the key. */
function leaseOf({ keyId, pool, fencingToken, lease }: Key) {
  if (lease === undefined) throw new Error(`No lease stands on ${keyId}`);
  const leaseId = encodeLeaseId({ keyId, pool, proof: lease.id });
  const { acquiredAt, expiresAt } = lease;
  return { leaseId, keyId, fencingToken, acquiredAt: toTime(acquiredAt), expiresAt: toTime(expiresAt) };
}

class Acquire implements Command {
  readonly client: 0 | 1;
  readonly leaseSeconds: number | undefined;
  readonly idempotencyKey: string | undefined;

  constructor(client: 0 | 1, leaseSeconds: number | undefined, idempotencyKey: string | undefined) {
    this.client = client;
    this.leaseSeconds = leaseSeconds;
    this.idempotencyKey = idempotencyKey;
  }

  check = () => true;

  async run(model: ReferenceModel, { context, pool, clients }: RealSystem): Promise<void> {
    const { leaseSeconds, idempotencyKey } = this;
    const caller = clients[this.client];
    const request = idempotencyKey && `${caller.clientId} ${idempotencyKey}`;
    const carrier = model.carrierOf(request);
    const live = carrier && liveLeaseAt(carrier, model.now);
    const claimable = model.store.claimable({ now: model.now });

    const answer = await answerOf(acquireLease(context, caller, { pool, leaseSeconds, idempotencyKey }));

    if (carrier !== null && model.lengthAskedOf(carrier) !== leaseSeconds) {
      expect(answer).toEqual({ refused: 'idempotency_key_reused' });
    } else if (live) {
      expect(answer).toMatchObject({ ok: { repeated: true, lease: leaseOf(carrier) } });
    } else if (carrier !== null) {
      expect(answer).toEqual({
        refused: 'lease_ended',
        detail: model.recordLapse(carrier).lastLease?.reason,
      });
    } else if (claimable.length === 0) {
      expect(answer).toEqual({ refused: 'no_key_available', detail: model.retryAfterMs() });
    } else {
      if (!('ok' in answer)) throw new Error(`A key was free, but it returned ${JSON.stringify(answer)}`);
      if ('waiting' in answer.ok) throw new Error('Nobody waits in this pool');
      const { lease, repeated } = answer.ok;
      const { keyId, leaseId } = lease;
      const key = claimable.find((free) => free.keyId === keyId);
      if (key === undefined) throw new Error(`Key ${keyId} was not free`);
      expect(repeated).toBe(false);
      expect(model.leaseIds).not.toContain(leaseId);
      const leaseMs = leaseSeconds === undefined ? MODEL_LEASE : leaseSeconds * SECOND;
      expect(lease).toMatchObject({ clientId: caller.clientId, expiresInMs: leaseMs });
      const stored = (await context.store.keys.getStored(keyId)) as Key;
      model.acquire(key, leaseId, stored, { clientId: caller.clientId, request, leaseSeconds });
      expect(stored).toEqual(model.store.keys.get(keyId));
      expect(lease).toMatchObject(leaseOf(stored));
    }
  }

  toString(): string {
    return `Acquire(client ${this.client}, ${this.leaseSeconds ?? 'full'} s, ${this.idempotencyKey ?? 'no key'})`;
  }
}

/** An operation of a client on a lease that was given once, its own or not. */
class UseLease implements Command {
  readonly operation: 'keep-alive' | 'find' | 'release';
  readonly lease: number;
  readonly client: 0 | 1;

  constructor(operation: 'keep-alive' | 'find' | 'release', lease: number, client: 0 | 1) {
    this.operation = operation;
    this.lease = lease;
    this.client = client;
  }

  check = (model: Readonly<ReferenceModel>) => model.leaseIds.length > 0;

  async run(model: ReferenceModel, { context, clients }: RealSystem): Promise<void> {
    const leaseId = pick(model.leaseIds, this.lease) as string;
    const caller = clients[this.client];
    const { clientId } = caller;
    const finding = model.find(leaseId, clientId);

    if (this.operation === 'release') {
      const answer = await answerOf(releaseLease(context, caller, leaseId));
      const isReleased = finding === 'live' || finding === 'released';
      expect(answer).toMatchObject(
        isReleased ? { ok: { repeated: finding === 'released' } } : refusalOf(finding),
      );
      model.release(leaseId, clientId);
      return;
    }
    const operation = this.operation === 'find' ? getLease : keepAliveLease;
    const answer = await answerOf(operation(context, caller, leaseId));
    if (this.operation === 'keep-alive') model.extend(leaseId, clientId);
    const key = model.store.keys.get(readLeaseId(leaseId).keyId) as Key;
    if (finding === 'live') expect(answer).toMatchObject({ ok: leaseOf(key) });
    else expect(answer).toEqual(refusalOf(finding));
  }

  toString(): string {
    return `UseLease(${this.operation}, lease ${this.lease}, client ${this.client})`;
  }
}

type Started = { readonly acquiredAt: string; readonly keyId: string };

/** The order of lists of leases: the oldest first. */
function isBefore(one: Started, other: Started): boolean {
  return one.acquiredAt === other.acquiredAt ? one.keyId < other.keyId : one.acquiredAt < other.acquiredAt;
}

class ListLeases implements Command {
  check = () => true;

  async run(model: ReferenceModel, { context, clients }: RealSystem): Promise<void> {
    for (const caller of clients) {
      const expected = model
        .visibleKeys()
        .filter((key) => liveLeaseAt(key, model.now)?.clientId === caller.clientId)
        .map(leaseOf)
        .sort((one, other) => (isBefore(one, other) ? -1 : 1));
      const { leases } = await listLeases(context, caller, { limit: 100 });
      expect(leases).toHaveLength(expected.length);
      expect(leases).toMatchObject(expected);
    }
  }

  toString(): string {
    return 'ListLeases';
  }
}

const client = fc.constantFrom<0 | 1>(0, 1);
const operation = fc.constantFrom<UseLease['operation']>('keep-alive', 'keep-alive', 'release', 'find');

export const leaseCommands: fc.Arbitrary<Command>[] = [
  fc
    .tuple(
      client,
      fc.constantFrom(undefined, undefined, 3),
      fc.constantFrom(undefined, undefined, 'one', 'two'),
    )
    .map((parts) => new Acquire(...parts)),
  fc.tuple(operation, fc.nat(20), client).map((parts) => new UseLease(...parts)),
  fc.constant(new ListLeases()),
];
