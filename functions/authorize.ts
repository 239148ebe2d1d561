import { createAuthorizer } from '../shared/http/create-authorizer.ts';
import { readRuntimeConfig } from '../shared/runtime/config.ts';
import { lambdaRuntime } from '../shared/runtime/runtime.ts';

/** The Lambda authorizer of every route but health: who the credential names, with role and pools. */
export const handler = createAuthorizer(lambdaRuntime, () => readRuntimeConfig().EDGE_SECRET);
