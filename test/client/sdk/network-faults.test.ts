import { test as base, describe, expect } from 'vitest';
import { LeaseLostError, UnreachableError } from '../../../client/sdk/errors.ts';
import { eventually } from '../../support/eventually.ts';
import { HostProcess, useHost } from '../../support/host-process.ts';
import { type Fault, TcpProxy } from '../../support/tcp-proxy.ts';
import { makePool } from '../support/make-pool.ts';

const host = useHost();
/** Each test has a proxy of its own before the host, and they run side by side: most of their time is waiting. */
const test = base.extend<{ proxy: TcpProxy }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads from it that nothing else is needed
  proxy: async ({}, use) => {
    const proxy = await TcpProxy.start(host.port);
    await use(proxy);
    await proxy.stop();
  },
});

/** The fault for the first requests that start so; then none. */
function faultFirst(proxy: TcpProxy, start: string, fault: Fault, times = 1): void {
  let left = times;
  proxy.decide = (head) => (head.startsWith(start) && left-- > 0 ? fault : { kind: 'pass' });
}

const isKeepAlive = (head: string): boolean => head.includes('/keep-alive');

async function leasedKeys(pool: string): Promise<number> {
  return (await host.client().keys.list({ pool, state: 'leased' })).keys.length;
}

describe.concurrent('an acquire', () => {
  test('whose answer was dropped after the server acted finds its lease again, and takes no second one', async ({
    proxy,
  }) => {
    const pool = await makePool(host.client(), { keys: 2 });
    faultFirst(proxy, 'POST /v1/leases', { kind: 'drop answer' });
    const lease = await host.client(proxy.url).acquire({ pool });
    expect(proxy.count('POST /v1/leases ')).toBe(2);
    expect(await leasedKeys(pool)).toBe(1);
    await host.client().release(lease.leaseId);
  });

  test('that is carried out twice takes one lease', async ({ proxy }) => {
    const pool = await makePool(host.client(), { keys: 2 });
    faultFirst(proxy, 'POST /v1/leases', { kind: 'duplicate' });
    await host.client(proxy.url).withLease({ pool }, async () => {
      expect(await leasedKeys(pool)).toBe(1);
    });
    expect(await leasedKeys(pool)).toBe(0);
  });

  test('that is refused is sent again', async ({ proxy }) => {
    const pool = await makePool(host.client());
    faultFirst(proxy, 'POST /v1/leases', { kind: 'refuse' }, 3);
    expect(await host.client(proxy.url).withLease({ pool }, () => 'done')).toBe('done');
  });

  test('with nobody there says so', async ({ proxy }) => {
    const pool = await makePool(host.client());
    proxy.decide = () => ({ kind: 'refuse' });
    await expect(host.client(proxy.url).acquire({ pool })).rejects.toThrow(UnreachableError);
  });

  test('whose answer came only after the lease had lapsed starts anew', async ({ proxy }) => {
    const pool = await makePool(host.client(), { leaseSeconds: 1 });
    const release = eventually(async () => {
      const { keys } = await host.client().keys.list({ pool });
      return (
        proxy.requests.length > 0 && keys[0]?.fencingToken !== undefined && keys[0].state === 'free' && taken
      );
    });
    let taken = false;
    void eventually(async () => (await leasedKeys(pool)) === 1).then(() => {
      taken = true;
    });
    faultFirst(proxy, 'POST /v1/leases', { kind: 'delay answer', release });
    const result = host.client(proxy.url).withLease({ pool, waitMs: 20_000 }, (lease) => lease.remainingMs());
    expect(await result).toBeGreaterThan(0);
    expect(proxy.count('POST /v1/leases ')).toBeGreaterThan(1);
  });
});

