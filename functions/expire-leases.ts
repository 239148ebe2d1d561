import { createSweepHandler } from '../shared/http/create-sweep-handler.ts';
import { lambdaRuntime } from '../shared/runtime/runtime.ts';

/** The sweep, every minute: frees lapsed keys, removes expired ones and those of deleted pools. */
export const handler = createSweepHandler(lambdaRuntime);
