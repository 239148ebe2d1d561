import type { ComponentChildren, JSX } from 'preact';
import { useId } from 'preact/hooks';
import { useIssueOf } from './form.tsx';

interface FieldProps {
  readonly label: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly hint?: ComponentChildren;
  /** The API's name of the field: its error is shown beside it. */
  readonly name?: string;
  /** An error that was found without the API. */
  readonly error?: string | undefined;
  readonly required?: boolean;
  readonly disabled?: boolean;
  readonly placeholder?: string;
}

interface TextFieldProps extends FieldProps {
  readonly maxLength?: number;
  readonly suggestions?: readonly string[] | undefined;
}

export function TextField({ maxLength, suggestions = [], ...props }: TextFieldProps) {
  const listId = useId();
  return (
    <Field {...props}>
      {(attributes) => (
        <>
          <input {...attributes} class="field" maxLength={maxLength} list={listId} />
          <datalist id={listId}>
            {suggestions.map((suggestion) => (
              <option key={suggestion} value={suggestion} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}

interface NumberFieldProps extends FieldProps {
  readonly min?: number;
  readonly max?: number;
}

interface TextAreaProps extends FieldProps {
  readonly rows: number;
}

export function TextArea({ rows, ...props }: TextAreaProps) {
  return (
    <Field {...props}>
      {(attributes) => (
        <textarea
          {...(attributes as object)}
          rows={rows}
          class="field py-2 font-mono text-[0.8125rem]"
          spellcheck={false}
        />
      )}
    </Field>
  );
}

interface SelectFieldProps extends FieldProps {
  readonly options: readonly { readonly value: string; readonly text: string }[];
}

export function SelectField({ options, ...props }: SelectFieldProps) {
  return (
    <Field {...props}>
      {(attributes) => (
        <select {...(attributes as object)} class="field">
          {options.map(({ value, text }) => (
            <option key={value} value={value} selected={value === props.value}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

/** A whole number. Its value is the text as typed. */
export function NumberField({ min, max, ...props }: NumberFieldProps) {
  return (
    <Field {...props}>
      {(attributes) => (
        <input
          {...attributes}
          type="number"
          class="field tabular-nums disabled:opacity-50"
          min={min}
          max={max}
        />
      )}
    </Field>
  );
}

interface FieldFrameProps extends FieldProps {
  readonly children: (attributes: ReturnType<typeof attributesOf>) => JSX.Element;
}

/** A label, an input and its hint or error, connected for screen readers. */
function Field({ children, ...props }: FieldFrameProps) {
  const { label, hint, name, error } = props;
  const id = useId();
  const issue = useIssueOf(name);
  const wrong = error ?? issue;
  const description = wrong ?? hint;
  return (
    <div>
      <label for={id} class="mb-1.5 block text-[0.8125rem] font-medium">
        {label}
      </label>
      {children(attributesOf(props, id, description !== undefined, wrong !== undefined))}
      {description !== undefined && (
        <p id={`${id}-hint`} class={`mt-1.5 text-xs ${wrong === undefined ? 'text-muted' : 'text-danger'}`}>
          {description}
        </p>
      )}
    </div>
  );
}

function attributesOf(props: FieldProps, id: string, isDescribed: boolean, isWrong: boolean) {
  const { value, onValue, required, disabled, placeholder } = props;
  return {
    id,
    value,
    required,
    disabled,
    placeholder,
    autocomplete: 'off' as const,
    autocapitalize: 'off' as const,
    spellcheck: false,
    'aria-describedby': isDescribed ? `${id}-hint` : undefined,
    'aria-invalid': isWrong ? ('true' as const) : undefined,
    onInput: (event: InputEvent) => onValue((event.currentTarget as HTMLInputElement).value),
  };
}

/** The number in a field. The browser has checked it; NaN becomes null in JSON, which the API refuses. */
export function readNumber(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text);
}

interface CheckProps {
  readonly label: ComponentChildren;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
}

export function Check({ label, checked, onChange }: CheckProps) {
  return (
    <label class="flex items-start gap-2.5 text-[0.8125rem] text-ink">
      <input
        type="checkbox"
        class="check mt-0.5"
        checked={checked}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <span>{label}</span>
    </label>
  );
}
