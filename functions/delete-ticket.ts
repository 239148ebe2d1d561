import { ticketParametersSchema } from '../shared/contract/tickets.ts';
import { deleteTicket } from '../shared/domain/queue.ts';
import { createHandler } from '../shared/http/create-handler.ts';
import { defineEndpoint } from '../shared/http/endpoint.ts';
import { lambdaRuntime } from '../shared/runtime/runtime.ts';
import { routes } from './routes.ts';

/** `DELETE /v1/tickets/{ticket}`: leaves the queue of a fair pool. */
export const endpoint = defineEndpoint({
  route: routes.deleteTicket,
  request: { parameters: ticketParametersSchema },
  responses: { 204: null },
  run: async ({ parameters }, { context, caller }) => {
    await deleteTicket(context, caller, parameters.ticket);
    return { status: 204 };
  },
});

export const handler = createHandler(endpoint, lambdaRuntime);
