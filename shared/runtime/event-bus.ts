import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import type { Receiver } from '../domain/send-events.ts';
import { ConfigError, readRuntimeConfig } from './config.ts';

/** What rules of the bus go by. */
const SOURCE = 'token-orchestrator';

/** What PutEvents takes at once. An event has less than 1 KB, so that ten are far below its 256 KB. */
const BATCH = 10;

/**
 * An EventBridge bus. One that takes some of the entries and not others has what comes after the first refusal sent
 * again. The SDK is the Lambda runtime's own.
 */
export function createEventBus(arn: string): Receiver {
  let client: EventBridgeClient | undefined;
  return {
    name: arn,
    batchSize: BATCH,
    async send(events) {
      const { EventBridgeClient, PutEventsCommand } = await import('@aws-sdk/client-eventbridge');
      client ??= new EventBridgeClient({
        maxAttempts: 2,
        requestHandler: { connectionTimeout: 1000, requestTimeout: 5000, throwOnRequestTimeout: true },
      });
      const entries = events.map((event) => ({
        EventBusName: arn,
        Source: SOURCE,
        DetailType: event.type,
        Time: new Date(event.at),
        Detail: JSON.stringify(event),
      }));
      try {
        const { Entries: results = [] } = await client.send(new PutEventsCommand({ Entries: entries }));
        const refused = entries.findIndex((_, index) => results[index]?.EventId === undefined);
        if (refused < 0) return { taken: entries.length };
        return { taken: refused, failure: { reason: results[refused]?.ErrorCode ?? 'no result' } };
      } catch (error) {
        return { taken: 0, failure: { reason: (error as Error).name } };
      }
    },
  };
}

let bus: Receiver | undefined;

/** The bus of a Lambda execution environment. @throws ConfigError */
export function lambdaEventBus(): Receiver {
  const { EVENT_BUS_ARN } = readRuntimeConfig();
  if (EVENT_BUS_ARN === undefined) throw new ConfigError('EVENT_BUS_ARN is missing');
  bus ??= createEventBus(EVENT_BUS_ARN);
  return bus;
}
