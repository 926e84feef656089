import { useId, useState, type ReactNode } from 'react';
import { signIn } from '../api/accounts';
import { checkToken } from '../api/client';
import { ApiError } from '../api/errors';
import { messages as m } from '../i18n/messages';
import { signInMessages as words } from '../i18n/signInMessages';
import { session, useSession } from '../state/session';
import { Button } from '../ui/Button';
import { Logo } from '../ui/icons';
import { Command } from '../ui/states';

export default function SignIn() {
  const { hasAccounts, provider } = useSession();
  return <main className="sign-in">{hasAccounts || provider !== undefined ? <ByName /> : <ByToken />}</main>;
}

/** What was wrong, in words for who signs in. */
function problemOf(error: unknown, refused: string): string {
  if (!(error instanceof ApiError)) return String(error);
  if (error.status === 401) return refused;
  return error.status === 429 || error.status === 400 ? error.message : `${error.title}. ${error.advice}`;
}

function ByName() {
  const { provider } = useSession();
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const came = new URLSearchParams(location.hash.slice(1)).get('sign-in');
  const form = useForm(async () => {
    if (name.trim() === '' || password === '') return words.emptyName;
    try {
      session.take(await signIn(name.trim(), password));
      return '';
    } catch (error) {
      setPassword('');
      return problemOf(error, error instanceof ApiError ? `${error.message.replace(/^./, (c) => c.toUpperCase())}.` : '');
    }
  }, came === 'failed' ? words.failed : '');
  return (
    <Form form={form}>
      <Input label={words.name} value={name} form={form} onChange={setName} autoComplete="username" type="text" />
      <Input label={words.password} value={password} form={form} onChange={setPassword} autoComplete="current-password" type="password" />
      <Submit form={form} />
      {provider === undefined ? null : (
        <>
          <p className="or">{words.or}</p>
          <a className="button" href={`/v1/session/oidc?to=${encodeURIComponent(location.pathname + location.search)}`}>
            {words.provider(provider)}
          </a>
        </>
      )}
      <p className="where">{words.forgot}</p>
    </Form>
  );
}

function ByToken() {
  const [token, setToken] = useState('');
  const form = useForm(async () => {
    // A whole link is as good as the token in it.
    const value = token.includes('token=') ? (token.split('token=')[1] ?? '').trim() : token.trim();
    if (value === '') return words.emptyToken;
    try {
      await checkToken(value);
      await session.signIn(value);
      return '';
    } catch (error) {
      return problemOf(error, words.rejected);
    }
  });
  return (
    <Form form={form}>
      <p>{words.advice}</p>
      <Input label={words.token} value={token} form={form} onChange={setToken} autoComplete="current-password" type="password" />
      <Submit form={form} />
      <p className="where">{words.where}</p>
      <Command text={m.commands.status} />
      <p className="where">{words.accounts}</p>
      <Command text={words.accountsCommand} />
    </Form>
  );
}

interface FormState {
  readonly problem: string;
  readonly isBusy: boolean;
  readonly problemId: string;
  readonly clear: () => void;
  readonly submit: () => void;
}

/** `send` tells what was wrong; empty where nothing was. */
function useForm(send: () => Promise<string>, before = ''): FormState {
  const [problem, setProblem] = useState(before);
  const [isBusy, setBusy] = useState(false);
  const problemId = useId();
  const submit = () => {
    setBusy(true);
    void send().then((told) => {
      setProblem(told);
      setBusy(false);
    });
  };
  return { problem, isBusy, problemId, clear: () => { setProblem(''); }, submit };
}

function Form({ form, children }: { form: FormState; children: ReactNode }) {
  return (
    <form
      className="card"
      onSubmit={(event) => {
        event.preventDefault();
        form.submit();
      }}
    >
      <Logo />
      <h1>{words.title}</h1>
      {children}
    </form>
  );
}

interface InputProps {
  label: string;
  value: string;
  form: FormState;
  onChange: (value: string) => void;
  type: 'text' | 'password';
  autoComplete: string;
}

function Input({ label, value, form, onChange, ...rest }: InputProps) {
  return (
    <label className="field">
      <span className="label">{label}</span>
      <input
        {...rest}
        className="input"
        autoCapitalize="none"
        spellCheck={false}
        value={value}
        aria-invalid={form.problem !== ''}
        aria-describedby={form.problemId}
        onChange={(event) => {
          onChange(event.target.value);
          form.clear();
        }}
      />
    </label>
  );
}

function Submit({ form }: { form: FormState }) {
  return (
    <>
      <p id={form.problemId} className="problem" role="alert">
        {form.problem}
      </p>
      <Button look="primary" type="submit" disabled={form.isBusy}>
        {form.isBusy ? words.checking : m.action.signIn}
      </Button>
    </>
  );
}
