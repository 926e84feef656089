import { hrefOf } from '../app/router';

export function NotFoundPage() {
  return (
    <section class="page-head">
      <h1 tabIndex={-1}>There is no such page</h1>
      <p class="lead">
        The campus has a <a href={hrefOf('/')}>front gate</a>, though.
      </p>
    </section>
  );
}
