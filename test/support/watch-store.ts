import type { Store } from '../../shared/domain/store.ts';

/** What happens around a verb: throw, wait, or do something else in between. `verb` is the path of its name, as in `keys.claim`. */
export interface Watch {
  before?(verb: string): unknown;
  after?(verb: string): unknown;
}

/** A real store, each of whose verbs first asks what is to happen around it. */
export function watchStore(store: Store, watch: () => Watch | undefined): Store {
  return wrap(store, '', watch);
}

function wrap<Target extends object>(target: Target, path: string, watch: () => Watch | undefined): Target {
  return new Proxy(target, {
    get(object, name) {
      const member: unknown = Reflect.get(object, name);
      const verb = `${path}${String(name)}`;
      if (typeof member === 'function') {
        return async (...given: unknown[]) => {
          await watch()?.before?.(verb);
          try {
            return await Reflect.apply(member, object, given);
          } finally {
            await watch()?.after?.(verb);
          }
        };
      }
      return typeof member === 'object' && member !== null ? wrap(member, `${verb}.`, watch) : member;
    },
  });
}
