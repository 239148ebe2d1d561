import { connect, type Socket } from 'node:net';

// The callers, in a process of their own, so that they take no time from what they measure. Over bare sockets: an HTTP
// client of Node costs as much as a server.

/** What callers do. `cycle`: acquire, keep alive, release, again and again. Otherwise one thing so many times. */
export interface Load {
  readonly port: number;
  readonly credential: string;
  readonly connections: number;
  readonly pool: string;
  readonly phases: readonly {
    readonly does: 'cycle' | 'acquire' | 'keep-alive' | 'release' | 'pools';
    /** For how long, in milliseconds; absent: until each lease at hand had its turn. */
    readonly ms?: number;
    /** How many requests at the most. */
    readonly count?: number;
  }[];
}

export interface PhaseResult {
  readonly does: string;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  /** How often a status came back. */
  readonly statuses: Record<string, number>;
  /** How often a key was given to a caller while another one held it. */
  readonly doubles: number;
}

const STEPS = 2000;

/** Latencies in milliseconds, counted in steps of 1 %. */
class Latencies {
  readonly #counts = new Uint32Array(STEPS);
  count = 0;

  add(ms: number): void {
    const step = Math.min(STEPS - 1, Math.max(0, Math.round(Math.log(ms / 0.001) / Math.log(1.01))));
    this.#counts[step] = (this.#counts[step] as number) + 1;
    this.count += 1;
  }

  percentiles(): { p50: number; p99: number; p999: number } {
    return { p50: this.#at(0.5), p99: this.#at(0.99), p999: this.#at(0.999) };
  }

  #at(share: number): number {
    let seen = 0;
    for (const [step, count] of this.#counts.entries()) {
      seen += count;
      if (count > 0 && seen >= share * this.count) return 0.001 * 1.01 ** step;
    }
    return 0;
  }
}

interface Held {
  readonly leaseId: string;
  readonly keyId: string;
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

const LENGTH = /content-length: *(\d+)/i;

/** One caller: a connection that carries one request at a time. */
class Caller {
  readonly #socket: Socket;
  #received = '';
  #settle: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket.setNoDelay(true).setEncoding('latin1');
    socket.on('data', (chunk) => this.#read(String(chunk)));
    for (const event of ['error', 'close']) {
      socket.on(event, (error) => this.#settle?.reject(error || new Error('The connection was closed')));
    }
  }

  static open(port: number): Promise<Caller> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => resolve(new Caller(socket)));
      socket.once('error', reject);
    });
  }

  send(request: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#socket.write(request, 'latin1');
    });
  }

  close(): void {
    this.#settle = undefined;
    this.#socket.destroy();
  }

  #read(chunk: string): void {
    this.#received += chunk;
    const head = this.#received.indexOf('\r\n\r\n');
    if (head < 0) return;
    const end = head + 4 + Number(LENGTH.exec(this.#received.slice(0, head))?.[1] ?? 0);
    if (this.#received.length < end) return;
    const answer = { status: Number(this.#received.slice(9, 12)), body: this.#received.slice(head + 4, end) };
    this.#received = '';
    this.#settle?.resolve(answer);
  }
}

async function run({ port, credential, connections, pool, phases }: Load): Promise<PhaseResult[]> {
  const callers = await Promise.all(Array.from({ length: connections }, () => Caller.open(port)));
  const head = `host: bench\r\nauthorization: Bearer ${credential}\r\n`;
  const body = JSON.stringify({ pool });
  const acquireRequest = `POST /v1/leases HTTP/1.1\r\n${head}content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  const keepAliveRequest = ({ leaseId }: Held) =>
    `POST /v1/leases/${leaseId}/keep-alive HTTP/1.1\r\n${head}content-length: 0\r\n\r\n`;
  const releaseRequest = ({ leaseId }: Held) => `DELETE /v1/leases/${leaseId} HTTP/1.1\r\n${head}\r\n`;
  const poolsRequest = `GET /v1/pools HTTP/1.1\r\n${head}\r\n`;

  /** By key: who holds it, as far as the callers were told. */
  const holders = new Map<string, string>();
  let held: Held[] = [];
  const results: PhaseResult[] = [];
  for (const { does, ms = Number.POSITIVE_INFINITY, count = Number.POSITIVE_INFINITY } of phases) {
    const latencies = new Latencies();
    const statuses: Record<string, number> = {};
    let doubles = 0;
    let left = count;
    const startedAt = performance.now();
    const timed = async (caller: Caller, request: string): Promise<Answer> => {
      const sentAt = performance.now();
      const answer = await caller.send(request);
      latencies.add(performance.now() - sentAt);
      statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
      return answer;
    };
    const acquire = async (caller: Caller): Promise<Held | undefined> => {
      const answer = await timed(caller, acquireRequest);
      if (answer.status !== 201) return undefined;
      const { leaseId, keyId } = JSON.parse(answer.body) as Held;
      if (holders.has(keyId)) doubles += 1;
      holders.set(keyId, leaseId);
      return { leaseId, keyId };
    };
    const release = async (caller: Caller, lease: Held): Promise<void> => {
      // Once it is sent, the next holder may be told before this one.
      if (holders.get(lease.keyId) === lease.leaseId) holders.delete(lease.keyId);
      await timed(caller, releaseRequest(lease));
    };
    const acquired: Held[] = [];
    const work = async (caller: Caller): Promise<void> => {
      while (left > 0 && performance.now() - startedAt < ms) {
        left -= 1;
        if (does === 'pools') {
          await timed(caller, poolsRequest);
        } else if (does === 'cycle' || does === 'acquire') {
          const lease = await acquire(caller);
          if (lease === undefined) continue;
          if (does === 'acquire') acquired.push(lease);
          else {
            await timed(caller, keepAliveRequest(lease));
            await release(caller, lease);
          }
        } else {
          const lease = held.pop();
          if (lease === undefined) return;
          acquired.push(lease);
          if (does === 'keep-alive') await timed(caller, keepAliveRequest(lease));
          else await release(caller, lease);
        }
      }
    };
    await Promise.all(callers.map(work));
    held = does === 'release' ? held : [...held, ...acquired];
    const seconds = (performance.now() - startedAt) / 1000;
    results.push({
      does,
      perSecond: latencies.count / seconds,
      ...latencies.percentiles(),
      statuses,
      doubles,
    });
  }
  for (const caller of callers) caller.close();
  return results;
}

process.on('message', async (load: Load) => {
  try {
    process.send?.(await run(load));
  } catch (error) {
    process.send?.({ error: String(error) });
  }
});
