import { useQueries, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useEffect, useMemo, useState } from 'react';
import { Page } from '../app/Page';
import {
  deliveredQuery, isConflict, keptCampaignsQuery, putCampaign, removeCampaign, restoreCampaign, type Delivered, type KeptCampaign,
} from '../api/catalog';
import type { Site } from '../api/model';
import { format } from '../i18n/format';
import { manageMessages as words, money, targetingText } from '../i18n/manageMessages';
import { messages as m } from '../i18n/messages';
import { DAY, dayStart, isZone, paceOf, standingOf, type Pace, type Standing } from '../state/campaignDraft';
import type { TimeRange } from '../state/range';
import { useMay } from '../state/session';
import type { ManageSearch } from '../state/search';
import { tell, tellFailure } from '../state/toasts';
import { Button } from '../ui/Button';
import { Card } from '../ui/Card';
import { EditIcon, PauseIcon, PlayIcon } from '../ui/actionIcons';
import { CloseIcon, CopyIcon, PlusIcon } from '../ui/icons';
import { Empty, Failure, TableSkeleton } from '../ui/states';
import { Table, type Column } from '../ui/Table';
import { useSort } from '../ui/useSort';
import { CampaignEditor } from './CampaignEditor';
import { StandingChip } from './StandingChip';
import '../styles/editing.css';
import '../styles/manage.css';

const route = getRouteApi('/campaigns/manage');
const TODAY_EVERY = 15_000;

export function ManageView() {
  const search = route.useSearch();
  useEffect(() => {
    document.title = m.title(words.title);
  }, []);
  const isList = search.edit === undefined;
  const mayChange = useMay('manager');
  const actions = isList ? (
    <>
      <Link to="/campaigns" search={reportSearch(search)} className="button">
        {words.delivery}
      </Link>
      {mayChange ? (
        <Link to="/campaigns/manage" search={{ ...search, edit: 'new' }} className="button primary">
          <PlusIcon />
          {words.new}
        </Link>
      ) : null}
    </>
  ) : undefined;
  return (
    <Page title={words.title} intro={words.intro} actions={actions}>
      {(site) => (isList ? <CampaignsList site={site} search={search} /> : <CampaignEditor key={`${search.edit ?? ''}:${search.copy ?? ''}`} site={site} search={search} />)}
    </Page>
  );
}

function reportSearch({ site }: ManageSearch) {
  return site === undefined ? {} : { site };
}

interface Row extends KeptCampaign {
  readonly standing: Standing;
  readonly delivered: Delivered | undefined;
  readonly pace: Pace | undefined;
}

function zoneOf({ definition: { zone = 'UTC' } }: KeptCampaign): string {
  return isZone(zone) ? zone : 'UTC';
}

/** What was delivered since each zone's midnight, by zone. */
function useToday(site: string, campaigns: readonly KeptCampaign[] | undefined): ReadonlyMap<string, ReadonlyMap<string, Delivered> | undefined> {
  const zones = useMemo(() => [...new Set((campaigns ?? []).filter(({ definition }) => Object.keys(definition.budget?.daily ?? {}).length > 0).map(zoneOf))], [campaigns]);
  const answers = useQueries({
    queries: zones.map((zone) => {
      const from = dayStart(zone, Date.now());
      return deliveredQuery(site, { from, to: from + DAY }, TODAY_EVERY);
    }),
  });
  return new Map(zones.map((zone, index) => [zone, answers[index]?.data]));
}

function CampaignsList({ site, search }: { site: Site; search: ManageSearch }) {
  const campaigns = useQuery(keptCampaignsQuery(site.id));
  const range = useMemo((): TimeRange | undefined => (site.first === undefined || site.last === undefined ? undefined : { from: site.first, to: site.last + DAY }), [site.first, site.last]);
  const delivered = useQuery(deliveredQuery(site.id, range));
  const today = useToday(site.id, campaigns.data);
  const now = Date.now();
  const rows = campaigns.data?.map(
    (campaign): Row => ({
      ...campaign,
      standing: standingOf(campaign.definition, now),
      delivered: delivered.data?.get(campaign.id),
      pace: paceOf(campaign.definition, today.get(zoneOf(campaign))?.get(campaign.id), now),
    }),
  );
  if (campaigns.error !== null) {
    return (
      <div className="card">
        <Failure error={campaigns.error} onRetry={() => void campaigns.refetch()} />
      </div>
    );
  }
  if (rows?.length === 0) {
    return (
      <div className="card">
        <Empty title={words.emptyTitle} command={words.emptyCommand}>
          {words.emptyAdvice}
        </Empty>
      </div>
    );
  }
  const running = rows?.filter(({ standing }) => standing === 'active').length ?? 0;
  return (
    <Card title={words.table} note={rows === undefined ? m.state.loading : words.tableNote(running, rows.length)} flush>
      {rows === undefined ? <TableSkeleton /> : <CampaignsTable site={site.id} rows={rows} search={search} />}
    </Card>
  );
}

const STANDINGS: readonly Standing[] = ['active', 'scheduled', 'paused', 'draft', 'over', 'ended'];
const TIERS = ['sponsorship', 'guaranteed', 'standard', 'house'] as const;

/** Tiers go one before the other. */
function tierOf({ definition }: Row): number {
  return TIERS.indexOf(definition.tier ?? 'standard');
}

