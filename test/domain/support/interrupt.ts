import type { Context } from '../../../shared/domain/context.ts';
import type { KeyStore, PoolStore, TicketStore } from '../../../shared/domain/store.ts';
import { watchStore } from '../../support/watch-store.ts';
import { startProcess } from './world.ts';

type Verb = `keys.${keyof KeyStore}` | `pools.${keyof PoolStore}` | `tickets.${keyof TicketStore}`;

/**
 * A process in which what `action` does comes right after the first use of `verb` on the real store, before anything
 * else: one certain interleaving, instead of many runs that may never meet it.
 */
export function interruptAfter(context: Context, verb: Verb, action: () => Promise<unknown>): Context {
  let isFirst = true;
  const after = async (used: string): Promise<void> => {
    if (used !== verb || !isFirst) return;
    isFirst = false;
    await action();
  };
  return startProcess(
    watchStore(context.store, () => ({ after })),
    context.clock,
  );
}
