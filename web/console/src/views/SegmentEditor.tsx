import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useId, useMemo, useState } from 'react';
import type { Site } from '../api/model';
import type { Segment, SegmentDefinition } from '../api/segmentList';
import { changeSegment, forgetSegment, makeSegment, segmentQuery, type SegmentDraft } from '../api/segments';
import { messages as m } from '../i18n/messages';
import { liveMessages, liveText } from '../i18n/liveMessages';
import { ruleText, segmentMessages as words } from '../i18n/segmentMessages';
import { liveProblem, newLiveCondition, readLiveRule, writeLiveRule, type LiveTree } from '../state/liveRule';
import type { SegmentKind, SegmentsSearch } from '../state/search';
import { newGroup } from '../state/ruleTree';
import { newCondition, readKeys, readRule, ruleProblem, writeRule, type RuleTree } from '../state/segmentRule';
import { useMay } from '../state/session';
import { tell, tellFailure } from '../state/toasts';
import { Card } from '../ui/Card';
import { EditorFoot } from '../ui/EditorFoot';
import { Segments } from '../ui/Choice';
import { RuleTreeField } from '../ui/RuleTreeField';
import { Failure, Skeleton } from '../ui/states';
import { LiveCondition } from './LiveCondition';
import { SegmentCondition } from './SegmentCondition';

const route = getRouteApi('/segments');

export function SegmentEditor({ site, search }: { site: Site; search: SegmentsSearch }) {
  const id = search.edit === 'new' ? undefined : search.edit;
  const query = useQuery({ ...segmentQuery(id ?? ''), enabled: id !== undefined, staleTime: 0, gcTime: 0 });
  if (query.error !== null) {
    return (
      <div className="card">
        <Failure error={query.error} onRetry={() => void query.refetch()} />
      </div>
    );
  }
  if (id === undefined) return <Editor key={search.kind} site={site.id} before={undefined} kind={search.kind ?? 'rule'} />;
  if (query.data === undefined) {
    return (
      <div className="card editor">
        <Skeleton height={34} />
        <Skeleton height={220} />
      </div>
    );
  }
  return <Editor site={query.data.site} before={query.data} kind={query.data.definition.kind} />;
}

interface Draft {
  readonly title: string;
  readonly rule: RuleTree;
  readonly live: LiveTree;
  readonly keys: string;
}

function draftOf(before: Segment | undefined): Draft {
  const definition = before?.definition;
  return {
    title: before?.title ?? '',
    rule: definition?.kind === 'rule' ? readRule(definition.rule) : newGroup('all', [newCondition()]),
    live: definition?.kind === 'live' ? readLiveRule(definition.rule) : newGroup('all', [newLiveCondition()]),
    keys: definition?.kind === 'list' ? (definition.users ?? []).join('\n') : '',
  };
}

type Kind = SegmentDefinition['kind'];

function definitionOf(kind: Kind, draft: Draft, before: Segment | undefined): SegmentDefinition {
  if (kind === 'rule') return { kind, rule: writeRule(draft.rule) };
  if (kind === 'list') return { kind, users: [...readKeys(draft.keys).keys] };
  if (kind === 'live') return { kind, rule: writeLiveRule(draft.live) };
  // What is not made here, nor changed but for its title.
  if (before === undefined) throw new Error(`no new segment of kind ${kind}`);
  return before.definition;
}

function titleOf(kind: Kind, before: Segment | undefined): string {
  if (before !== undefined || kind === 'drop_off') return words.editorOf(before?.title ?? '');
  return kind === 'live' ? liveMessages.editorNew : words.editorNew[kind];
}

function problemOf(kind: Kind, draft: Draft): string | undefined {
  if (draft.title.trim() === '') return words.noTitle;
  if (kind === 'list') return readKeys(draft.keys).keys.length === 0 ? words.noKeys : undefined;
  const problemOfLive = kind === 'live' ? liveProblem(draft.live) : undefined;
  if (problemOfLive !== undefined) return liveMessages.problems[problemOfLive];
  const problem = kind === 'rule' ? ruleProblem(draft.rule) : undefined;
  return problem === undefined ? undefined : words.problems[problem];
}

/** Keeps the draft; told what it found, with a way back to what was before. */
function useSave(before: Segment | undefined, onDone: () => void) {
  const client = useQueryClient();
  const renew = () => client.invalidateQueries({ queryKey: ['segments'] });
  return useMutation({
    mutationFn: (draft: SegmentDraft) => (before === undefined ? makeSegment(draft) : changeSegment(before.id, draft)),
    onSuccess: async (now) => {
      await renew();
      tell({
        text: now.definition.kind === 'live' ? liveMessages.saved(now.title) : words.saved(now.title, now.size),
        undo: () => {
          const back = before === undefined ? forgetSegment(now.id) : changeSegment(before.id, before);
          back.then(renew).catch((error: unknown) => { tellFailure(words.notUndone, error); });
        },
      });
      onDone();
    },
  });
}

