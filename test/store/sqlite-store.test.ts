import { makeSqliteStore } from './sqlite-fixture.ts';
import { describeStoreContract } from './store-contract.ts';

describeStoreContract('the SQLite store', makeSqliteStore);
