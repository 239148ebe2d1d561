import type { IncomingMessage } from 'node:http';

/** API Gateway's limit for a request, in bytes; the functions' own is far lower. */
const MAX_REQUEST_BYTES = 10 * 1024 * 1024;

export const TooLarge = Symbol('too large');

/**
 * The whole body. A larger one is read to its end and dropped, since a caller reads no response while it sends. By events:
 * `for await` costs more than all the rest that the gateway does.
 */
export function readRequestBody(message: IncomingMessage): Promise<Buffer | typeof TooLarge> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    message.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MAX_REQUEST_BYTES) chunks.push(chunk);
      else chunks.length = 0;
    });
    message.on('end', () => resolve(bytes > MAX_REQUEST_BYTES ? TooLarge : Buffer.concat(chunks)));
    message.on('error', reject); // Also when the caller hangs up before the end.
  });
}
