import { HostProcess } from '../../support/host-process.ts';

/** The local host as a process of its own, on a database and a port of its own. */
export interface LocalHost {
  readonly url: string;
  /** An admin's. */
  readonly credential: string;
  /** The link that signs in. */
  readonly signInLink: string;
  /** Ends the process; the database stays. */
  stop(): Promise<void>;
  /** Starts it again, on the same port and database. */
  start(): Promise<void>;
  /** Stops it for good. */
  remove(): Promise<void>;
  /** Calls the API as the admin, or as whoever the credential names. @throws when the answer is no success */
  call<Body>(method: string, path: string, body?: unknown, credential?: string): Promise<Body>;
}

export async function startLocalHost(): Promise<LocalHost> {
  const host = await HostProcess.create();
  const { url, credential } = host;
  return {
    url,
    credential,
    signInLink: `${url}/#credential=${credential}`,
    start: () => host.start(),
    stop: () => host.kill(),
    remove: () => host.remove(),
    call: async <Body>(method: string, path: string, body?: unknown, as = credential) => {
      const answer = await host.call<Body>(method, `/v1${path}`, { body, credential: as });
      if (answer.status >= 400)
        throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
      return answer.body;
    },
  };
}
