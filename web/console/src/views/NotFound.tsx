import { Link } from '@tanstack/react-router';
import { messages as m } from '../i18n/messages';

export function NotFound() {
  return (
    <div className="notice">
      <h1>{m.notFound.title}</h1>
      <p>{m.notFound.advice}</p>
      <Link to="/">{m.notFound.home}</Link>
    </div>
  );
}
