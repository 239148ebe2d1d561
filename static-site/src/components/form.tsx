import { type ComponentChildren, createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { InvalidRequestError, ValueExistsError } from '../../../client/sdk/errors.ts';
import { ErrorNotice } from './notice.tsx';
import { useAction } from './use-action.ts';

/** The error of the form around a field. */
const FormError = createContext<unknown>(undefined);

interface FormProps {
  /** The API's names of the fields in the form: their errors are shown beside them, not below. */
  readonly fields?: readonly string[];
  /** The text on the button. */
  readonly submit: ComponentChildren;
  readonly tone?: 'primary' | 'danger';
  readonly disabled?: boolean;
  /** What it throws is shown in the form. */
  readonly onSubmit: () => Promise<void>;
  /** Closes the dialog; absent outside of one. */
  readonly onCancel?: () => void;
  readonly children: ComponentChildren;
}

/** Fields, their errors, and the button that submits them. */
export function Form(props: FormProps) {
  const { fields = [], submit, tone = 'primary', disabled = false, onSubmit, onCancel, children } = props;
  const action = useAction();
  const button = (
    <button type="submit" class={`button button-${tone}`} disabled={disabled || action.running}>
      {submit}
    </button>
  );
  return (
    <form
      class="space-y-4"
      onSubmit={(event) => {
        event.preventDefault();
        if (!disabled) void action.run(onSubmit);
      }}
    >
      <FormError.Provider value={action.error}>{children}</FormError.Provider>
      <ErrorNotice error={withoutIssuesOf(fields, action.error)} />
      {onCancel === undefined ? (
        button
      ) : (
        <div class="mt-6 flex flex-wrap-reverse justify-end gap-2">
          <button type="button" class="button button-plain" onClick={onCancel}>
            Cancel
          </button>
          {button}
        </div>
      )}
    </form>
  );
}

/** What the API found wrong with the request, and where; undefined where the error is not about fields. */
function issuesOf(error: unknown): InvalidRequestError['errors'] | undefined {
  const hasIssues = error instanceof InvalidRequestError || error instanceof ValueExistsError;
  return hasIssues ? error.errors : undefined;
}

/** The API's error for a field of the form; for a list, that of its first wrong entry. */
export function useIssueOf(field: string | undefined): string | undefined {
  const issues = issuesOf(useContext(FormError));
  return field === undefined ? undefined : issues?.find(({ path }) => isOf(field, path))?.message;
}

function withoutIssuesOf(fields: readonly string[], error: unknown): unknown {
  const issues = issuesOf(error) ?? [];
  const isShown = issues.every(({ path }) => fields.some((field) => isOf(field, path)));
  return isShown && issues.length > 0 ? undefined : error;
}

/** The API names an entry of a list by its index: `pools.0`. */
function isOf(field: string, path: string): boolean {
  return path === field || (path.startsWith(`${field}.`) && /^\d/.test(path.slice(field.length + 1)));
}
