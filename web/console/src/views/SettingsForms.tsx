import { useState, type ReactNode } from 'react';
import { addAccount } from '../api/accounts';
import { settingsMessages as words } from '../i18n/settingsMessages';
import { ROLES, type Role } from '../state/session';
import { tell } from '../state/toasts';
import { Button } from '../ui/Button';
import { Choice } from '../ui/Choice';
import { TextField } from '../ui/Field';

export const LEAST_PASSWORD = 12;

interface AddProps {
  action: string;
  isFirst?: boolean;
  onDone: () => void;
}

export function AddAccount({ action, isFirst = false, onDone }: AddProps) {
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>(isFirst ? 'admin' : 'viewer');
  const [password, setPassword] = useState('');
  const wanted = name.trim().toLowerCase();
  const form = useSending(async () => {
    await addAccount(wanted, role, password);
    setName('');
    setPassword('');
    tell({ text: words.added(wanted) });
    onDone();
  });
  return (
    <SettingsForm label={action} form={form} isReady={wanted !== '' && password.length >= LEAST_PASSWORD} action={action}>
      <TextField label={words.name} value={name} onChange={setName} hint={words.nameHint} maxLength={64} autoCapitalize="none" spellCheck={false} />
      {isFirst ? null : (
        <div className="with-hint">
          <Choice label={words.role} value={role} options={ROLES.map((one) => ({ value: one, label: words.roles[one] }))} onChange={setRole} />
          <span className="hint cell-faint">{words.may[role]}</span>
        </div>
      )}
      <TextField label={words.password} type="password" autoComplete="new-password" value={password} onChange={setPassword} hint={words.passwordHint} />
    </SettingsForm>
  );
}

export interface Sending {
  readonly problem: string;
  readonly isBusy: boolean;
  readonly send: () => void;
}

/** Does what a form is for, and keeps why it failed. */
export function useSending(body: () => Promise<void>): Sending {
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const send = () => {
    setBusy(true);
    setProblem('');
    body()
      .catch((error: unknown) => { setProblem(error instanceof Error ? error.message : String(error)); })
      .finally(() => { setBusy(false); });
  };
  return { problem, isBusy, send };
}

interface FormProps {
  label: string;
  form: Sending;
  isReady: boolean;
  action: string;
  children: ReactNode;
  further?: ReactNode;
}

export function SettingsForm({ label, form, isReady, action, children, further }: FormProps) {
  return (
    <form
      className="settings-form"
      aria-label={label}
      onSubmit={(event) => {
        event.preventDefault();
        if (isReady) form.send();
      }}
    >
      <div className="settings-fields">{children}</div>
      <div className="settings-foot">
        <Button look="primary" type="submit" disabled={form.isBusy || !isReady}>
          {action}
        </Button>
        {further}
        <p className="problem" role="alert">
          {form.problem}
        </p>
      </div>
    </form>
  );
}
