import { useState } from 'react';
import type { DayPart } from '../api/catalog';
import { DAYS, dayPartText, manageMessages as words } from '../i18n/manageMessages';
import { fromLocal, isZone, slug, toLocal } from '../state/campaignDraft';
import { Button } from '../ui/Button';
import { Card } from '../ui/Card';
import { Choice } from '../ui/Choice';
import { TextField, Toggle } from '../ui/Field';
import { CloseIcon, PlusIcon } from '../ui/icons';
import type { PartProps } from './CampaignEditor';
import { joinValues, splitValues } from '../state/targetingTree';

const STATUSES = ['draft', 'active', 'paused', 'ended'] as const;
const TIERS = ['sponsorship', 'guaranteed', 'standard', 'house'] as const;

export function BasicsCard({ campaign, set, isNew }: PartProps & { isNew: boolean }) {
  // The id follows the name until somebody writes one.
  const [isOwnId, setOwnId] = useState(campaign.id !== '');
  return (
    <Card title={words.tabs.basics}>
      <div className="form-grid">
        <TextField label={words.name} value={campaign.name} maxLength={200} onChange={(name) => { set({ name, ...(isNew && !isOwnId ? { id: slug(name) } : {}) }); }} />
        <TextField
          label={words.id}
          value={campaign.id}
          maxLength={128}
          readOnly={!isNew}
          hint={words.idHint}
          onChange={(id) => {
            setOwnId(true);
            set({ id });
          }}
        />
        <Choice label={words.status} value={campaign.status ?? 'draft'} options={STATUSES.map((value) => ({ value, label: words.standings[value] }))} onChange={(status) => { set({ status }); }} />
        <Choice label={words.tier} value={campaign.tier ?? 'standard'} options={TIERS.map((value) => ({ value, label: words.tiers[value] }))} onChange={(tier) => { set({ tier }); }} />
        <TextField label={words.advertiser} value={campaign.advertiser ?? ''} maxLength={128} onChange={(advertiser) => { set({ advertiser }); }} />
        <TextField label={words.category} value={campaign.category ?? ''} maxLength={128} onChange={(category) => { set({ category }); }} />
        <ExcludesField excludes={campaign.excludes ?? []} onChange={(excludes) => { set({ excludes }); }} />
        <Toggle label={words.roadblock} checked={campaign.is_roadblock ?? false} onChange={(checked) => { set({ is_roadblock: checked }); }} />
      </div>
    </Card>
  );
}

function ExcludesField({ excludes, onChange }: { excludes: string[]; onChange: (excludes: string[]) => void }) {
  const [text, setText] = useState(() => joinValues(excludes));
  return (
    <TextField
      label={words.excludes}
      value={text}
      onChange={(next) => {
        setText(next);
        onChange(splitValues(next));
      }}
    />
  );
}

export function WhenCard({ campaign, set }: PartProps) {
  const zone = campaign.zone ?? 'UTC';
  const known = isZone(zone);
  const clock = known ? zone : 'UTC';
  const parts = campaign.schedule ?? [];
  const change = (index: number, part: DayPart) => { set({ schedule: parts.map((old, place) => (place === index ? { ...old, ...part } : old)) }); };
  return (
    <Card title={words.tabs.when}>
      <div className="form-grid three">
        <TextField label={words.from} type="datetime-local" value={toLocal(campaign.from, clock)} hint={words.always} onChange={(from) => { setTime(set, 'from', fromLocal(from, clock)); }} />
        <TextField label={words.to} type="datetime-local" value={toLocal(campaign.to, clock)} hint={words.always} onChange={(to) => { setTime(set, 'to', fromLocal(to, clock)); }} />
        <TextField label={words.zone} value={zone} problem={known ? undefined : words.zoneUnknown} spellCheck={false} onChange={(next) => { set({ zone: next }); }} />
      </div>
      <h3 className="part-title">{words.schedule}</h3>
      {parts.length === 0 ? <p className="cell-faint">{words.scheduleNone}</p> : null}
      <ol className="rule-nodes">
        {parts.map((part, index) => (
          // Parts of days have no identity but their place.
          <li key={index}>
            <fieldset className="rule-condition">
              <legend className="visually-hidden">{words.part(index + 1)}</legend>
              <div className="condition-row">
                <DayPartFields part={part} onChange={(fields) => { change(index, fields); }} />
                <Button look="quiet" icon aria-label={words.removePart(index + 1)} onPress={() => { set({ schedule: parts.filter((_, place) => place !== index) }); }}>
                  <CloseIcon />
                </Button>
              </div>
              <p className="hint cell-faint">{dayPartText(part.zone === zone ? { ...part, zone: '' } : part)}</p>
            </fieldset>
          </li>
        ))}
      </ol>
      <div className="rule-add">
        <Button onPress={() => { set({ schedule: [...parts, { days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '08:00', to: '18:00' }] }); }}>
          <PlusIcon />
          {words.addPart}
        </Button>
      </div>
    </Card>
  );
}

/** A member that is left out means always; `undefined` may not stand for it in the type. */
function setTime(set: PartProps['set'], member: 'from' | 'to', time: string | undefined): void {
  set({ [member]: time ?? '' });
}

export function DayPartFields({ part, onChange }: { part: DayPart; onChange: (part: DayPart) => void }) {
  const on = part.days ?? DAYS;
  return (
    <>
      <fieldset className="field segments-field">
        <legend className="label">{words.onDays}</legend>
        <div className="segments days">
          {DAYS.map((day) => (
            <label key={day} className="segment">
              <input
                type="checkbox"
                checked={on.includes(day)}
                onChange={() => {
                  const next = DAYS.filter((one) => (one === day ? !on.includes(day) : on.includes(one)));
                  if (next.length > 0) onChange({ days: next });
                }}
              />
              <span>{words.days[day]}</span>
            </label>
          ))}
        </div>
      </fieldset>
      <TextField label={words.dayFrom} type="time" value={part.from ?? '00:00'} onChange={(from) => { onChange({ from: from === '' ? '00:00' : from }); }} />
      <TextField label={words.dayTo} type="time" value={part.to === undefined || part.to === '24:00' ? '00:00' : part.to} onChange={(to) => { onChange({ to: to === '' || to === '00:00' ? '24:00' : to }); }} />
    </>
  );
}
