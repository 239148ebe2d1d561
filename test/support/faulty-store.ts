import type { Store } from '../../shared/domain/store.ts';

/** What happens before a verb reaches the store: throw, or wait, to stand for a database that fails or hangs. */
export type Fault = (verb: string) => void | Promise<void>;

/** A real store, each of whose verbs first asks for a fault. `verb` is the path of its name, as in `keys.claim`. */
export function faultyStore(store: Store, fault: () => Fault | undefined): Store {
  return wrap(store, '', fault);
}

function wrap<Target extends object>(target: Target, path: string, fault: () => Fault | undefined): Target {
  return new Proxy(target, {
    get(object, name) {
      const member: unknown = Reflect.get(object, name);
      const verb = `${path}${String(name)}`;
      if (typeof member === 'function') {
        return async (...given: unknown[]) => {
          await fault()?.(verb);
          return Reflect.apply(member, object, given);
        };
      }
      return typeof member === 'object' && member !== null ? wrap(member, `${verb}.`, fault) : member;
    },
  });
}
