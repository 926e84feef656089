import { useState } from 'react';
import { checkToken } from '../api/client';
import { ApiError } from '../api/errors';
import { messages as m } from '../i18n/messages';
import { session } from '../state/session';
import { Button } from '../ui/Button';
import { Logo } from '../ui/icons';
import { Command } from '../ui/states';

export default function SignIn() {
  const [token, setToken] = useState('');
  const [problem, setProblem] = useState('');
  const [checking, setChecking] = useState(false);

  async function submit() {
    // A whole link is as good as the token in it.
    const value = token.includes('token=') ? (token.split('token=')[1] ?? '').trim() : token.trim();
    if (value === '') {
      setProblem(m.signIn.empty);
      return;
    }
    setChecking(true);
    try {
      await checkToken(value);
      session.signIn(value);
    } catch (error) {
      const unauthorized = error instanceof ApiError && error.kind === 'unauthorized';
      setProblem(unauthorized ? m.signIn.rejected : error instanceof ApiError ? `${error.title}. ${error.advice}` : String(error));
    } finally {
      setChecking(false);
    }
  }

  return (
    <main className="sign-in">
      <form
        className="card"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <Logo />
        <h1>{m.signIn.title}</h1>
        <p>{m.signIn.advice}</p>
        <label className="field">
          <span className="label">{m.signIn.token}</span>
          <input
            className="input"
            type="password"
            autoComplete="current-password"
            spellCheck={false}
            value={token}
            aria-invalid={problem !== ''}
            aria-describedby="sign-in-problem"
            onChange={(event) => {
              setToken(event.target.value);
              setProblem('');
            }}
          />
        </label>
        <p id="sign-in-problem" className="problem" role="alert">
          {problem}
        </p>
        <Button look="primary" type="submit" disabled={checking}>
          {checking ? m.signIn.checking : m.action.signIn}
        </Button>
        <p className="where">{m.signIn.where}</p>
        <Command text={m.commands.status} />
      </form>
    </main>
  );
}
