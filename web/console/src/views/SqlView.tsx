import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useEffect, useEffectEvent, useMemo, useRef, useState } from 'react';
import { Page } from '../app/Page';
import { ApiError } from '../api/errors';
import type { Site } from '../api/model';
import { forgetSaved } from '../api/saved';
import { askSql, savedSqlQuery, saveSql, SqlError, sqlSchemaQuery, type SavedSql, type SqlDraft } from '../api/sql';
import { messages as m } from '../i18n/messages';
import { sqlMessages as words } from '../i18n/sqlMessages';
import type { SqlSearch } from '../state/search';
import { readSqlChart, writeSqlChart, type SqlChart, type SqlResult } from '../state/sqlModel';
import { lineAndColumn, placeOfError, type Span } from '../state/sqlText';
import { tell, tellFailure } from '../state/toasts';
import { Button } from '../ui/Button';
import { Card } from '../ui/Card';
import { TextField } from '../ui/Field';
import { SqlEditor } from '../ui/SqlEditor';
import { Empty, Failure, Skeleton, TableSkeleton } from '../ui/states';
import { SqlAnswer } from './SqlAnswer';
import '../styles/sql.css';

const route = getRouteApi('/sql');
const KEYS_ID = 'sql-keys';
/** A longer one is not in the address: save it to have one. */
const MOST_IN_ADDRESS = 4000;

export function SqlView() {
  const search = route.useSearch();
  return (
    <Page title={words.title} intro={words.intro}>
      {(site) => <SavedOrNew site={site} search={search} />}
    </Page>
  );
}

function SavedOrNew({ site, search }: { site: Site; search: SqlSearch }) {
  const schema = useQuery(sqlSchemaQuery());
  const saved = useQuery({ ...savedSqlQuery(search.saved ?? ''), enabled: search.saved !== undefined, staleTime: 0, gcTime: 0 });
  if (schema.error instanceof ApiError && schema.error.status === 501) {
    return (
      <div className="card">
        <Empty title={words.noReader}>{schema.error.message}</Empty>
      </div>
    );
  }
  if (saved.error !== null) {
    return (
      <div className="card">
        <Failure error={saved.error} onRetry={() => void saved.refetch()} />
      </div>
    );
  }
  if (search.saved !== undefined && saved.data === undefined) {
    return (
      <div className="card">
        <Skeleton height={300} />
      </div>
    );
  }
  return <Workbench key={search.saved ?? ''} site={site} search={search} saved={saved.data} schema={schema.data} />;
}

/** What the statement that runs, or ran last, came to. */
interface Run {
  readonly sql: string;
  readonly state: 'running' | 'done' | 'failed' | 'stopped';
  readonly result?: SqlResult;
  readonly error?: Error;
}

/** The last answer: a query that is saved, and so has another address, is not asked again. */
let latest: Run | undefined;

/** What the address has is asked at once. */
function useRun(initial: string, onAsk: (sql: string) => void) {
  const [run, setRun] = useState<Run | undefined>(() => (initial === '' ? undefined : latest?.sql === initial ? latest : { sql: initial, state: 'running' }));
  const asking = useRef<AbortController>(null);
  const send = (sql: string) => {
    asking.current?.abort();
    const own = new AbortController();
    asking.current = own;
    const end = (next: Run) => {
      if (own.signal.aborted) return;
      latest = next.state === 'done' ? next : undefined;
      setRun(next);
    };
    askSql(sql, own.signal).then(
      (result) => { end({ sql, state: 'done', result }); },
      (error: unknown) => { end({ sql, state: 'failed', error: error instanceof Error ? error : new Error(String(error)) }); },
    );
  };
  const begin = useEffectEvent(() => {
    if (run?.state === 'running') send(run.sql);
  });
  useEffect(() => {
    begin();
    return () => { asking.current?.abort(); };
  }, []);
  const start = (sql: string) => {
    // What is shown stays until the next answer is there, so that nothing moves.
    setRun((before) => ({ sql, state: 'running', ...(before?.result === undefined ? {} : { result: before.result }) }));
    onAsk(sql);
    send(sql);
  };
  const stop = () => {
    asking.current?.abort();
    setRun((now) => (now === undefined ? undefined : { sql: now.sql, state: 'stopped' }));
  };
  return { run, start, stop };
}

