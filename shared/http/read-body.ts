import type { MiddlewareObj } from '@middy/core';
import httpJsonBodyParser from '@middy/http-json-body-parser';
import { InvalidRequestError } from '../domain/errors.ts';
import type { ApiEvent } from './api-event.ts';
import { BodyTooLargeError, UnsupportedMediaTypeError } from './problem.ts';
import { MAX_BODY_BYTES } from './route.ts';

const parser = httpJsonBodyParser();

/** Refuses a body over this many bytes, whether or not the endpoint reads one. */
export function limitBody(maxBytes = MAX_BODY_BYTES): MiddlewareObj<ApiEvent> {
  return {
    before: ({ event }) => {
      const bytes = Buffer.byteLength(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
      if (bytes > maxBytes) throw new BodyTooLargeError(`The body may have at most ${maxBytes} bytes`);
    },
  };
}

/** Parses a JSON body in place; none at all counts as `{}`, whatever the content type, so that this fits GET too. */
export function readBody(): MiddlewareObj<ApiEvent> {
  return {
    before: async (request) => {
      if (request.event.body === undefined || request.event.body === '') {
        request.event.body = {} as never; // Parsed, as the parser leaves it.
        return;
      }
      try {
        await parser.before?.(request as never);
      } catch (error) {
        if ((error as { statusCode?: number }).statusCode === 415) {
          throw new UnsupportedMediaTypeError('Send the body as Content-Type: application/json', {
            cause: error,
          });
        }
        throw new InvalidRequestError([{ path: 'body', message: 'Must be valid JSON, without __proto__' }], {
          cause: error,
        });
      }
    },
  };
}
