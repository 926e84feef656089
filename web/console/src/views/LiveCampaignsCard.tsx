import { useState } from 'react';
import { format } from '../i18n/format';
import { messages as m } from '../i18n/messages';
import { campaignsOf, type LiveUnit } from '../state/liveCampaigns';
import { useLiveCampaigns } from '../state/useLiveCampaigns';
import { Card } from '../ui/Card';
import { Segments } from '../ui/Choice';
import { Sparkline } from '../ui/Sparkline';

const SHOWN = 12;
const UNITS: readonly LiveUnit[] = ['second', 'minute', 'day'];

/** Campaigns as they deliver: the last minute by seconds, the last hour by minutes, the last thirty days by days. */
export function LiveCampaignsCard({ site, now }: { site: string; now: number }) {
  const [unit, setUnit] = useState<LiveUnit>('second');
  const delivery = useLiveCampaigns(site, unit);
  const campaigns = delivery === undefined ? [] : campaignsOf(delivery, Math.max(now, delivery.time));
  return (
    <Card
      title={m.live.campaigns}
      note={m.live.spans[unit]}
      actions={<Segments label={m.live.unit} hideLabel options={UNITS.map((value) => ({ value, label: m.live.units[value] }))} value={unit} onChange={setUnit} />}
      flush
    >
      <table className="table live-table" data-testid="live-campaigns" data-unit={delivery?.unit}>
        <caption className="visually-hidden">{m.live.campaigns}</caption>
        <thead>
          <tr>
            <th scope="col"><span>{m.campaigns.campaign}</span></th>
            <th scope="col"><span>{m.live.trend}</span></th>
            <th scope="col" className="end"><span>{m.measure.impressions}</span></th>
            <th scope="col" className="end"><span>{m.measure.clicks}</span></th>
            <th scope="col" className="end"><span>{m.measure.ctr}</span></th>
          </tr>
        </thead>
        <tbody>
          {campaigns.slice(0, SHOWN).map((campaign) => (
            <tr key={campaign.id}>
              <th scope="row">{campaign.id}</th>
              <td>
                <Sparkline values={campaign.series} />
              </td>
              <td className="end">{format.count(campaign.impressions)}</td>
              <td className="end">{format.count(campaign.clicks)}</td>
              <td className="end">{campaign.impressions === 0 ? '–' : format.rate(campaign.clicks / campaign.impressions)}</td>
            </tr>
          ))}
          {delivery !== undefined && campaigns.length === 0 ? (
            <tr>
              <td colSpan={5} className="cell-faint">{m.live.noCampaigns}</td>
            </tr>
          ) : null}
        </tbody>
      </table>
    </Card>
  );
}
