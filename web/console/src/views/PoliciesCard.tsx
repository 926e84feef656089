import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { CtrGroup, CtrReport, Site } from '../api/model';
import { ctrQuery } from '../api/reports';
import { Chart } from '../charts/Chart';
import { ctrChartData, ctrOption } from '../charts/ctrOption';
import { usePalette } from '../charts/palette';
import { messages as m } from '../i18n/messages';
import { personalizationMessages as words } from '../i18n/personalizationMessages';
import type { TimeRange } from '../state/range';
import { comparePolicies, type PolicyComparison } from '../state/modelVerdict';
import { Card } from '../ui/Card';
import { rateColumns } from '../ui/rateColumns';
import { Failure, Skeleton, TableSkeleton } from '../ui/states';
import { Table, type Column } from '../ui/Table';

const BY_POLICY = ['policy'];
const CHART_HEIGHT = 190;
const UNSORTED = { column: '', descending: false };

function nameOf(key: string): string {
  return key === '' ? words.unnamed : key;
}

function sentence({ one, chance, lift }: PolicyComparison): string {
  const say = lift.low > 1 ? words.better : lift.high < 1 ? words.worse : words.same;
  return say(nameOf(one.keys[0] ?? ''), nameOf(chance.keys[0] ?? ''), lift.ratio, lift.low, lift.high);
}

/** What the learned policy earns beside the one that draws by chance. */
export function PoliciesCard({ site, range }: { site: Site; range: TimeRange | undefined }) {
  const query = useQuery({ ...ctrQuery({ site: site.id, range, by: BY_POLICY }), refetchInterval: 60_000 });
  const report = query.data;
  const isEmpty = range === undefined || report?.groups.every((group) => group.keys[0] === '') === true;
  return (
    <Card title={words.policies} note={words.policiesNote} flush>
      <div className={query.isPlaceholderData ? 'refreshing' : ''} aria-busy={query.isFetching && range !== undefined}>
        {query.error !== null ? (
          <Failure error={query.error} onRetry={() => void query.refetch()} />
        ) : isEmpty ? (
          <p className="quiet-line">{words.noPolicies}</p>
        ) : (
          <Policies report={report} />
        )}
      </div>
    </Card>
  );
}

function Policies({ report }: { report: CtrReport | undefined }) {
  const palette = usePalette();
  const option = useMemo(
    () => (report === undefined ? undefined : ctrOption(ctrChartData(report.groups), report.total, palette, nameOf)),
    [report, palette],
  );
  const comparison = useMemo(() => (report === undefined ? undefined : comparePolicies(report.groups)), [report]);
  return (
    <>
      <div className="policies-answer">
        {report === undefined ? (
          <Skeleton width="min(520px, 100%)" height={22} />
        ) : comparison === undefined ? (
          <p>{words.onlyOne}</p>
        ) : (
          <>
            <p className="strong" data-testid="policies-answer">
              {sentence(comparison)}
            </p>
            <p>{words.fair}</p>
          </>
        )}
      </div>
      <div className="policies-chart">
        {option === undefined ? (
          <Skeleton height={CHART_HEIGHT} />
        ) : (
          <Chart
            kind="custom"
            testId="policies-chart"
            option={option}
            height={CHART_HEIGHT}
            description={words.policiesDescription(comparison === undefined ? '' : sentence(comparison))}
          />
        )}
      </div>
      {report === undefined ? <TableSkeleton rows={2} /> : <PoliciesTable report={report} />}
    </>
  );
}

function PoliciesTable({ report }: { report: CtrReport }) {
  const rows = useMemo(() => report.groups.toSorted((a, b) => b.impressions - a.impressions), [report]);
  const columns = useMemo(() => {
    const highest = Math.max(0, ...report.groups.map((group) => group.ctr));
    const name: Column<CtrGroup> = { id: 'policy', header: words.policy, cell: (group) => nameOf(group.keys[0] ?? ''), footer: m.ctr.overall };
    // A handful of rows: to sort them is the CTR view's matter.
    return [name, ...rateColumns<CtrGroup>(report.total, highest).map(({ compare: _compare, ...column }) => column)];
  }, [report]);
  return <Table caption={words.policies} columns={columns} rows={rows} rowKey={(group) => group.keys.join()} sort={UNSORTED} onSort={() => undefined} />;
}
