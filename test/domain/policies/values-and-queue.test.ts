import { describe, expect, it } from 'vitest';
import { acquireLease } from '../../../shared/domain/acquire-lease.ts';
import type { Context } from '../../../shared/domain/context.ts';
import { createKeys } from '../../../shared/domain/create-keys.ts';
import { listKeys } from '../../../shared/domain/keys.ts';
import { keepAliveLease, releaseLease } from '../../../shared/domain/leases.ts';
import { deleteTicket, listTickets } from '../../../shared/domain/queue.ts';
import { sweep } from '../../../shared/domain/sweep.ts';
import { ValueVault } from '../../../shared/domain/value-vault.ts';
import { describeOnEveryStore } from '../support/every-store.ts';
import { ADMIN, ALICE, acquire, addKeys, BOB, setPolicy, type World } from '../support/world.ts';

const POOL = 'default';
const VALUES = [{ value: 'secret-one', labels: { region: 'eu' } }, { value: 'secret-two' }];

function withVault({ context }: World): Context {
  const vault = new ValueVault([{ id: 'a', secret: 'x'.repeat(40) }]);
  return { ...context, vault: async () => vault };
}

describeOnEveryStore((world) => {
  describe('imported values', () => {
    it('go to the holder alone, and to nobody by a keep-alive or a list', async () => {
      const context = withVault(world);
      const { keys } = await createKeys(context, ADMIN, { pool: POOL, values: VALUES });
      expect(JSON.stringify(keys)).not.toContain('secret');
      expect(keys.map(({ expiresAt }) => expiresAt)).toEqual([null, null]);

      const held = [await acquire(context, ALICE), await acquire(context, ALICE)];
      const values = held.map((lease) => (lease as { value?: string }).value);
      expect(values.toSorted()).toEqual(['secret-one', 'secret-two']);
      const kept = await keepAliveLease(context, ALICE, held[0]?.leaseId ?? '');
      expect(JSON.stringify(kept)).not.toContain('secret');
      const { keys: found } = await listKeys(context, ADMIN, { pool: POOL, limit: 9, search: 'REGION=E' });
      expect(found).toHaveLength(1);
    });

    it('are imported once, whole, and repeated with the same idempotency key', async () => {
      const context = withVault(world);
      const request = { pool: POOL, values: VALUES, idempotencyKey: 'one' };
      const { keys } = await createKeys(context, ADMIN, request);
      const again = await createKeys(context, ADMIN, request);
      expect(again.repeated).toBe(true);
      expect(again.keys.map(({ keyId }) => keyId).toSorted()).toEqual(
        keys.map(({ keyId }) => keyId).toSorted(),
      );
      await expect(
        createKeys(context, ADMIN, { pool: POOL, values: [{ value: 'new' }, { value: 'secret-two' }] }),
      ).rejects.toMatchObject({ code: 'value_exists', issues: [{ path: 'values.1' }] });
      await expect(
        createKeys(context, ADMIN, { ...request, values: [{ value: 'other' }] }),
      ).rejects.toMatchObject({ code: 'idempotency_key_reused' });
    });

    it('are refused without a vault', async () => {
      await expect(createKeys(world.context, ADMIN, { pool: POOL, values: VALUES })).rejects.toMatchObject({
        code: 'values_not_configured',
      });
    });
  });

  describe('the queue of a fair pool', () => {
    const wait = (caller: typeof ALICE, more: object = {}) =>
      acquireLease(world.context, caller, { pool: POOL, wait: true, ...more });
    const ticketOf = async (waiting: ReturnType<typeof wait>): Promise<string> => {
      const acquired = await waiting;
      if (!('waiting' in acquired)) throw new Error('It was served');
      return acquired.waiting.ticket;
    };

    it('serves by priority, then who came first, and passes nobody who waits', async () => {
      await setPolicy(world.context, { fair: true });
      await addKeys(world.context, 1);
      const { leaseId } = await acquire(world.context, ALICE);
      const first = await ticketOf(wait(BOB));
      const urgent = await ticketOf(wait(ALICE, { priority: 5 }));
      const { tickets } = await listTickets(world.context, ADMIN, POOL, { limit: 9 });
      expect(tickets.map(({ clientId }) => clientId)).toEqual([ALICE.clientId, BOB.clientId]);

      await releaseLease(world.context, ALICE, leaseId);
      expect(await ticketOf(wait(BOB, { ticket: first }))).toBe(first);
      await expect(acquire(world.context, BOB)).rejects.toMatchObject({ code: 'no_key_available' });
      const served = await wait(ALICE, { ticket: urgent });
      expect(served).toMatchObject({ repeated: false });
      expect(await wait(ALICE, { ticket: urgent })).toMatchObject({ repeated: true });
    });

    it('forgets who does not ask again, and who leaves', async () => {
      await setPolicy(world.context, { fair: true });
      const lost = await ticketOf(wait(BOB));
      world.passTime(11_000);
      await expect(wait(BOB, { ticket: lost })).rejects.toMatchObject({ code: 'ticket_ended' });
      const left = await ticketOf(wait(ALICE));
      await expect(deleteTicket(world.context, BOB, left)).rejects.toMatchObject({ code: 'ticket_ended' });
      await deleteTicket(world.context, ALICE, left);
      await sweep(world.context, () => true);
      expect((await listTickets(world.context, ADMIN, POOL, { limit: 9 })).tickets).toEqual([]);
    });
  });
});