function Editor({ site, before, kind }: { site: string; before: Segment | undefined; kind: Kind }) {
  const navigate = route.useNavigate();
  const [draft, setDraft] = useState(() => draftOf(before));
  const [isTried, setTried] = useState(false);
  const leave = () => void navigate({ search: ({ edit: _edit, kind: _kind, ...others }) => others });
  const save = useSave(before, leave);
  const mayChange = useMay('analyst');
  const problem = problemOf(kind, draft);
  const titleId = useId();
  return (
    <form
      className="stack"
      aria-label={titleOf(kind, before)}
      onSubmit={(event) => {
        event.preventDefault();
        setTried(true);
        if (problem === undefined) save.mutate({ site, title: draft.title.trim(), definition: definitionOf(kind, draft, before) });
      }}
    >
      <fieldset className="stack plain" disabled={!mayChange}>
      <Card title={titleOf(kind, before)} actions={before === undefined ? <KindChoice kind={kind === 'list' || kind === 'live' ? kind : 'rule'} /> : undefined}>
        <div className="field title-field">
          <label htmlFor={titleId} className="label">
            {words.titleLabel}, {words.titleHint}
          </label>
          <input
            id={titleId}
            className="input"
            value={draft.title}
            maxLength={200}
            autoComplete="off"
            onChange={(event) => { setDraft({ ...draft, title: event.target.value }); }}
          />
        </div>
      </Card>
      {kind === 'rule' ? (
        <RuleCard rule={draft.rule} onChange={(rule) => { setDraft({ ...draft, rule }); }} />
      ) : kind === 'list' ? (
        <KeysCard text={draft.keys} onChange={(keys) => { setDraft({ ...draft, keys }); }} />
      ) : kind === 'live' ? (
        <LiveRuleCard rule={draft.live} onChange={(live) => { setDraft({ ...draft, live }); }} />
      ) : (
        <DropOffCard definition={before?.definition} />
      )}
      </fieldset>
      <EditorFoot
        mayKeep={mayChange}
        isBusy={save.isPending}
        problem={save.error !== null ? save.error.message : isTried ? (problem ?? '') : ''}
        onCancel={leave}
        label={save.isPending ? words.finding : m.action.save}
      />
    </form>
  );
}

function KindChoice({ kind }: { kind: SegmentKind }) {
  const navigate = route.useNavigate();
  return (
    <Segments
      label={words.columns.kind}
      hideLabel
      value={kind}
      options={[
        { value: 'rule', label: words.newRule },
        { value: 'list', label: words.newList },
        { value: 'live', label: liveMessages.new },
      ]}
      onChange={(next) => void navigate({ replace: true, search: (previous) => ({ ...previous, kind: next }) })}
    />
  );
}

function RuleCard({ rule, onChange }: { rule: RuleTree; onChange: (rule: RuleTree) => void }) {
  return (
    <Card title={words.rule}>
      <RuleTreeField
        root={rule}
        onChange={onChange}
        name={words.rule}
        joinLabel={words.join}
        newCondition={() => newCondition()}
        renderCondition={(props) => <SegmentCondition {...props} />}
      />
      {rule.nodes.length === 0 ? null : (
        <p className="in-words" data-testid="rule-in-words">
          <span className="label">{words.ruleReads}</span>
          {ruleText(rule)}.
        </p>
      )}
    </Card>
  );
}

function LiveRuleCard({ rule, onChange }: { rule: LiveTree; onChange: (rule: LiveTree) => void }) {
  return (
    <Card title={liveMessages.rule} note={liveMessages.explain}>
      <RuleTreeField
        root={rule}
        onChange={onChange}
        name={liveMessages.rule}
        joinLabel={liveMessages.join}
        newCondition={newLiveCondition}
        renderCondition={(props) => <LiveCondition {...props} />}
      />
      {rule.nodes.length === 0 ? null : (
        <p className="in-words" data-testid="live-in-words">
          <span className="label">{liveMessages.reads}</span>
          {liveText(rule)}.
        </p>
      )}
    </Card>
  );
}

function KeysCard({ text, onChange }: { text: string; onChange: (text: string) => void }) {
  const id = useId();
  const { keys, bad } = useMemo(() => readKeys(text), [text]);
  return (
    <Card title={words.rule}>
      <div className="field">
        <label htmlFor={id} className="label">
          {words.keys}
        </label>
        <textarea id={id} className="input keys" rows={10} spellCheck={false} value={text} aria-describedby={`${id}-read`} onChange={(event) => { onChange(event.target.value); }} />
        <p id={`${id}-read`} className="cell-faint hint">
          {text.trim() === '' ? words.keysHint : words.keysRead(keys.length)}
          {bad.length === 0 ? null : <span className="problem"> · {words.keysBad(bad)}</span>}
        </p>
      </div>
    </Card>
  );
}

interface DropOffFunnel {
  readonly steps?: readonly { readonly types?: readonly string[] }[];
  readonly dropped_after?: number;
}

function DropOffCard({ definition }: { definition: SegmentDefinition | undefined }) {
  // The API leaves open what a funnel's definition holds.
  const funnel = (definition?.kind === 'drop_off' ? definition.funnel : {}) as DropOffFunnel;
  const steps = (funnel.steps ?? []).map((step) => (step.types ?? []).map(m.eventType).join(' / '));
  return (
    <Card title={words.dropOff}>
      <p className="in-words">{words.dropOffText(steps, steps[(funnel.dropped_after ?? 1) - 1] ?? '')}</p>
    </Card>
  );
}
