import type { Context } from '../../../shared/domain/context.ts';
import { PoolDirectory } from '../../../shared/domain/pools/pool-directory.ts';
import type { KeyStore, PoolStore } from '../../../shared/domain/store.ts';

type Method = (...parameters: unknown[]) => Promise<unknown>;
type Verb = `keys.${keyof KeyStore}` | `pools.${keyof PoolStore}`;

/**
 * A process in which what `action` does comes right after the first use of `verb` on the real store, before anything
 * else: one certain interleaving, instead of many runs that may never meet it.
 */
export function interruptAfter(context: Context, verb: Verb, action: () => Promise<unknown>): Context {
  const { store } = context;
  let isFirst = true;
  const watch = <Part extends object>(part: Part, path: string): Part =>
    new Proxy(part, {
      get(target, name) {
        const method = (Reflect.get(target, name) as Method).bind(target);
        if (`${path}.${String(name)}` !== verb) return method;
        return async (...parameters: unknown[]) => {
          const result = await method(...parameters);
          if (isFirst) {
            isFirst = false;
            await action();
          }
          return result;
        };
      },
    });
  const pools = watch(store.pools, 'pools');
  return {
    ...context,
    store: { ...store, keys: watch(store.keys, 'keys'), pools },
    pools: new PoolDirectory(pools),
  };
}
