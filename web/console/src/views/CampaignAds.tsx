import { useId } from 'react';
import type { Ad, Creative } from '../api/catalog';
import { manageMessages as words } from '../i18n/manageMessages';
import { newAd } from '../state/campaignDraft';
import { Button } from '../ui/Button';
import { Card } from '../ui/Card';
import { Choice } from '../ui/Choice';
import { NumberField, TextField, Toggle } from '../ui/Field';
import { CloseIcon, PlusIcon } from '../ui/icons';
import type { PartProps } from './CampaignEditor';
import { AdPreview } from './AdPreview';

type Kind = Creative['kind'];
const KINDS: readonly Kind[] = ['image', 'text', 'card', 'html'];
/** What each kind is drawn from; other fields stay as they are. */
const FIELDS: Readonly<Record<Kind, readonly (keyof typeof words.fieldNames)[]>> = {
  image: ['image', 'alt'], text: ['title', 'body'], card: ['title', 'body', 'image'], html: ['html'],
};

export function AdsCard({ campaign, set }: PartProps) {
  const ads = campaign.ads ?? [];
  return (
    <Card title={words.tabs.ads}>
      {ads.length === 0 ? <p className="cell-faint">{words.noAds}</p> : null}
      <ol className="ads">
        {ads.map((ad, index) => (
          // While it is edited, an id may be that of another for a moment.
          <li key={index}>
            <AdFields
              ad={ad}
              name={words.ad(index + 1)}
              onChange={(next) => { set({ ads: ads.map((old, place) => (place === index ? next : old)) }); }}
              onRemove={() => { set({ ads: ads.filter((_, place) => place !== index) }); }}
            />
          </li>
        ))}
      </ol>
      <div className="rule-add">
        <Button onPress={() => { set({ ads: [...ads, newAd(campaign)] }); }}>
          <PlusIcon />
          {words.addAd}
        </Button>
      </div>
    </Card>
  );
}

interface AdFieldsProps {
  ad: Ad;
  name: string;
  onChange: (ad: Ad) => void;
  onRemove: () => void;
}

function textOf(creative: Creative, field: string): string {
  const value = creative.fields?.[field];
  return typeof value === 'string' ? value : '';
}

function AdFields({ ad, name, onChange, onRemove }: AdFieldsProps) {
  const { creative } = ad;
  const draw = (fields: Partial<Creative>) => { onChange({ ...ad, creative: { ...creative, ...fields } }); };
  return (
    <fieldset className="ad">
      <legend className="visually-hidden">{name}</legend>
      <div className="ad-fields">
        <div className="form-grid">
          <TextField label={words.adName} value={ad.name} maxLength={200} onChange={(next) => { onChange({ ...ad, name: next }); }} />
          <TextField label={words.adId} value={ad.id} maxLength={128} onChange={(id) => { onChange({ ...ad, id }); }} />
        </div>
        <div className="form-grid four">
          <Choice label={words.kind} value={creative.kind} options={KINDS.map((value) => ({ value, label: words.kinds[value] }))} onChange={(kind) => { draw({ kind }); }} />
          <NumberField label={words.width} min={0} step={1} value={creative.width === 0 ? undefined : creative.width} onChange={(width) => { draw({ width: width ?? 0 }); }} />
          <NumberField label={words.height} min={0} step={1} value={creative.height === 0 ? undefined : creative.height} onChange={(height) => { draw({ height: height ?? 0 }); }} />
          <NumberField label={words.weight} min={0} step="any" value={ad.weight ?? 1} onChange={(weight) => { onChange({ ...ad, weight: weight ?? 1 }); }} />
        </div>
        <TextField label={words.landing} type="url" value={creative.landing_url} onChange={(landing_url) => { draw({ landing_url }); }} />
        {FIELDS[creative.kind].map((field) =>
          field === 'html' ? (
            <HtmlField key={field} value={textOf(creative, field)} onChange={(html) => { draw({ fields: { ...creative.fields, html } }); }} />
          ) : (
            <TextField key={field} label={words.fieldNames[field]} value={textOf(creative, field)} onChange={(value) => { draw({ fields: { ...creative.fields, [field]: value } }); }} />
          ),
        )}
        <div className="ad-foot">
          <Toggle label={words.adPaused} checked={ad.is_paused ?? false} onChange={(isPaused) => { onChange({ ...ad, is_paused: isPaused }); }} />
          <Button look="quiet" onPress={onRemove}>
            <CloseIcon />
            {words.removeAd(ad.name)}
          </Button>
        </div>
      </div>
      <AdPreview ad={ad} />
    </fieldset>
  );
}

function HtmlField({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id} className="label">
        {words.fieldNames.html}
      </label>
      <textarea id={id} className="input code" rows={5} spellCheck={false} value={value} onChange={(event) => { onChange(event.target.value); }} />
    </div>
  );
}