interface WorkbenchProps {
  site: Site;
  search: SqlSearch;
  saved: SavedSql | undefined;
  schema: Parameters<typeof SqlEditor>[0]['schema'];
}

function Workbench({ site, search, saved, schema }: WorkbenchProps) {
  const navigate = route.useNavigate();
  const initial = search.sql ?? saved?.sql ?? '';
  const [sql, setSql] = useState(initial);
  const change = (fields: Partial<SqlSearch>) => void navigate({ replace: true, resetScroll: false, search: (previous) => ({ ...previous, ...fields }) });
  const { run, start, stop } = useRun(initial, (asked) => {
    change({ sql: asked === saved?.sql || asked.length > MOST_IN_ADDRESS ? undefined : asked } as Partial<SqlSearch>);
  });
  const isEmpty = sql.trim() === '';
  const ask = (text: string) => {
    if (text.trim() !== '') start(text);
  };
  const layOut = () => {
    import('../state/formatSql').then(({ formatSql }) => { setSql(formatSql(sql)); }).catch((error: unknown) => { tellFailure(words.notLaidOut, error); });
  };
  const wrong = run?.state === 'failed' && run.error instanceof SqlError ? run.error : undefined;
  const mark = useMemo(() => (wrong === undefined || run?.sql !== sql ? undefined : placeOfError(sql, wrong.message, wrong.place)), [wrong, run?.sql, sql]);
  const chosen = readSqlChart(search.chart ?? saved?.chart);
  return (
    <div className="stack">
      <section className="card sql-card" aria-label={words.editor}>
        <SqlEditor label={words.editor} describedBy={KEYS_ID} hint={words.hint} value={sql} onChange={setSql} onRun={() => { ask(sql); }} onFormat={layOut} schema={schema} mark={mark} />
        {wrong === undefined ? null : <Wrong error={wrong} sql={run?.sql ?? ''} mark={mark} />}
        <div className="sql-foot">
          <div className="sql-run">
            {run?.state === 'running' ? (
              <Button look="primary" onPress={stop}>{words.cancel}</Button>
            ) : (
              <Button look="primary" disabled={isEmpty} onPress={() => { ask(sql); }}>{words.run}</Button>
            )}
            <Button disabled={isEmpty} onPress={layOut}>{words.layOut}</Button>
            <p id={KEYS_ID} className="sql-keys">{words.keys}</p>
          </div>
          <SaveQuery site={site.id} sql={sql} chart={search.chart ?? saved?.chart} saved={saved} />
        </div>
      </section>
      <p className="visually-hidden" role="status">
        {run?.state === 'running' ? words.running : run?.state === 'stopped' ? words.stopped : run?.result === undefined ? '' : words.cost(run.result.rows.length, run.result.seconds, run.result.rowsRead, run.result.bytesRead)}
      </p>
      <Outcome
        site={site}
        run={run}
        chosen={chosen}
        onChart={(chart) => { change({ chart: chart === undefined ? 'none' : writeSqlChart(chart) }); }}
        isChartless={(search.chart ?? saved?.chart) === 'none'}
        onExample={(text) => {
          setSql(text);
          ask(text);
        }}
        onRetry={() => { ask(sql); }}
      />
    </div>
  );
}

function Wrong({ error, sql, mark }: { error: SqlError; sql: string; mark: Span | undefined }) {
  const place = error.place ?? (mark === undefined ? undefined : lineAndColumn(sql, mark.from));
  return (
    <div className="sql-wrong-told" role="alert" data-testid="sql-error">
      <strong>{place === undefined ? words.wrong : `${words.wrong} · ${words.wrongAt(place.line, place.column)}`}</strong>
      <p>{error.message}</p>
    </div>
  );
}

