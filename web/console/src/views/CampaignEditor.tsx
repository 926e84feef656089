import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import { isConflict, keptCampaignQuery, keptCampaignsQuery, makeCampaign, putCampaign, removeCampaign, restoreCampaign, type Campaign, type KeptCampaign } from '../api/catalog';
import type { Site } from '../api/model';
import { format } from '../i18n/format';
import { manageMessages as words } from '../i18n/manageMessages';
import { messages as m } from '../i18n/messages';
import { compacted, copyOf, differences, isZone, standingOf } from '../state/campaignDraft';
import type { ManageSearch } from '../state/search';
import { hasEmptyCondition, readTargeting, writeTargeting, type TargetingTree } from '../state/targetingTree';
import { useMay } from '../state/session';
import { tell, tellFailure } from '../state/toasts';
import { Button } from '../ui/Button';
import { EditorFoot } from '../ui/EditorFoot';
import { Failure, Skeleton } from '../ui/states';
import { AdsCard } from './CampaignAds';
import { BasicsCard, WhenCard } from './CampaignBasics';
import { BudgetCard } from './CampaignBudget';
import { HistoryCard } from './CampaignHistory';
import { WhoCard } from './CampaignWho';
import { StandingChip } from './StandingChip';

const route = getRouteApi('/campaigns/manage');
const FRESH: Campaign = { id: '', name: '', status: 'draft', tier: 'standard', zone: Intl.DateTimeFormat().resolvedOptions().timeZone, pacing: 'even', price: 'cpm' };

export function CampaignEditor({ site, search }: { site: Site; search: ManageSearch }) {
  const id = search.edit === 'new' ? undefined : search.edit;
  // Asked anew each time it is opened; what is asked in between does not disturb who edits.
  const kept = useQuery({ ...keptCampaignQuery(site.id, id ?? ''), enabled: id !== undefined, gcTime: 0, staleTime: 0 });
  const [generation, setGeneration] = useState(0);
  const reload = async () => {
    await kept.refetch();
    setGeneration((count) => count + 1);
  };
  const all = useQuery({ ...keptCampaignsQuery(site.id), enabled: id === undefined && search.copy !== undefined });
  const error = kept.error ?? all.error;
  if (error !== null) {
    return (
      <div className="card">
        <Failure error={error} onRetry={() => void (kept.error === null ? all : kept).refetch()} />
      </div>
    );
  }
  const definitions = all.data?.map(({ definition }) => definition);
  const original = definitions?.find((one) => one.id === search.copy);
  const isWaiting = id === undefined ? search.copy !== undefined && definitions === undefined : kept.data === undefined;
  if (isWaiting) {
    return (
      <div className="stack" role="status" aria-label={m.state.loading}>
        <Skeleton height={220} />
        <Skeleton height={220} />
      </div>
    );
  }
  const begin = original === undefined ? FRESH : copyOf(original, definitions ?? [], words.copyName);
  return <Editor key={generation} site={site.id} kept={id === undefined ? undefined : kept.data} begin={begin} onReload={() => void reload()} />;
}

export interface Draft {
  readonly campaign: Campaign;
  readonly targeting: TargetingTree;
}

export interface PartProps {
  campaign: Campaign;
  set: (fields: Partial<Campaign>) => void;
}

function draftOf(campaign: Campaign): Draft {
  return { campaign, targeting: readTargeting(campaign.targeting) };
}

function definitionOf({ campaign, targeting }: Draft): Campaign {
  const { targeting: _before, ...others } = campaign;
  const rule = writeTargeting(targeting);
  return compacted({ ...others, id: campaign.id.trim(), name: campaign.name.trim(), ...(rule === undefined ? {} : { targeting: rule }) });
}

function problemOf({ campaign, targeting }: Draft): string | undefined {
  if (campaign.name.trim() === '') return words.problems.name;
  if (campaign.id.trim() === '') return words.problems.id;
  if (!isZone(campaign.zone ?? 'UTC')) return words.problems.zone;
  return hasEmptyCondition(targeting) ? words.problems.targeting : undefined;
}

