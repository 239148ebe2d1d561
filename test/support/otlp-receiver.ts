import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

type Value = { readonly stringValue?: string; readonly intValue?: number | string };

interface Attribute {
  readonly key: string;
  readonly value: Value;
}

/** A span as it is sent, with its attributes by name. */
export interface ReceivedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly attributes: Readonly<Record<string, string | number | undefined>>;
  readonly resource: Readonly<Record<string, string | number | undefined>>;
  readonly status: { readonly code: number };
}

export interface OtlpReceiver {
  readonly url: string;
  readonly spans: ReceivedSpan[];
  /** All that was sent, word by word. */
  text: string;
  close(): Promise<void>;
}

/** Takes spans as a collector does, by OTLP over HTTP in JSON. @param isSilent it reads, and never answers */
export async function startOtlpReceiver({ isSilent = false } = {}): Promise<OtlpReceiver> {
  const server = createServer(async (message, response) => {
    const sent = (await json(message)) as SentSpans;
    receiver.text += `${message.url}${JSON.stringify(message.headers)}${JSON.stringify(sent)}`;
    if (isSilent) return;
    for (const { resource, scopeSpans } of sent.resourceSpans) {
      for (const { attributes, ...span } of scopeSpans.flatMap(({ spans }) => spans)) {
        receiver.spans.push({
          ...span,
          attributes: byName(attributes),
          resource: byName(resource.attributes),
        });
      }
    }
    response.setHeader('content-type', 'application/json').end('{}');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const receiver: OtlpReceiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans: [],
    text: '',
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return receiver;
}

interface SentSpans {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly {
      readonly spans: readonly (Omit<ReceivedSpan, 'attributes' | 'resource'> & {
        readonly attributes: readonly Attribute[];
      })[];
    }[];
  }[];
}

function byName(attributes: readonly Attribute[]): ReceivedSpan['attributes'] {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key, value.stringValue ?? Number(value.intValue)]),
  );
}
