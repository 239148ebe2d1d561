import fc, { type AsyncCommand } from 'fast-check';
import { expect } from 'vitest';
import { acquireLease } from '../../../shared/domain/acquire-lease.ts';
import { getLease, keepAliveLease, listLeases, releaseLease } from '../../../shared/domain/leases.ts';
import { SECOND } from '../support/world.ts';
import { answerOf, pick, type RealSystem } from './real-system.ts';
import { type Finding, MODEL_LEASE, type ReferenceModel } from './reference-model.ts';

type Command = AsyncCommand<ReferenceModel, RealSystem>;

/** How an operation on a lease answers what the model finds. */
function refusalOf(finding: Finding): object {
  return finding === 'forbidden' ? { refused: 'forbidden' } : { refused: 'lease_ended', detail: finding };
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
    const claimable = model.claimableKeys();

    const answer = await answerOf(acquireLease(context, caller, { pool, leaseSeconds, idempotencyKey }));

    if (carrier?.lease !== undefined && model.isLive(carrier)) {
      const { leaseId, expiresAt } = carrier.lease;
      expect(answer).toMatchObject({
        ok: { repeated: true, lease: { leaseId, expiresAt, fencingToken: carrier.token } },
      });
    } else if (carrier !== undefined) {
      model.end(carrier, 'lapsed');
      expect(answer).toEqual({ refused: 'lease_ended', detail: carrier.last?.reason });
    } else if (claimable.length === 0) {
      expect(answer).toEqual({ refused: 'no_key_available', detail: model.retryAfterMs() });
    } else {
      if (!('ok' in answer)) throw new Error(`A key was free, but the answer was ${JSON.stringify(answer)}`);
      const { lease, repeated } = answer.ok;
      const key = claimable.find(({ keyId }) => keyId === lease.keyId);
      if (key === undefined) throw new Error(`Key ${lease.keyId} was not free`);
      const leaseMs = leaseSeconds === undefined ? MODEL_LEASE : leaseSeconds * SECOND;
      expect(repeated).toBe(false);
      expect(lease).toMatchObject({ clientId: caller.clientId, expiresInMs: leaseMs, acquiredAt: model.now });
      expect(lease.fencingToken).toBeGreaterThan(key.token);
      expect(model.leases.has(lease.leaseId)).toBe(false);
      model.acquire(
        key,
        { leaseId: lease.leaseId, clientId: caller.clientId, leaseMs },
        lease.fencingToken,
        request,
      );
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

  check = (model: Readonly<ReferenceModel>) => model.leases.size > 0;

  async run(model: ReferenceModel, { context, clients }: RealSystem): Promise<void> {
    const leaseId = pick([...model.leases.keys()], this.lease) as string;
    const caller = clients[this.client];
    const key = model.keys.get(model.leases.get(leaseId)?.keyId ?? '');
    const finding = model.find(leaseId, caller.clientId);
    const lease = finding === 'live' ? key?.lease : undefined;

    if (this.operation === 'release') {
      const answer = await answerOf(releaseLease(context, caller, leaseId));
      expect(answer).toEqual(lease || finding === 'released' ? { ok: undefined } : refusalOf(finding));
      if (lease && key) {
        model.end(key, 'released');
        key.freeAt = model.now;
      }
      return;
    }
    const operation = this.operation === 'find' ? getLease : keepAliveLease;
    const answer = await answerOf(operation(context, caller, leaseId));
    if (lease && key && this.operation === 'keep-alive') model.extend(key, lease);
    if (lease && key) {
      expect(answer).toMatchObject({
        ok: { leaseId, keyId: key.keyId, expiresAt: lease.expiresAt, fencingToken: key.token },
      });
    } else {
      expect(answer).toEqual(refusalOf(finding));
    }
  }

  toString(): string {
    return `UseLease(${this.operation}, lease ${this.lease}, client ${this.client})`;
  }
}

class ListLeases implements Command {
  check = () => true;

  async run(model: ReferenceModel, { context, clients }: RealSystem): Promise<void> {
    for (const caller of clients) {
      const expected = model
        .visibleKeys()
        .filter((key) => model.isLive(key) && key.lease?.clientId === caller.clientId)
        .map((key) => ({ leaseId: key.lease?.leaseId, expiresAt: key.lease?.expiresAt, keyId: key.keyId }))
        .sort((one, other) => (one.keyId < other.keyId ? -1 : 1));
      const { leases } = await listLeases(context, caller, { limit: 100 });
      expect(leases.map(({ leaseId, expiresAt, keyId }) => ({ leaseId, expiresAt, keyId }))).toEqual(
        expected,
      );
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