function useSave(site: string, before: KeptCampaign | undefined, onDone: () => void) {
  const client = useQueryClient();
  const renew = () => client.invalidateQueries({ queryKey: ['catalog', site] });
  return useMutation({
    mutationFn: ({ definition, over }: { definition: Campaign; over?: number }) =>
      before === undefined ? makeCampaign(site, definition) : putCampaign(site, definition, over ?? before.version),
    onSuccess: async (now) => {
      await renew();
      tell({
        text: words.saved(now.name),
        undo: () => {
          const back = before === undefined ? removeCampaign(site, now.id, now.version) : restoreCampaign(site, now.id, before.version, now.version);
          back.then(renew).catch((error: unknown) => { tellFailure(words.notUndone, error); });
        },
      });
      onDone();
    },
  });
}

interface EditorProps {
  site: string;
  kept: KeptCampaign | undefined;
  /** What a new one begins as. */
  begin: Campaign;
  /** Begins anew with what is kept now. */
  onReload: () => void;
}

function Editor({ site, kept, begin, onReload }: EditorProps) {
  const navigate = route.useNavigate();
  const [before] = useState(kept);
  const [draft, setDraft] = useState(() => draftOf(before?.definition ?? begin));
  const [isTried, setTried] = useState(false);
  const leave = () => void navigate({ search: ({ edit: _edit, copy: _copy, ...others }) => others });
  const save = useSave(site, before, leave);
  const mayChange = useMay('manager');
  const problem = problemOf(draft);
  const set = (fields: Partial<Campaign>) => { setDraft((now) => ({ ...now, campaign: { ...now.campaign, ...fields } })); };
  const part = { campaign: draft.campaign, set };
  const isClash = isConflict(save.error);
  return (
    <form
      className="stack"
      aria-label={before === undefined ? words.editorNew : words.edit(before.name)}
      onSubmit={(event) => {
        event.preventDefault();
        setTried(true);
        if (problem === undefined) save.mutate({ definition: definitionOf(draft) });
      }}
    >
      <header className="editor-head">
        <h2>{before === undefined ? words.editorNew : before.name}</h2>
        <StandingChip standing={standingOf(draft.campaign, Date.now())} />
      </header>
      <fieldset className="stack plain" disabled={!mayChange}>
      <BasicsCard {...part} isNew={before === undefined} />
      <WhenCard {...part} />
      <WhoCard site={site} tree={draft.targeting} onChange={(targeting) => { setDraft((now) => ({ ...now, targeting })); }} />
      <BudgetCard {...part} />
      <AdsCard {...part} />
      </fieldset>
      {isClash && before !== undefined ? (
        <Conflict
          site={site}
          before={before}
          onTheirs={onReload}
          onMine={(version) => { save.mutate({ definition: definitionOf(draft), over: version }); }}
        />
      ) : null}
      <EditorFoot
        mayKeep={mayChange}
        isBusy={save.isPending}
        problem={save.error !== null && !isClash ? save.error.message : isTried ? (problem ?? '') : ''}
        onCancel={leave}
      />
      {before === undefined ? null : <HistoryCard site={site} before={before} onChanged={onReload} />}
    </form>
  );
}

interface ConflictProps {
  site: string;
  before: KeptCampaign;
  onTheirs: () => void;
  onMine: (version: number) => void;
}

/** Somebody else was first: what they did, and whose it shall be. */
function Conflict({ site, before, onTheirs, onMine }: ConflictProps) {
  const { data: theirs } = useQuery({ ...keptCampaignQuery(site, before.id), queryKey: ['conflict', site, before.id], staleTime: 0, gcTime: 0 });
  return (
    <section className="card conflict" role="alert" data-testid="conflict">
      {theirs === undefined ? (
        <Skeleton height={64} />
      ) : (
        <>
          <h3>{words.conflictTitle(theirs.changedBy, format.ago(Math.max(0, Date.now() - theirs.changed)))}</h3>
          <p>{words.conflictDetail(differences(before.definition, theirs.definition))}</p>
          <span className="conflict-actions">
            <Button look="primary" onPress={onTheirs}>
              {words.takeTheirs}
            </Button>
            <Button onPress={() => { onMine(theirs.version); }}>{words.keepMine}</Button>
          </span>
        </>
      )}
    </section>
  );
}
