import type { IncomingMessage } from 'node:http';

/** API Gateway's limit for a request, in bytes; the functions' own is far lower. */
const MAX_REQUEST_BYTES = 10 * 1024 * 1024;

export const TooLarge = Symbol('too large');

/** The whole body. A larger one is read to its end and dropped, since a caller reads no response while it sends. */
export async function readRequestBody(message: IncomingMessage): Promise<Buffer | typeof TooLarge> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= MAX_REQUEST_BYTES) chunks.push(chunk);
    else chunks.length = 0;
  }
  return bytes > MAX_REQUEST_BYTES ? TooLarge : Buffer.concat(chunks);
}
