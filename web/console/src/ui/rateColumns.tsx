import type { Rate } from '../api/model';
import { format } from '../i18n/format';
import { messages as m } from '../i18n/messages';
import type { Column } from './Table';

/** Impressions, clicks, CTR and its interval: the columns that every report of rates ends with. */
export function rateColumns<Row extends Rate>(total: Rate, highest: number): Column<Row>[] {
  return [
    {
      id: 'impressions',
      header: m.measure.impressions,
      numeric: true,
      cell: (row) => format.count(row.impressions),
      compare: (a, b) => a.impressions - b.impressions || a.ctr - b.ctr,
      footer: format.count(total.impressions),
    },
    {
      id: 'clicks',
      header: m.measure.clicks,
      numeric: true,
      cell: (row) => format.count(row.clicks),
      compare: (a, b) => a.clicks - b.clicks,
      footer: format.count(total.clicks),
    },
    {
      id: 'ctr',
      header: m.measure.ctr,
      numeric: true,
      cell: (row) => (
        <>
          <span className="meter" aria-hidden="true">
            <i style={{ width: `${highest > 0 ? (row.ctr / highest) * 100 : 0}%` }} />
          </span>
          {row.impressions === 0 ? '–' : format.rate(row.ctr)}
        </>
      ),
      compare: (a, b) => a.ctr - b.ctr,
      footer: format.rate(total.ctr),
    },
    {
      id: 'interval',
      header: m.measure.interval,
      numeric: true,
      cell: (row) => <span className="cell-faint">{row.impressions === 0 ? '–' : format.rateInterval(row.low, row.high)}</span>,
      compare: (a, b) => a.low - b.low,
      footer: format.rateInterval(total.low, total.high),
    },
  ];
}