interface OutcomeProps {
  site: Site;
  run: Run | undefined;
  chosen: SqlChart | undefined;
  isChartless: boolean;
  onChart: (chart: SqlChart | undefined) => void;
  onExample: (sql: string) => void;
  onRetry: () => void;
}

function Outcome({ site, run, chosen, isChartless, onChart, onExample, onRetry }: OutcomeProps) {
  if (run === undefined) return <Examples site={site.id} onExample={onExample} />;
  if (run.result !== undefined) {
    return (
      <div className={run.state === 'running' ? 'stack refreshing' : 'stack'} aria-busy={run.state === 'running'}>
        <SqlAnswer sql={run.sql} result={run.result} chosen={chosen} isChartless={isChartless} onChart={onChart} />
      </div>
    );
  }
  if (run.state === 'running') {
    return (
      <Card title={words.answer} note={m.state.loading} flush>
        <TableSkeleton />
      </Card>
    );
  }
  if (run.error === undefined || run.error instanceof SqlError) return null;
  return (
    <div className="card">
      <Failure error={run.error} onRetry={onRetry} />
    </div>
  );
}

function Examples({ site, onExample }: { site: string; onExample: (sql: string) => void }) {
  return (
    <Card title={words.teachTitle} note={words.teach}>
      <ul className="sql-examples">
        {words.examples.map(({ title, sql }) => (
          <li key={title}>
            <button type="button" className="sql-example" onClick={() => { onExample(sql(site)); }}>
              <span>{title}</span>
              <code>{sql(site)}</code>
            </button>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function SaveQuery({ site, sql, chart, saved }: { site: string; sql: string; chart: string | undefined; saved: SavedSql | undefined }) {
  const navigate = route.useNavigate();
  const client = useQueryClient();
  const [name, setName] = useState(saved?.name ?? '');
  const renew = () => Promise.all([client.invalidateQueries({ queryKey: ['saved-list'] }), client.invalidateQueries({ queryKey: ['saved-sql'] })]);
  const save = useMutation({
    mutationFn: ({ draft, before }: { draft: SqlDraft; before: SavedSql | undefined }) => saveSql(draft, before),
    onSuccess: async (id, { draft, before }) => {
      tell({
        text: words.saved(draft.name),
        undo: () => {
          const leave = () => navigate({ replace: true, resetScroll: false, search: ({ saved: _saved, ...previous }) => ({ ...previous, sql: draft.sql }) });
          const back = before === undefined ? forgetSaved(id).then(leave) : saveSql(before, { ...before, version: '' });
          Promise.resolve(back).then(renew).catch((error: unknown) => { tellFailure(words.notUndone, error); });
        },
      });
      await renew();
      await navigate({ replace: true, resetScroll: false, search: ({ sql: _sql, chart: _chart, ...previous }) => ({ ...previous, saved: id }) });
    },
    onError: (error) => { tellFailure(words.notSaved, error); },
  });
  const isReady = name.trim() !== '' && sql.trim() !== '' && !save.isPending;
  const keep = (before: SavedSql | undefined) => { save.mutate({ draft: { name: name.trim(), site: before?.site ?? site, sql, chart }, before }); };
  return (
    <form
      className="sql-save"
      onSubmit={(event) => {
        event.preventDefault();
        if (isReady) keep(saved);
      }}
    >
      <TextField label={words.name} value={name} onChange={setName} placeholder={words.namePlaceholder} maxLength={100} />
      <Button type="submit" disabled={!isReady}>{words.save}</Button>
      {saved === undefined ? null : <Button disabled={!isReady} onPress={() => { keep(undefined); }}>{words.saveNew}</Button>}
    </form>
  );
}
