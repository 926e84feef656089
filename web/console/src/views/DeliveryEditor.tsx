import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import type { Site } from '../api/model';
import { deliveriesQuery, forgetDelivery, makeDelivery, putDelivery, type Delivery, type DeliveryDraft, type Made, type Schedule } from '../api/notifications';
import { savedListQuery, type ListedReport } from '../api/saved';
import { alertMessages as words } from '../i18n/alertMessages';
import { messages as m } from '../i18n/messages';
import { deliveryDraftOf, deliveryProblem, newDelivery, scheduleOf, WEEKDAYS } from '../state/notificationDraft';
import { useNotificationSave } from '../state/useNotificationSave';
import { Card } from '../ui/Card';
import { Choice } from '../ui/Choice';
import { EditorFoot } from '../ui/EditorFoot';
import { NumberField, TextField } from '../ui/Field';
import { Empty, Failure, Skeleton } from '../ui/states';

const route = getRouteApi('/alerts');

interface EditorProps {
  site: Site;
  id: string;
  report: string | undefined;
  onMade: (made: Made & { readonly name: string }) => void;
}

export function DeliveryEditor({ site, id, report, onMade }: EditorProps) {
  const deliveries = useQuery(deliveriesQuery());
  const reports = useQuery(savedListQuery(site.id));
  const error = deliveries.error ?? reports.error;
  if (deliveries.data === undefined || reports.data === undefined) {
    return (
      <div className="card editor">
        {error === null ? <Skeleton height={220} /> : <Failure error={error} onRetry={() => { void deliveries.refetch(); void reports.refetch(); }} />}
      </div>
    );
  }
  const before = deliveries.data.find((delivery) => delivery.id === id);
  if (before === undefined && id !== 'new') return <div className="card"><Empty title={m.notFound.title} /></div>;
  // A query is asked by who may ask it, and not sent.
  return <Editor before={before} reports={reports.data.filter(({ kind }) => kind !== 'sql')} report={report} onMade={onMade} />;
}

function Editor({ before, reports, report, onMade }: { before: Delivery | undefined; reports: readonly ListedReport[]; report: string | undefined; onMade: EditorProps['onMade'] }) {
  const navigate = route.useNavigate();
  const [draft, setDraft] = useState(() => (before === undefined ? newDelivery(report ?? '') : deliveryDraftOf(before)));
  const [isTried, setTried] = useState(false);
  const leave = () => void navigate({ search: ({ edit: _edit, report: _report, ...others }) => others });
  const nameOf = (id: string) => reports.find((one) => one.id === id)?.name ?? words.unknownReport;
  const save = useNotificationSave<DeliveryDraft, Delivery>({
    key: 'deliveries', before, make: makeDelivery, put: putDelivery, forget: forgetDelivery, nameOf: (one) => nameOf(one.report), onMade, onDone: leave,
  });
  const problem = deliveryProblem(draft);
  const title = before === undefined ? words.editorNew.delivery : words.editorOf(nameOf(before.report));
  return (
    <form
      className="stack"
      aria-label={title}
      onSubmit={(event) => {
        event.preventDefault();
        setTried(true);
        if (problem === undefined) save.mutate({ ...draft, url: draft.url.trim() });
      }}
    >
      <Card title={title}>
        <div className="form-grid">
          <Choice
            label={words.report}
            value={draft.report}
            options={[...(draft.report === '' ? [{ value: '', label: words.chooseReport }] : []), ...reports.map(({ id, name }) => ({ value: id, label: name }))]}
            onChange={(next) => { setDraft({ ...draft, report: next }); }}
          />
          <Choice
            label={words.as}
            value={draft.format}
            options={(['json', 'csv', 'parquet', 'png'] as const).map((value) => ({ value, label: words.formats[value] }))}
            onChange={(next) => { setDraft({ ...draft, format: next }); }}
          />
        </div>
      </Card>
      <Card title={words.when}>
        <ScheduleFields schedule={draft.schedule} onChange={(schedule) => { setDraft({ ...draft, schedule }); }} />
      </Card>
      <Card title={words.wherePart}>
        <TextField label={words.url} type="url" value={draft.url} maxLength={2000} hint={words.urlHint} onChange={(url) => { setDraft({ ...draft, url }); }} />
      </Card>
      <EditorFoot isBusy={save.isPending} problem={save.error !== null ? save.error.message : isTried && problem !== undefined ? words.problems[problem] : ''} onCancel={leave} />
    </form>
  );
}

function ScheduleFields({ schedule, onChange }: { schedule: Schedule; onChange: (schedule: Schedule) => void }) {
  return (
    <div className="form-grid four">
      <Choice
        label={words.when}
        value={schedule.every}
        options={(['minutes', 'hour', 'day', 'week'] as const).map((value) => ({ value, label: words.everies[value] }))}
        onChange={(every) => { onChange(scheduleOf(every, schedule)); }}
      />
      {schedule.every === 'minutes' ? (
        <NumberField label={words.minutes} value={schedule.minutes} min={1} max={1440} step={1} onChange={(minutes) => { onChange({ ...schedule, minutes: minutes ?? 0 }); }} />
      ) : null}
      {schedule.every === 'hour' ? (
        <NumberField label={words.minute} value={schedule.minute} min={0} max={59} step={1} onChange={(minute) => { onChange({ ...schedule, minute: minute ?? 0 }); }} />
      ) : null}
      {schedule.every === 'week' ? (
        <Choice label={words.on} value={schedule.on} options={WEEKDAYS.map((value) => ({ value, label: words.days[value] }))} onChange={(on) => { onChange({ ...schedule, on }); }} />
      ) : null}
      {schedule.every === 'day' || schedule.every === 'week' ? (
        <>
          <TextField label={words.at} type="time" value={schedule.at} onChange={(at) => { onChange({ ...schedule, at }); }} />
          <TextField label={words.zone} value={schedule.zone ?? 'UTC'} onChange={(zone) => { onChange({ ...schedule, zone }); }} />
        </>
      ) : null}
    </div>
  );
}
