import type { ComponentChildren, JSX } from 'preact';
import { useId } from 'preact/hooks';
import { ApiError } from '../api/api-error.ts';

interface FormFieldProps {
  readonly label: string;
  readonly hint?: ComponentChildren;
  readonly error?: string | undefined;
  readonly children: (attributes: {
    id: string;
    'aria-describedby': string | undefined;
    'aria-invalid': 'true' | undefined;
  }) => JSX.Element;
}

/** A label, a control, a hint and what is wrong with it, tied together for everybody. */
export function FormField({ label, hint, error, children }: FormFieldProps) {
  const id = useId();
  const hintId = `${id}-hint`;
  const described = hint !== undefined || error !== undefined;
  return (
    <div>
      <label for={id} class="mb-1.5 block text-[0.8125rem] font-medium">
        {label}
      </label>
      {children({
        id,
        'aria-describedby': described ? hintId : undefined,
        'aria-invalid': error === undefined ? undefined : 'true',
      })}
      {described && (
        <p id={hintId} class={`mt-1.5 text-xs ${error === undefined ? 'text-muted' : 'text-danger'}`}>
          {error ?? hint}
        </p>
      )}
    </div>
  );
}

/** What the API found wrong with one field. */
export function issueOf(error: unknown, path: string): string | undefined {
  if (!(error instanceof ApiError)) return undefined;
  return error.issues.find((issue) => issue.path === path)?.message;
}

/** The error, unless it is shown beside the fields already. */
export function withoutFieldIssues(error: unknown, ...paths: string[]): unknown {
  if (!(error instanceof ApiError) || error.issues.length === 0) return error;
  return error.issues.every((issue) => paths.includes(issue.path)) ? undefined : error;
}
