import type { Context } from '../../../shared/domain/context.ts';
import type { KeyStore } from '../../../shared/domain/store.ts';

/**
 * The same process, but what `action` does comes right after its first use of `verb` on the real store, before
 * anything else: one certain interleaving, instead of many runs that may never meet it.
 */
export function interruptAfter(
  context: Context,
  verb: keyof KeyStore,
  action: () => Promise<unknown>,
): Context {
  const { store } = context;
  let isFirst = true;
  const keys = new Proxy(store.keys, {
    get(target, name) {
      const method = Reflect.get(target, name).bind(target);
      if (name !== verb) return method;
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
  return { ...context, store: { ...store, keys } };
}
