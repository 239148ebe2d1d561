import { serve } from './serve.js';

// No store at all: what HTTP and JSON cost.

let number = 0;
const lease = (leaseId) => ({ leaseId, keyId: leaseId, pool: 'default', fencingToken: number });

serve({
  acquire: async () => lease(`lease_${++number}`),
  keepAlive: async (leaseId) => lease(leaseId),
  release: async (leaseId) => lease(leaseId),
});
