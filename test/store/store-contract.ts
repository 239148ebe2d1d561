import { describe } from 'vitest';
import { describeClaim } from './contract/claim-contract.ts';
import { describeClients } from './contract/client-contract.ts';
import { describeClientSeats } from './contract/client-seat-contract.ts';
import { describeConnections } from './contract/connection-contract.ts';
import { describeCreate } from './contract/create-contract.ts';
import { describeCreations } from './contract/creation-contract.ts';
import { describeEnds } from './contract/end-contract.ts';
import { describeEvents } from './contract/event-contract.ts';
import { describeLateWrites } from './contract/late-write-contract.ts';
import { describeLeases } from './contract/lease-contract.ts';
import { describeRandomHistories } from './contract/model-contract.ts';
import { describeNotes } from './contract/note-contract.ts';
import { describePauses } from './contract/pause-contract.ts';
import { describePools } from './contract/pool-contract.ts';
import { describeReads } from './contract/read-contract.ts';
import { describeReclaim } from './contract/reclaim-contract.ts';
import { describeSeats } from './contract/seat-contract.ts';
import type { MakeStore } from './contract/store-fixture.ts';
import { describeSweeps } from './contract/sweep-contract.ts';
import { describeTickets } from './contract/ticket-contract.ts';
import { describeUsage } from './contract/usage-contract.ts';

export type { MakeStore, StoreFixture } from './contract/store-fixture.ts';

/**
 * What every store keeps, whatever its database: both adapters pass this one suite. `share`: how many of the random
 * histories are worth their time, where each command goes over the wire.
 */
export function describeStoreContract(name: string, makeStore: MakeStore, share = 1): void {
  describe(name, () => {
    describeCreate(makeStore);
    describeCreations(makeStore);
    describeSeats(makeStore);
    describeClaim(makeStore);
    describeClientSeats(makeStore);
    describeReclaim(makeStore);
    describeLeases(makeStore);
    describeEnds(makeStore);
    describeLateWrites(makeStore);
    describePauses(makeStore);
    describeReads(makeStore);
    describeSweeps(makeStore);
    describeNotes(makeStore);
    describeEvents(makeStore);
    describeTickets(makeStore);
    describeUsage(makeStore);
    describePools(makeStore);
    describeClients(makeStore);
    describeConnections(makeStore);
    describeRandomHistories(makeStore, share);
  });
}
