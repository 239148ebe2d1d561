/** What every call takes. */
export interface CallOptions {
  /** Gives up the call. */
  readonly signal?: AbortSignal | undefined;
}

/** Which page of a list. */
export interface PageOptions extends CallOptions {
  /** From 1 to 200; 50 by default. */
  readonly limit?: number | undefined;
  /** `nextCursor` of the page before. */
  readonly cursor?: string | undefined;
}
