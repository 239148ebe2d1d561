import { Logger } from '@aws-lambda-powertools/logger';

export type { Logger };

/** One JSON line per entry. What must never be in one: credentials, values of keys, bodies. */
export const logger = new Logger({ serviceName: 'token-orchestrator' });
