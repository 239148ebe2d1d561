import type { Caller } from '../../../shared/domain/client.ts';
import type { Context } from '../../../shared/domain/context.ts';
import { OrchestratorError } from '../../../shared/domain/errors.ts';
import type { World } from '../support/world.ts';

/** What the commands of the model act on: one pool of a real store. */
export interface RealSystem {
  readonly world: World;
  readonly context: Context;
  readonly pool: string;
  /** Clients of this pool alone: idempotency keys are per client, not per pool. */
  readonly clients: readonly [Caller, Caller];
}

/** What an operation answered: its result, or the code of its refusal and what comes with it. */
export type Answer<Result> = { ok: Result } | { refused: string; detail?: unknown };

export async function answerOf<Result>(operation: Promise<Result>): Promise<Answer<Result>> {
  try {
    return { ok: await operation };
  } catch (error) {
    if (!(error instanceof OrchestratorError)) throw error;
    if ('reason' in error) return { refused: error.code, detail: error.reason };
    if ('retryAfterMs' in error) return { refused: error.code, detail: error.retryAfterMs };
    return { refused: error.code };
  }
}

/** The one that stands at `index`, counted around; undefined where there is none. */
export function pick<Item>(items: readonly Item[], index: number): Item | undefined {
  return items[index % items.length];
}
