import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { BSON } from 'mongodb';

const OP_MSG = 2013;
const HEADER_BYTES = 16;

/** A command as it is on the wire; its name is its first field. */
export type WireCommand = BSON.Document;

export interface Wire {
  readonly port: number;
  /** How many are open. */
  readonly connections: number;
  /** Nothing passes any more, on old connections and new ones, and neither end notices. */
  cut(): void;
  mend(): void;
  /** As a firewall that forgets: nothing passes on the connections that are open now, and neither end notices. */
  forget(): void;
  /** As a server that is not running: open connections end, and new ones are refused until `accept`. */
  refuse(): Promise<void>;
  accept(): Promise<void>;
  /** How long a reply takes on its way, in milliseconds. */
  roundTripMs: number;
  /**
   * Asked of each command before it goes on, which it does once this is done. What it returns is the reply instead, and
   * the server never hears of the command.
   */
  intercept: (name: string, command: WireCommand) => Promise<WireCommand | undefined>;
  close(): Promise<void>;
}

/** A way to a MongoDB server on which something can happen between one command and the next. */
export async function layWire(to: { port: number; host?: string }): Promise<Wire> {
  let isCut = false;
  const sockets = new Set<Socket>();
  const forgotten = new WeakSet<Socket>();
  const server = createServer((near) => {
    const far = connect(to.port, to.host ?? '127.0.0.1');
    sockets.add(near);
    near.on('close', () => sockets.delete(near) && far.destroy()).on('error', () => far.destroy());
    far.on('close', () => near.destroy()).on('error', () => near.destroy());
    far.on('data', (data) => {
      if (isCut || forgotten.has(near)) return;
      if (wire.roundTripMs === 0) near.write(data);
      else setTimeout(() => near.write(data), wire.roundTripMs);
    });

    let received = Buffer.alloc(0);
    let passing: Promise<unknown> = Promise.resolve();
    near.on('data', (data) => {
      received = Buffer.concat([received, data]);
      while (received.length >= 4 && received.length >= received.readInt32LE(0)) {
        const message = received.subarray(0, received.readInt32LE(0));
        received = received.subarray(message.length);
        passing = passing.then(() => pass(message, near, far)).catch(() => near.destroy());
      }
    });
  });

  async function pass(message: Buffer, near: Socket, far: Socket): Promise<void> {
    const command = readCommand(message);
    const reply = command && (await wire.intercept(Object.keys(command)[0] ?? '', command));
    if (isCut || forgotten.has(near)) return;
    if (reply === undefined) far.write(message);
    else near.write(makeReply(message, reply));
  }

  await once(server.listen(0, '127.0.0.1'), 'listening');
  const wire: Wire = {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return sockets.size;
    },
    cut: () => {
      isCut = true;
    },
    mend: () => {
      isCut = false;
    },
    forget: () => {
      for (const socket of sockets) forgotten.add(socket);
    },
    async refuse() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
    async accept() {
      await once(server.listen(wire.port, '127.0.0.1'), 'listening');
    },
    roundTripMs: 0,
    intercept: async () => undefined,
    close: () => wire.refuse(),
  };
  return wire;
}

/** The sections of a message: one document, and lists of documents that belong into it. */
function readCommand(message: Buffer): WireCommand | undefined {
  if (message.readInt32LE(12) !== OP_MSG) return undefined;
  const command: WireCommand = {};
  for (let at = HEADER_BYTES + 4; at < message.length; ) {
    const size = message.readInt32LE(at + 1);
    const section = message.subarray(at + 1, at + 1 + size);
    if (message[at] === 0) Object.assign(command, BSON.deserialize(section));
    else {
      const nameEnd = section.indexOf(0, 4);
      command[section.toString('utf8', 4, nameEnd)] = readDocuments(section.subarray(nameEnd + 1));
    }
    at += 1 + size;
  }
  return command;
}

function readDocuments(bytes: Buffer): BSON.Document[] {
  const documents: BSON.Document[] = [];
  for (let at = 0; at < bytes.length; at += bytes.readInt32LE(at)) {
    documents.push(BSON.deserialize(bytes.subarray(at, at + bytes.readInt32LE(at))));
  }
  return documents;
}

function makeReply(request: Buffer, reply: WireCommand): Buffer {
  const body = BSON.serialize(reply);
  const head = Buffer.alloc(HEADER_BYTES + 5);
  head.writeInt32LE(head.length + body.length, 0);
  head.writeInt32LE(request.readInt32LE(4), 8);
  head.writeInt32LE(OP_MSG, 12);
  return Buffer.concat([head, body]);
}
