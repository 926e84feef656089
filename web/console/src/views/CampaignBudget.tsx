import type { BudgetLimits, Cap, Campaign } from '../api/catalog';
import { manageMessages as words } from '../i18n/manageMessages';
import { Button } from '../ui/Button';
import { Card } from '../ui/Card';
import { Choice, Segments } from '../ui/Choice';
import { NumberField, TextField } from '../ui/Field';
import { CloseIcon, PlusIcon } from '../ui/icons';
import type { PartProps } from './CampaignEditor';

const MICROS = 1_000_000;
const PACINGS = ['even', 'front_loaded', 'none'] as const;
const PRICES = ['cpm', 'cpc'] as const;
const SCOPES = ['campaign', 'ad', 'advertiser'] as const;

export function BudgetCard({ campaign, set }: PartProps) {
  const share = campaign.share_of_voice ?? 0;
  return (
    <Card title={words.tabs.budget}>
      <div className="limits">
        <Limits title={words.daily} period="daily" campaign={campaign} set={set} />
        <Limits title={words.total} period="total" campaign={campaign} set={set} />
      </div>
      <div className="form-grid four">
        <Choice label={words.price} value={campaign.price ?? 'cpm'} options={PRICES.map((value) => ({ value, label: words.prices[value] }))} onChange={(price) => { set({ price }); }} />
        <NumberField
          label={words.bid}
          min={0}
          step="any"
          value={(campaign.bid_micros ?? 0) / MICROS}
          onChange={(bid) => { set({ bid_micros: Math.round((bid ?? 0) * MICROS) }); }}
        />
        <NumberField label={words.share} min={0} max={100} step="any" value={share === 0 ? undefined : Number((share * 100).toFixed(6))} placeholder={words.noLimit} onChange={(percent) => { set({ share_of_voice: (percent ?? 0) / 100 }); }} />
        <Segments label={words.pacing} value={campaign.pacing ?? 'even'} options={PACINGS.map((value) => ({ value, label: words.pacings[value] }))} onChange={(pacing) => { set({ pacing }); }} />
      </div>
      <Caps caps={campaign.caps ?? []} onChange={(caps) => { set({ caps }); }} />
    </Card>
  );
}

function withLimit(campaign: Campaign, period: 'daily' | 'total', unit: keyof BudgetLimits, value: number | undefined): Partial<Campaign> {
  const { [unit]: _old, ...others } = campaign.budget?.[period] ?? {};
  const limits: BudgetLimits = value === undefined || value <= 0 ? others : { ...others, [unit]: Math.round(value) };
  const { [period]: _before, ...rest } = campaign.budget ?? {};
  return { budget: Object.keys(limits).length === 0 ? rest : { ...rest, [period]: limits } };
}

function Limits({ title, period, campaign, set }: PartProps & { title: string; period: 'daily' | 'total' }) {
  const limits = campaign.budget?.[period] ?? {};
  const change = (unit: keyof BudgetLimits, scale: number) => (value: number | undefined) => { set(withLimit(campaign, period, unit, value === undefined ? undefined : value * scale)); };
  return (
    <fieldset className="limit-group">
      <legend>{title}</legend>
      <NumberField label={words.impressions} min={1} step={1} value={limits.impressions} placeholder={words.noLimit} onChange={change('impressions', 1)} />
      <NumberField label={words.clicks} min={1} step={1} value={limits.clicks} placeholder={words.noLimit} onChange={change('clicks', 1)} />
      <NumberField
        label={words.spend}
        min={0}
        step="any"
        value={limits.spend_micros === undefined ? undefined : limits.spend_micros / MICROS}
        placeholder={words.noLimit}
        onChange={change('spend_micros', MICROS)}
      />
    </fieldset>
  );
}

function Caps({ caps, onChange }: { caps: readonly Cap[]; onChange: (caps: Cap[]) => void }) {
  const change = (index: number, fields: Partial<Cap>) => { onChange(caps.map((cap, place) => (place === index ? { ...cap, ...fields } : cap))); };
  return (
    <>
      <h3 className="part-title">{words.caps}</h3>
      {caps.length === 0 ? <p className="cell-faint">{words.capsNone}</p> : null}
      <ol className="rule-nodes">
        {caps.map((cap, index) => (
          // Caps have no identity but their place.
          <li key={index} className="condition-row">
            <NumberField label={words.capCount} min={1} step={1} value={cap.count} onChange={(count) => { change(index, { count: count ?? 1 }); }} />
            <Choice label={words.capScope} value={cap.scope} options={SCOPES.map((value) => ({ value, label: words.capScopes[value] }))} onChange={(scope) => { change(index, { scope }); }} />
            <TextField label={words.capWindow} value={cap.window} onChange={(window) => { change(index, { window }); }} />
            <Button look="quiet" icon aria-label={words.removeCap(index + 1)} onPress={() => { onChange(caps.filter((_, place) => place !== index)); }}>
              <CloseIcon />
            </Button>
          </li>
        ))}
      </ol>
      <div className="rule-add">
        <Button onPress={() => { onChange([...caps, { scope: 'campaign', count: 3, window: '1d' }]); }}>
          <PlusIcon />
          {words.addCap}
        </Button>
      </div>
    </>
  );
}
