import { hostname } from 'node:os';

/** The options of the commands that acquire a key. */
export interface LeaseOptions {
  readonly pool?: string;
  readonly wait: number;
  readonly holder: string;
  readonly leaseSeconds?: number;
}

/** Host and process: what an operator needs to find the holder. */
export function defaultHolder(): string {
  return `${hostname()}:${process.pid}`;
}
