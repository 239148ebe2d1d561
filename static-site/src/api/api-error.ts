import type { LeaseEndReason, Problem, ProblemCode } from '../../../shared/contract/problems.ts';

/**
 * What went wrong with a call. `network`: no answer came; `credential_rejected`: the gateway does not know the
 * credential; the other codes are the API's own.
 */
export type ApiErrorCode = ProblemCode | 'network' | 'credential_rejected' | 'throttled' | 'unexpected';

export class ApiError extends Error {
  readonly code: ApiErrorCode;
  /** HTTP status; 0: no answer came. */
  readonly status: number;
  readonly issues: readonly { path: string; message: string }[];
  readonly reason: LeaseEndReason | undefined;
  readonly retryAfterMs: number | undefined;
  readonly requestId: string | undefined;

  constructor(
    code: ApiErrorCode,
    status: number,
    message: string,
    problem?: Problem,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'ApiError';
    this.code = code;
    this.status = status;
    this.issues = problem?.errors ?? [];
    this.reason = problem?.reason;
    this.retryAfterMs = problem?.retryAfterMs;
    this.requestId = problem?.requestId;
  }

  /** The service or the way to it is down; the same call may work later. */
  get isOutage(): boolean {
    return this.code === 'network' || this.code === 'throttled' || this.status >= 500;
  }
}

/** An answer that is not a success, by its body where it has one and by its status otherwise. */
export async function readApiError(response: Response): Promise<ApiError> {
  const problem = await readProblem(response);
  if (problem !== undefined) return new ApiError(problem.code, response.status, problem.detail, problem);
  const { status } = response;
  if (status === 401 || status === 403) {
    return new ApiError('credential_rejected', status, 'The credential is wrong or was revoked');
  }
  if (status === 429) return new ApiError('throttled', status, 'Too many requests');
  return new ApiError('unexpected', status, `The service answered ${status}`);
}

async function readProblem(response: Response): Promise<Problem | undefined> {
  if (!response.headers.get('content-type')?.startsWith('application/problem+json')) return undefined;
  try {
    return (await response.json()) as Problem;
  } catch {
    return undefined;
  }
}