function CampaignsTable({ site, rows, search }: { site: string; rows: readonly Row[]; search: ManageSearch }) {
  const [sort, setSort] = useSort(search, { column: 'status', descending: false });
  const names = words.columns;
  const mayChange = useMay('manager');
  const columns: readonly Column<Row>[] = [
    { id: 'name', header: names.name, cell: (row) => <NameCell row={row} search={search} />, compare: (a, b) => format.collator.compare(a.name, b.name) },
    {
      id: 'status',
      header: names.status,
      cell: (row) => (
        <div className="status-cell">
          <StandingChip standing={row.standing} />
          <span className="cell-faint">{words.tiers[row.definition.tier ?? 'standard']}</span>
        </div>
      ),
      compare: (a, b) => STANDINGS.indexOf(a.standing) - STANDINGS.indexOf(b.standing) || tierOf(a) - tierOf(b) || format.collator.compare(a.name, b.name),
    },
    { id: 'today', header: names.today, cell: (row) => <PaceCell pace={row.pace} />, compare: (a, b) => (a.pace?.share ?? -1) - (b.pace?.share ?? -1) },
    number('impressions', m.measure.impressions, (row) => row.delivered?.impressions, (value) => format.count(value)),
    number('ctr', m.measure.ctr, (row) => row.delivered?.ctr, (value) => format.rate(value)),
    number('spend', names.spend, (row) => row.delivered?.spend, (value) => format.decimal(value, 2)),
    ...(mayChange ? [{ id: 'actions', header: names.actions, numeric: true, cell: (row: Row) => <RowActions site={site} row={row} search={search} /> }] : []),
  ];
  return (
    <div className="campaigns-table">
      <Table caption={words.table} columns={columns} rows={rows} rowKey={(row) => row.id} sort={sort} onSort={setSort} limit={1000} />
    </div>
  );
}

function number(id: string, header: string, value: (row: Row) => number | undefined, text: (value: number) => string): Column<Row> {
  return {
    id,
    header,
    numeric: true,
    cell: (row) => {
      const known = value(row);
      return known === undefined ? <span className="cell-faint">–</span> : text(known);
    },
    compare: (a, b) => (value(a) ?? -1) - (value(b) ?? -1),
  };
}

function NameCell({ row, search }: { row: Row; search: ManageSearch }) {
  const ads = row.definition.ads?.length ?? 0;
  const detail = `${words.ads(ads)} · ${targetingText(row.definition.targeting)}`;
  return (
    <div className="name-cell">
      <Link to="/campaigns/manage" search={{ ...search, edit: row.id }} className="cell-link" title={row.name}>
        {row.name}
      </Link>
      <div className="cell-faint" title={detail}>
        {detail}
      </div>
    </div>
  );
}

function PaceCell({ pace }: { pace: Pace | undefined }) {
  if (pace === undefined) return <span className="cell-faint">{words.noBudget}</span>;
  const used = pace.unit === 'spend_micros' ? money(pace.used) : format.compact(pace.used);
  const limit = pace.unit === 'spend_micros' ? money(pace.limit) : format.compact(pace.limit);
  return (
    <span className="pace" title={words.pace(pace)}>
      <span className="pace-bar" aria-hidden="true">
        <i style={{ width: `${Math.min(1, pace.share) * 100}%` }} />
        <b style={{ left: `${pace.dayShare * 100}%` }} />
      </span>
      <span className="cell-faint">
        {used} / {limit} {pace.unit === 'spend_micros' ? '' : words.units[pace.unit]}
      </span>
    </span>
  );
}

function RowActions({ site, row, search }: { site: string; row: Row; search: ManageSearch }) {
  const client = useQueryClient();
  const [isBusy, setBusy] = useState(false);
  const renew = () => client.invalidateQueries({ queryKey: ['catalog', site] });
  async function act(change: () => Promise<unknown>, text: string, undo: (answer: unknown) => Promise<unknown>) {
    setBusy(true);
    try {
      const answer = await change();
      tell({ text, undo: () => { undo(answer).then(renew).catch((error: unknown) => { tellFailure(words.notUndone, error); }); } });
    } catch (error) {
      if (isConflict(error)) tell({ text: words.conflict(row.name), tone: 'bad' });
      else tellFailure(words.notChanged(row.name), error);
    }
    await renew();
    setBusy(false);
  }
  const isActive = row.definition.status === 'active';
  const turn = () =>
    act(
      () => putCampaign(site, { ...row.definition, status: isActive ? 'paused' : 'active' }, row.version),
      isActive ? words.paused(row.name) : words.activated(row.name),
      // Only what was done here is undone.
      (now) => restoreCampaign(site, row.id, row.version, (now as KeptCampaign).version),
    );
  const remove = () => act(() => removeCampaign(site, row.id, row.version), words.removed(row.name), () => restoreCampaign(site, row.id, row.version));
  const turnLabel = isActive ? words.pause(row.name) : words.activate(row.name);
  return (
    <span className="row-actions">
      <Button look="quiet" icon disabled={isBusy} aria-label={turnLabel} title={turnLabel} onPress={() => void turn()}>
        {isActive ? <PauseIcon /> : <PlayIcon />}
      </Button>
      <Link to="/campaigns/manage" search={{ ...search, edit: 'new', copy: row.id }} className="button quiet icon" aria-label={words.duplicate(row.name)} title={words.duplicate(row.name)}>
        <CopyIcon />
      </Link>
      <Link to="/campaigns/manage" search={{ ...search, edit: row.id }} className="button quiet icon" aria-label={words.edit(row.name)} title={words.edit(row.name)}>
        <EditIcon />
      </Link>
      <Button look="quiet" icon disabled={isBusy} aria-label={words.remove(row.name)} title={words.remove(row.name)} onPress={() => void remove()}>
        <CloseIcon />
      </Button>
    </span>
  );
}