describe.concurrent('a keep-alive', () => {
  test.for([
    ['dropped after the server acted', { kind: 'drop answer' }],
    ['refused', { kind: 'refuse' }],
    ['carried out twice', { kind: 'duplicate' }],
  ] as const)('that is %s costs nothing', async ([, fault], { proxy }) => {
    const pool = await makePool(host.client(), { leaseSeconds: 2 });
    let faulty = 2;
    proxy.decide = (head) => (isKeepAlive(head) && faulty-- > 0 ? fault : { kind: 'pass' });
    const result = host.client(proxy.url).withLease({ pool }, async (_lease, signal) => {
      await eventually(async () => signal.aborted || proxy.requests.filter(isKeepAlive).length >= 5);
      return signal.aborted;
    });
    expect(await result).toBe(false);
  });

  test('that nobody answers for a whole lease ends the work, before the key is free', async ({ proxy }) => {
    const pool = await makePool(host.client(), { leaseSeconds: 1 });
    proxy.decide = (head) => (isKeepAlive(head) ? { kind: 'refuse' } : { kind: 'pass' });
    let stateAtAbort: string | undefined;
    const held = host.client(proxy.url).withLease({ pool }, async ({ keyId }, signal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      stateAtAbort = (await host.client().keys.get(keyId)).state;
    });
    await expect(held).rejects.toThrow(LeaseLostError);
    expect(stateAtAbort).not.toBe('free');
  });
});

describe.concurrent('a release', () => {
  test.for([
    ['dropped after the server acted', { kind: 'drop answer' }],
    ['refused', { kind: 'refuse' }],
    ['carried out twice', { kind: 'duplicate' }],
  ] as const)('that is %s is done all the same', async ([, fault], { proxy }) => {
    const pool = await makePool(host.client());
    faultFirst(proxy, 'DELETE', fault);
    expect(await host.client(proxy.url).withLease({ pool }, () => 'done')).toBe('done');
    expect(await leasedKeys(pool)).toBe(0);
  });
});

describe.concurrent('an ending whose answer was dropped after the server acted', () => {
  test('of a pool is not sent again: a pool that was created in between stays', async ({ proxy }) => {
    const pool = await makePool(host.client());
    faultFirst(proxy, 'DELETE', { kind: 'drop answer' });
    await expect(host.client(proxy.url).pools.delete(pool)).rejects.toThrow(
      /not known whether this was done/,
    );
    expect(proxy.count('DELETE')).toBe(1);
    await host.client().pools.put(pool);
    await host.client().keys.create({ pool });
    expect((await host.client().keys.list({ pool })).keys).toHaveLength(1);
  });

  test('by force ends its lease, and none that came after', async ({ proxy }) => {
    const pool = await makePool(host.client());
    const first = await host.client().acquire({ pool });
    faultFirst(proxy, 'POST /v1/keys/', { kind: 'drop answer' });
    await host.client(proxy.url).keys.unblock(first, { force: true });
    expect(proxy.count('POST /v1/keys/')).toBe(2);
    const next = await host.client().acquire({ pool });
    expect((await host.client().keepAlive(next.leaseId)).remainingMs()).toBeGreaterThan(0);
  });

  test('of a key is done', async ({ proxy }) => {
    const pool = await makePool(host.client());
    const lease = await host.client().acquire({ pool });
    faultFirst(proxy, 'DELETE', { kind: 'drop answer' });
    await host.client(proxy.url).keys.delete(lease);
    expect(proxy.count('DELETE')).toBe(2);
  });
});

describe.concurrent('a server that is gone', () => {
  /** One that nobody else uses. */
  const withHost = async (work: (host: HostProcess) => Promise<void>): Promise<void> => {
    const own = await HostProcess.create();
    await work(own).finally(() => own.remove());
  };

  test('for less than a lease costs nothing', () =>
    withHost(async (host) => {
      const pool = await makePool(host.client(), { leaseSeconds: 10 });
      const result = host.client().withLease({ pool }, async ({ leaseId }, signal) => {
        await host.kill();
        await host.start();
        const before = (await host.client().leases.get(leaseId)).expiresAt;
        await eventually(
          async () => signal.aborted || (await host.client().leases.get(leaseId)).expiresAt > before,
        );
        return signal.aborted;
      });
      expect(await result).toBe(false);
    }));

  test('for more than a lease ends the work', () =>
    withHost(async (host) => {
      const pool = await makePool(host.client(), { leaseSeconds: 1 });
      const held = host.client().withLease({ pool }, async (_, signal) => {
        await host.kill();
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        await host.start();
      });
      await expect(held).rejects.toThrow(LeaseLostError);
      const next = await host.client().acquire({ pool, waitMs: 20_000 });
      expect(next.pool).toBe(pool);
    }));
});
