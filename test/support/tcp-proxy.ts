import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** What happens to one connection. */
export type Fault =
  /** Bytes go both ways. */
  | { readonly kind: 'pass' }
  /** The connection is closed before a byte of the request has gone on. */
  | { readonly kind: 'refuse' }
  /** The request reaches the server, which acts on it; its answer is thrown away, and the connection closed. */
  | { readonly kind: 'drop answer' }
  /** The answer stays here until `release` resolves. */
  | { readonly kind: 'delay answer'; readonly release: Promise<unknown> }
  /** The request reaches the server twice, on two connections; the caller gets the first answer. */
  | { readonly kind: 'duplicate' };

/** A TCP proxy for tests: what it does to a connection is decided by the first bytes of its request. */
export class TcpProxy {
  /** Head of every request, in the order of their arrival: one connection carries one request. */
  readonly requests: string[] = [];
  /** Asked once for each connection. */
  decide: (head: string) => Fault = () => ({ kind: 'pass' });
  /** Where connections go; may change. */
  upstreamPort: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(upstreamPort: number) {
    this.upstreamPort = upstreamPort;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  static async start(upstreamPort: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(upstreamPort);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Requests whose head starts so. */
  count(start: string): number {
    return this.requests.filter((head) => head.startsWith(start)).length;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #track(socket: Socket): Socket {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
    return socket;
  }

  #accept(caller: Socket): void {
    this.#track(caller);
    caller.once('data', (first: Buffer) => {
      const text = first.toString('latin1');
      const head = text.slice(0, text.indexOf('\r\n'));
      this.requests.push(head);
      this.#carryOut(this.decide(head), caller, oneRequest(first));
    });
  }

  #carryOut(fault: Fault, caller: Socket, first: Buffer): void {
    switch (fault.kind) {
      case 'pass':
        this.#connect(caller, first).pipe(caller);
        break;
      case 'refuse':
        caller.destroy();
        break;
      case 'duplicate':
        this.#connect(caller, first).resume();
        this.#connect(caller, first).pipe(caller);
        break;
      case 'drop answer': {
        const server = this.#connect(caller, first);
        server.once('data', () => {
          caller.destroy();
          server.destroy();
        });
        break;
      }
      case 'delay answer': {
        const server = this.#connect(caller, first);
        server.once('readable', () => {
          void fault.release.then(() => server.pipe(caller));
        });
        break;
      }
    }
  }

  #connect(caller: Socket, first: Buffer): Socket {
    const server = this.#track(connect(this.upstreamPort, '127.0.0.1'));
    server.write(first);
    caller.on('data', (more: Buffer) => server.write(more));
    server.on('close', () => caller.end());
    return server;
  }
}

/** Asks the server to close after its answer, so that one connection carries one request and one fault. */
function oneRequest(first: Buffer): Buffer {
  const text = first.toString('latin1');
  return Buffer.from(text.replace(/\r\nconnection: keep-alive\r\n/i, '\r\nconnection: close\r\n'), 'latin1');
}
