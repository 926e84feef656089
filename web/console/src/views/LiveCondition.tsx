import { liveMessages as words } from '../i18n/liveMessages';
import { COUNTS, hasDays, kindOf, LIVE_FIELDS, MOMENTS, TOPICS, type LiveNode, type LiveWhat } from '../state/liveRule';
import { Choice } from '../ui/Choice';
import { NumberField, TextField } from '../ui/Field';
import type { ConditionProps } from '../ui/RuleTreeField';

const WHATS: readonly LiveWhat[] = [...TOPICS, ...COUNTS, ...MOMENTS, ...LIVE_FIELDS, 'attribute'];
const SPANS = ['1h', '24h', '7d', '30d'];
const DAYS = [undefined, 1, 2, 3, 4, 5, 6, 7];
const EVER = '0';

/** A condition of a live segment: what a profile has of a user, or what the request says of them. */
export function LiveCondition({ node, set, tools }: ConditionProps<LiveNode>) {
  const kind = kindOf(node.what);
  return (
    <div className="condition-row">
      <Choice label={words.what} value={node.what} options={WHATS.map((value) => ({ value, label: words.whats[value] }))} onChange={(what) => { set({ what }); }} />
      {node.what === 'attribute' ? <TextField label={words.attribute} value={node.attribute} maxLength={128} onChange={(attribute) => { set({ attribute }); }} /> : null}
      {kind === 'topic' ? <TextField label={`${words.text}, ${words.textHint}`} value={node.text} maxLength={200} onChange={(text) => { set({ text }); }} /> : null}
      {kind === 'values' ? (
        <div className="values">
          <TextField label={words.values} value={node.text} onChange={(text) => { set({ text }); }} />
        </div>
      ) : null}
      {kind === 'topic' || kind === 'count' ? (
        <>
          <Choice
            label={words.had}
            value={node.isFewer ? 'fewer' : 'least'}
            options={(['least', 'fewer'] as const).map((value) => ({ value, label: words.amounts[value] }))}
            onChange={(next) => { set({ isFewer: next === 'fewer' }); }}
          />
          <div className="count">
            <NumberField label={words.amount} value={node.amount} min={0} step="any" placeholder={kind === 'topic' && !node.isFewer ? '0.5' : '1'} onChange={(amount) => { set({ amount }); }} />
          </div>
        </>
      ) : null}
      {hasDays(node.what) ? (
        <Choice
          label={words.days}
          value={String(node.days ?? EVER)}
          options={DAYS.map((days) => ({ value: String(days ?? EVER), label: words.dayChoices(days) }))}
          onChange={(next) => { set({ days: next === EVER ? undefined : Number(next) }); }}
        />
      ) : null}
      {kind === 'moment' ? (
        <Choice label={words.within} value={node.within} options={[...new Set([...SPANS, node.within])].map((value) => ({ value, label: words.span(value) }))} onChange={(within) => { set({ within }); }} />
      ) : null}
      {tools}
    </div>
  );
}
