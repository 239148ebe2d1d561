import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import { json } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const CLIENT = new URL('runtime-api-client.mjs', import.meta.url).href;
const RUNTIME = fileURLToPath(new URL('../runtime/node_modules/aws-lambda-ric/index.mjs', import.meta.url));

/** A function's own limit, in milliseconds, as the stack gives it. */
const TIMEOUT_MS = 10_000;

/** What a function failed with, as its runtime reports it. */
class FunctionFailed extends Error {
  readonly errorType: string;

  constructor({ errorType, errorMessage }: { errorType: string; errorMessage: string }) {
    super(errorMessage);
    this.errorType = errorType;
  }
}

/**
 * One execution environment of Lambda: a bundle under AWS' own runtime interface client, which asks a Runtime API for its
 * invocations, and in a process that is frozen from one to the next, from the moment it asks.
 */
export class LambdaEnvironment {
  /** What the function printed, line by line. */
  readonly printed: Record<string, unknown>[] = [];
  readonly #server: Server;
  #process!: ChildProcess;
  /** The request for the next invocation, while the environment has none. */
  #idle = Promise.withResolvers<ServerResponse>();
  #running: PromiseWithResolvers<unknown> | undefined;

  private constructor() {
    this.#server = createServer((message, response) => void this.#serve(message, response));
  }

  /** Starts it and waits for the end of its init phase. @throws FunctionFailed */
  static async start(file: string, variables: Record<string, string>): Promise<LambdaEnvironment> {
    const environment = new LambdaEnvironment();
    await once(environment.#server.listen(0, '127.0.0.1'), 'listening');
    const { port } = environment.#server.address() as AddressInfo;
    const options = ['--disable-warning=ExperimentalWarning', '--import', CLIENT];
    environment.#process = spawn(process.execPath, [...options, RUNTIME], {
      env: {
        AWS_LAMBDA_FUNCTION_NAME: 'function',
        AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
        AWS_LAMBDA_LOG_GROUP_NAME: 'group',
        AWS_LAMBDA_LOG_STREAM_NAME: 'stream',
        ...variables,
        AWS_LAMBDA_LOG_FORMAT: 'JSON',
        AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${port}`,
        AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
        LAMBDA_TASK_ROOT: dirname(file),
        _HANDLER: 'index.handler',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [environment.#process.stdout, environment.#process.stderr]) {
      stream?.on('data', (data: Buffer) => environment.#read(data.toString()));
    }
    await environment.#idle.promise;
    return environment;
  }

  /** Thaws it for one event. @throws FunctionFailed */
  async invoke<Answer>(event: unknown): Promise<Answer> {
    const next = await this.#idle.promise;
    this.#idle = Promise.withResolvers();
    this.#running = Promise.withResolvers();
    this.#process.kill('SIGCONT');
    next.writeHead(200, {
      'content-type': 'application/json',
      'lambda-runtime-aws-request-id': randomUUID(),
      'lambda-runtime-deadline-ms': String(Date.now() + TIMEOUT_MS),
      'lambda-runtime-invoked-function-arn': 'arn:aws:lambda:eu-central-1:111122223333:function:function',
    });
    next.end(JSON.stringify(event));
    const answer = await this.#running.promise;
    await this.#idle.promise; // Frozen again.
    return answer as Answer;
  }

  /** The memory that it has in use, in bytes. */
  get memoryBytes(): number {
    const [, kilobytes] =
      /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.#process.pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes) * 1024;
  }

  async stop(): Promise<void> {
    this.#process.kill('SIGKILL');
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#process, 'close');
  }

  async #serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, end] = /\/runtime\/(?:invocation\/)?.*?(next|response|error)$/.exec(message.url ?? '') ?? [];
    if (end === 'next') {
      this.#process.kill('SIGSTOP');
      this.#idle.resolve(response);
      return;
    }
    const body = await json(message);
    response.writeHead(202).end();
    const waiting = this.#running ?? this.#idle;
    if (end === 'response') waiting.resolve(body as never);
    else waiting.reject(new FunctionFailed(body as ConstructorParameters<typeof FunctionFailed>[0]));
  }

  #read(text: string): void {
    for (const line of text.split('\n')) {
      if (line.startsWith('{')) this.printed.push(JSON.parse(line) as Record<string, unknown>);
    }
  }
}
