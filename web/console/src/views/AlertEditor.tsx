import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import { reportModelQuery } from '../api/explore';
import type { Site } from '../api/model';
import { alertsQuery, forgetAlert, makeAlert, putAlert, type Alert, type AlertDraft, type AlertRule, type Made } from '../api/notifications';
import { alertMessages as words, ruleInWords } from '../i18n/alertMessages';
import { exploreMessages } from '../i18n/exploreMessages';
import { messages as m } from '../i18n/messages';
import { readFilter, writeFilter, type Filter } from '../state/filters';
import { alertDraftOf, alertProblem, CONDITIONS, EVERIES, isCompared, newAlert, REMINDS, shownThreshold, SPANS, thresholdUnit, withMeaning, withThreshold } from '../state/notificationDraft';
import { useNotificationSave } from '../state/useNotificationSave';
import { Card } from '../ui/Card';
import { Choice } from '../ui/Choice';
import { EditorFoot } from '../ui/EditorFoot';
import { NumberField, TextField } from '../ui/Field';
import { FiltersField } from '../ui/FiltersField';
import { Empty, Failure, Skeleton } from '../ui/states';

const route = getRouteApi('/alerts');

interface EditorProps {
  site: Site;
  id: string;
  onMade: (made: Made & { readonly name: string }) => void;
}

export function AlertEditor({ site, id, onMade }: EditorProps) {
  const alerts = useQuery(alertsQuery(site.id));
  if (id === 'new') return <Editor site={site.id} before={undefined} onMade={onMade} />;
  if (alerts.data === undefined) {
    return (
      <div className="card editor">
        {alerts.error === null ? <Skeleton height={220} /> : <Failure error={alerts.error} onRetry={() => void alerts.refetch()} />}
      </div>
    );
  }
  const before = alerts.data.find((alert) => alert.id === id);
  if (before === undefined) return <div className="card"><Empty title={m.notFound.title} /></div>;
  return <Editor site={site.id} before={before} onMade={onMade} />;
}

function Editor({ site, before, onMade }: { site: string; before: Alert | undefined; onMade: EditorProps['onMade'] }) {
  const navigate = route.useNavigate();
  const [draft, setDraft] = useState(() => (before === undefined ? newAlert(site) : alertDraftOf(before)));
  const [filters, setFilters] = useState<readonly Filter[]>(() => (draft.rule.filter ?? []).map(readFilter));
  const [isTried, setTried] = useState(false);
  const leave = () => void navigate({ search: ({ edit: _edit, ...others }) => others });
  const save = useNotificationSave<AlertDraft, Alert>({ key: 'alerts', before, make: makeAlert, put: putAlert, forget: forgetAlert, nameOf: ({ name }) => name, onMade, onDone: leave });
  const written = filters.filter(({ values }) => values.trim() !== '').map(writeFilter);
  const { filter: _filter, ...rest } = draft.rule;
  const rule: AlertRule = written.length === 0 ? rest : { ...rest, filter: written };
  const set = (fields: Partial<AlertRule>) => { setDraft({ ...draft, rule: { ...draft.rule, ...fields } }); };
  const problem = alertProblem(draft);
  const title = before === undefined ? words.editorNew.alert : words.editorOf(before.name);
  return (
    <form
      className="stack"
      aria-label={title}
      onSubmit={(event) => {
        event.preventDefault();
        setTried(true);
        if (problem === undefined) save.mutate({ ...draft, name: draft.name.trim(), url: draft.url.trim(), rule });
      }}
    >
      <Card title={title}>
        <div className="title-field">
          <TextField label={words.name} value={draft.name} maxLength={200} onChange={(name) => { setDraft({ ...draft, name }); }} />
        </div>
      </Card>
      <RuleCard rule={rule} set={set} replace={(next) => { setDraft({ ...draft, rule: next }); }} filters={filters} onFilters={setFilters} />
      <CertaintyCard rule={rule} set={set} />
      <Card title={words.wherePart}>
        <TextField label={words.url} type="url" value={draft.url} maxLength={2000} hint={words.urlHint} onChange={(url) => { setDraft({ ...draft, url }); }} />
      </Card>
      <EditorFoot isBusy={save.isPending} problem={save.error !== null ? save.error.message : isTried && problem !== undefined ? words.problems[problem] : ''} onCancel={leave} />
    </form>
  );
}

interface RuleProps {
  rule: AlertRule;
  set: (fields: Partial<AlertRule>) => void;
}

/** Choices, with the one that is in use, wherever it came from. */
function optionsOf(known: readonly string[], used: string, label: (value: string) => string) {
  return [...new Set([...known, used])].map((value) => ({ value, label: label(value) }));
}

function RuleCard({ rule, set, replace, filters, onFilters }: RuleProps & { replace: (rule: AlertRule) => void; filters: readonly Filter[]; onFilters: (filters: readonly Filter[]) => void }) {
  const model = useQuery(reportModelQuery()).data;
  const metrics = model?.metrics.map(({ name }) => name) ?? [];
  return (
    <Card title={words.rulePart}>
      <div className="form-grid four">
        <Choice label={words.metric} value={rule.metric} options={optionsOf(metrics, rule.metric, exploreMessages.metric)} onChange={(metric) => { replace(withMeaning(rule, { metric })); }} />
        <Choice label={words.condition} value={rule.condition} options={CONDITIONS.map((value) => ({ value, label: words.conditions[value] }))} onChange={(condition) => { replace(withMeaning(rule, { condition })); }} />
        <NumberField label={words.threshold(thresholdUnit(rule))} value={shownThreshold(rule)} min={0} step="any" onChange={(next) => { replace(withThreshold(rule, next ?? 0)); }} />
        <Choice label={words.window} value={rule.window} options={optionsOf(SPANS, rule.window, words.span)} onChange={(window) => { set({ window }); }} />
        {isCompared(rule.condition) ? (
          <Choice
            label={words.against}
            value={rule.against ?? 'period'}
            options={(['period', 'week'] as const).map((value) => ({ value, label: words.againsts[value] }))}
            onChange={(against) => { set({ against }); }}
          />
        ) : null}
      </div>
      <FiltersField filters={filters} onChange={onFilters} />
      <p className="in-words alert-words" data-testid="alert-in-words">
        <span className="label">{words.reads}</span>
        {ruleInWords(rule)}.
      </p>
    </Card>
  );
}

function CertaintyCard({ rule, set }: RuleProps) {
  return (
    <Card title={words.certaintyPart} note={words.minCountHint}>
      <div className="form-grid four">
        <Choice label={words.every} value={rule.every} options={optionsOf(EVERIES, rule.every, words.span)} onChange={(every) => { set({ every }); }} />
        <NumberField label={words.for} value={rule.for ?? 1} min={1} max={1000} step={1} onChange={(next) => { set({ for: next ?? 1 }); }} />
        <NumberField label={words.minCount} value={rule.min_count ?? 0} min={0} step={1} onChange={(next) => { set({ min_count: next ?? 0 }); }} />
        <Choice
          label={words.noData}
          value={rule.no_data ?? 'keep'}
          options={(['keep', 'ok', 'fire'] as const).map((value) => ({ value, label: words.noDatas[value] }))}
          onChange={(next) => { set({ no_data: next }); }}
        />
        <Choice label={words.remind} value={rule.remind ?? '0s'} options={optionsOf(REMINDS, rule.remind ?? '0s', words.reminds)} onChange={(remind) => { set({ remind }); }} />
      </div>
    </Card>
  );
}
