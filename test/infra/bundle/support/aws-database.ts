import { createServer, type Server, type Socket } from 'node:net';
import { BSON } from 'mongodb';

const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;

interface Command extends BSON.Document {
  readonly payload?: BSON.Binary;
}

/** Speaks as much of MongoDB's protocol as an authentication with MONGODB-AWS and a ping need, and records the proof. */
export class AwsDatabase {
  /** What a client sent to prove who it is: the signed header, and its session token. */
  readonly proofs: { readonly a: string; readonly t?: string }[] = [];
  /** Whether it lets anybody in. */
  letsIn = true;
  readonly #server: Server = createServer((socket) => this.#serve(socket));
  readonly #sockets = new Set<Socket>();

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as { port: number }).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    let received = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 4 && received.length >= received.readInt32LE(0)) {
        const length = received.readInt32LE(0);
        socket.write(this.#answer(received.subarray(0, length)));
        received = received.subarray(length);
      }
    });
  }

  #answer(message: Buffer): Buffer {
    const requestId = message.readInt32LE(4);
    const isQuery = message.readInt32LE(12) === OP_QUERY;
    // Query: flags, name with its zero, two numbers. Message: flags, the kind of section.
    const start = isQuery ? message.indexOf(0, 20) + 9 : 21;
    const document = message.subarray(start, start + message.readInt32LE(start));
    const body = Buffer.from(BSON.serialize({ ok: 1, ...this.#run(BSON.deserialize(document)) }));
    const head = Buffer.alloc(isQuery ? 36 : 21);
    head.writeInt32LE(head.length + body.length, 0);
    head.writeInt32LE(requestId, 8);
    head.writeInt32LE(isQuery ? OP_REPLY : OP_MSG, 12);
    if (isQuery) head.writeInt32LE(1, 32);
    return Buffer.concat([head, body]);
  }

  #run(command: Command): BSON.Document {
    if ('saslStart' in command) {
      const { r } = BSON.deserialize(command.payload?.buffer ?? Buffer.alloc(0), { promoteBuffers: true });
      const nonce = Buffer.concat([r as Buffer, Buffer.alloc(32, 7)]);
      return {
        conversationId: 1,
        done: false,
        payload: new BSON.Binary(BSON.serialize({ s: nonce, h: 'sts.amazonaws.com' })),
      };
    }
    if ('saslContinue' in command) {
      this.proofs.push(BSON.deserialize(command.payload?.buffer ?? Buffer.alloc(0)) as { a: string });
      if (!this.letsIn)
        return { ok: 0, code: 8000, codeName: 'AtlasError', errmsg: 'bad auth : aws sts call' };
      return { conversationId: 1, done: true, payload: new BSON.Binary(Buffer.alloc(0)) };
    }
    if ('hello' in command || 'ismaster' in command || 'isMaster' in command) {
      return {
        isWritablePrimary: true,
        ismaster: true,
        helloOk: true,
        minWireVersion: 0,
        maxWireVersion: 21,
        setName: 'rs',
        hosts: [],
        maxBsonObjectSize: 16_777_216,
        maxMessageSizeBytes: 48_000_000,
        maxWriteBatchSize: 100_000,
        logicalSessionTimeoutMinutes: 30,
      };
    }
    if ('find' in command) return { cursor: { id: 0n, ns: `test.${command.find}`, firstBatch: [] } };
    return {};
  }
}
