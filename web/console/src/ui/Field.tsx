import { useId, useState, type InputHTMLAttributes, type ReactNode } from 'react';

interface FieldProps extends Omit<InputHTMLAttributes<HTMLInputElement>, 'className' | 'value' | 'onChange' | 'id'> {
  label: string;
  value: string;
  onChange: (value: string) => void;
  hint?: ReactNode;
  /** What is wrong with it. */
  problem?: string | undefined;
}

export function TextField({ label, value, onChange, hint, problem, ...rest }: FieldProps) {
  const id = useId();
  const told = problem ?? hint;
  return (
    <div className="field">
      <label htmlFor={id} className="label">
        {label}
      </label>
      <input
        autoComplete="off"
        {...rest}
        id={id}
        className="input"
        value={value}
        aria-invalid={problem !== undefined}
        aria-describedby={told === undefined ? undefined : `${id}-told`}
        onChange={(event) => { onChange(event.target.value); }}
      />
      {told === undefined ? null : (
        <span id={`${id}-told`} className={problem === undefined ? 'hint cell-faint' : 'hint problem'}>
          {told}
        </span>
      )}
    </div>
  );
}

interface NumberFieldProps {
  label: string;
  value: number | undefined;
  /** Undefined for an empty field. */
  onChange: (value: number | undefined) => void;
  min?: number;
  max?: number;
  step?: number | 'any';
  placeholder?: string;
}

/** A number, or none. What is typed stays as it is while it is typed: "1." is not "1" yet. */
export function NumberField({ label, value, onChange, ...rest }: NumberFieldProps) {
  const [typed, setTyped] = useState<string>();
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id} className="label">
        {label}
      </label>
      <input
        {...rest}
        id={id}
        className="input"
        type="number"
        value={typed ?? (value === undefined ? '' : String(value))}
        onBlur={() => { setTyped(undefined); }}
        onChange={(event) => {
          setTyped(event.target.value);
          const next = event.target.valueAsNumber;
          onChange(Number.isNaN(next) ? undefined : next);
        }}
      />
    </div>
  );
}

export function Toggle({ label, checked, onChange }: { label: string; checked: boolean; onChange: (checked: boolean) => void }) {
  return (
    <label className="toggle">
      <input type="checkbox" checked={checked} onChange={(event) => { onChange(event.target.checked); }} />
      <span>{label}</span>
    </label>
  );
}
