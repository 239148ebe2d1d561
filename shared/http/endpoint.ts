import type * as z from 'zod';
import type { Caller } from '../domain/client.ts';
import type { Context } from '../domain/context.ts';
import type { Route } from './route.ts';

/** The parts of a request that an endpoint may name; a part that it leaves out must be empty, headers excepted. */
type RequestShape = { parameters?: z.ZodType; query?: z.ZodType; headers?: z.ZodType; body?: z.ZodType };

type RequestOf<Shape extends RequestShape> = {
  [Part in keyof Shape]: Shape[Part] extends z.ZodType ? z.output<Shape[Part]> : never;
};

export interface Call {
  readonly context: Context;
  readonly caller: Caller;
}

/** What became of a lease, or of the wish for one. */
export type LeaseOutcome =
  | 'acquired'
  | 'repeated'
  | 'waiting'
  | 'kept_alive'
  | 'released'
  | 'cooldown'
  | 'discarded'
  | 'release_repeated';

/** What the log tells of a request beside its route and status, and what is counted. Never a value or a lease id. */
export interface Facts {
  readonly pool?: string | undefined;
  readonly keyId?: string | undefined;
  readonly holder?: string | undefined;
  readonly outcome?: LeaseOutcome | undefined;
  /** How many keys or leases, where several were asked for. */
  readonly count?: number | undefined;
  readonly keyIds?: readonly string[] | undefined;
  readonly heldMs?: number | undefined;
  readonly waitedMs?: number | undefined;
}

export interface Result {
  readonly status: number;
  /** Sent as JSON; absent: no body. */
  readonly body?: unknown;
  /** What the body does not tell: of a body that is about one key, lease or pool, the log has what names it. */
  readonly facts?: Facts;
}

/** A route with its schemas, and what it does with a request that they let through. */
export interface Endpoint<Shape extends RequestShape = RequestShape> {
  readonly route: Route;
  readonly request: Shape;
  /** Status to body; `null`: no body. */
  readonly responses: Readonly<Record<number, z.ZodType | null>>;
  readonly run: (request: RequestOf<Shape>, call: Call) => Promise<Result>;
}

/** An endpoint whose request type is no longer known: what the wrapper, the local host and the API document work with. */
export interface AnyEndpoint extends Omit<Endpoint, 'run'> {
  // biome-ignore lint/suspicious/noExplicitAny: the wrapper validates the request against this very endpoint's schemas
  readonly run: (request: any, call: Call) => Promise<Result>;
}

/** Ties the type of `run`'s request to the schemas. */
export function defineEndpoint<Shape extends RequestShape>(endpoint: Endpoint<Shape>): Endpoint<Shape> {
  return endpoint;
}
