import { createSendHandler } from '../shared/http/create-send-handler.ts';
import { lambdaEventBus } from '../shared/runtime/event-bus.ts';
import { lambdaRuntime } from '../shared/runtime/runtime.ts';

/** Every minute: sends the events that were not sent yet to the event bus of the deployment. */
export const handler = createSendHandler(lambdaRuntime, lambdaEventBus);
