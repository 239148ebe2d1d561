import { describe, expect, it } from 'vitest';
import type { CreateKeysResponse, ListKeysResponse } from '../../../shared/contract/keys.ts';
import type { Lease } from '../../../shared/contract/leases.ts';
import { type HostProcess, useHostProcesses } from '../../support/host-process.ts';
import { randomFrom } from '../../support/seeded-random.ts';

const CALLERS = 20;
const KEYS = 30;
const ROUNDS = 5;

/** To repeat a failed run: CRASH_SEED=<the number in the test's name>. */
const seed = Number(process.env.CRASH_SEED ?? Date.now() % 1_000_000);

/** What the callers were told, and what they asked without ever being told. */
class Ledger {
  /** Acquired, and no release was sent: exactly these must be live. */
  readonly held = new Map<string, Lease>();
  /** A release was sent and not answered: live or over. */
  readonly doubtful = new Map<string, Lease>();
  readonly released = new Map<string, Lease>();
  /** Acquires that were not answered, by idempotency key. */
  readonly unanswered = new Set<string>();
  readonly #tokens = new Map<string, Set<number>>();

  acquired(lease: Lease): void {
    for (const other of this.held.values()) expect(other.keyId).not.toBe(lease.keyId);
    const tokens = this.#tokens.get(lease.keyId) ?? new Set();
    expect(tokens).not.toContain(lease.fencingToken);
    this.#tokens.set(lease.keyId, tokens.add(lease.fencingToken));
    this.held.set(lease.leaseId, lease);
  }
}

describe('the local host, killed in the middle of its work,', { timeout: 120_000 }, () => {
  const hosts = useHostProcesses();
  let requests = 0;

  /** Acquires and releases at random until the host is gone. */
  const work = async (host: HostProcess, ledger: Ledger, random: () => number, answered: () => void) => {
    const mine: Lease[] = [];
    for (;;) {
      const lease = random() < 0.5 ? mine.shift() : undefined;
      if (lease !== undefined) {
        ledger.held.delete(lease.leaseId);
        ledger.doubtful.set(lease.leaseId, lease);
        const { status } = await host.call('DELETE', `/v1/leases/${lease.leaseId}`);
        expect(status).toBe(204);
        ledger.doubtful.delete(lease.leaseId);
        ledger.released.set(lease.leaseId, lease);
      } else {
        requests += 1;
        const idempotencyKey = `request-${requests}`;
        ledger.unanswered.add(idempotencyKey);
        const { status, body } = await acquire(host, idempotencyKey);
        expect([201, 409]).toContain(status);
        ledger.unanswered.delete(idempotencyKey);
        if (status === 201) {
          ledger.acquired(body);
          mine.push(body);
        }
      }
      answered();
    }
  };

  const acquire = (host: HostProcess, idempotencyKey: string) =>
    host.call<Lease>('POST', '/v1/leases', { headers: { 'idempotency-key': idempotencyKey } });

  const isLost = (error: unknown): boolean => error instanceof TypeError && error.message === 'fetch failed';

  /** Kills the host after as many answers, while all callers work. */
  const workAndKill = async (host: HostProcess, ledger: Ledger, random: () => number): Promise<void> => {
    let left = 20 + Math.floor(random() * 200);
    const answered = (): void => {
      left -= 1;
      if (left === 0) host.program.kill('SIGKILL');
    };
    const callers = Array.from({ length: CALLERS }, () => work(host, ledger, random, answered));
    for (const ending of await Promise.allSettled(callers)) {
      const { reason } = ending as PromiseRejectedResult;
      if (!isLost(reason)) throw reason;
    }
    expect(await host.program.ended).toMatchObject({ signal: 'SIGKILL' });
  };

  const settle = async (host: HostProcess, ledger: Ledger): Promise<void> => {
    for (const lease of ledger.held.values()) {
      const found = await host.call<Lease>('GET', `/v1/leases/${lease.leaseId}`);
      expect(found).toMatchObject({
        status: 200,
        body: { keyId: lease.keyId, fencingToken: lease.fencingToken },
      });
    }
    for (const lease of ledger.released.values()) {
      expect(await host.call('GET', `/v1/leases/${lease.leaseId}`)).toMatchObject({ status: 410 });
    }
    for (const lease of ledger.doubtful.values()) {
      expect(await host.call('DELETE', `/v1/leases/${lease.leaseId}`)).toMatchObject({ status: 204 });
    }
    for (const idempotencyKey of ledger.unanswered) {
      const { status, body } = await acquire(host, idempotencyKey);
      expect([200, 201, 409]).toContain(status);
      if (status !== 409) ledger.acquired(body);
    }
    ledger.doubtful.clear();
    ledger.released.clear();
    ledger.unanswered.clear();

    const { body } = await host.call<ListKeysResponse>('GET', `/v1/keys?limit=${KEYS + 1}`);
    expect(body.keys).toHaveLength(KEYS);
    const leased = body.keys.filter((key) => key.state === 'leased').map((key) => key.keyId);
    expect(leased.sort()).toEqual([...ledger.held.values()].map((lease) => lease.keyId).sort());
  };

  it(`has every lease that it answered, and gives no key twice (CRASH_SEED=${seed})`, async () => {
    const random = randomFrom(seed);
    const folder = await hosts.makeFolder();
    const ledger = new Ledger();
    let host = await hosts.startHost(folder);
    await host.call<CreateKeysResponse>('POST', '/v1/keys', { body: { count: KEYS } });
    for (let round = 0; round < ROUNDS; round += 1) {
      await workAndKill(host, ledger, random);
      host = await hosts.startHost(folder);
      await settle(host, ledger);
      for (const lease of [...ledger.held.values()].slice(0, KEYS / 2)) {
        await host.call('DELETE', `/v1/leases/${lease.leaseId}`);
        ledger.held.delete(lease.leaseId);
      }
    }
  });
});
