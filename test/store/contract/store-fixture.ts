import { afterEach, beforeEach } from 'vitest';
import type { Store } from '../../../shared/domain/store.ts';

/** One database for one test. */
export interface StoreFixture {
  /** Prepared (`prepare` was called); holds nothing but the default pool. */
  readonly store: Store;
  /** A second, independent connection to the same database. */
  another(): Promise<Store>;
  /** Closes every store of this database and removes what it left behind. */
  dispose(): Promise<void>;
}

/** Called before each test, so it should be quick: what matters is that the database is empty, not that it is new. */
export type MakeStore = () => Promise<StoreFixture>;

/** The fixture of the running test; call it inside a `describe`. */
export function useStore(makeStore: MakeStore): { readonly store: Store; another(): Promise<Store> } {
  let fixture: StoreFixture;
  beforeEach(async () => {
    fixture = await makeStore();
  });
  afterEach(() => fixture.dispose());
  return {
    get store() {
      return fixture.store;
    },
    another: () => fixture.another(),
  };
}
