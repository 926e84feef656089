import { useQuery } from '@tanstack/react-query';
import { clustersQuery } from '../api/personalization';
import { segmentsQuery } from '../api/segmentList';
import { manageMessages as words, treeInWords } from '../i18n/manageMessages';
import { FIELDS, joinValues, newTargetingCondition, splitValues, type TargetingField, type TargetingNode, type TargetingTree } from '../state/targetingTree';
import { Card } from '../ui/Card';
import { Choice, type Option } from '../ui/Choice';
import { TextField } from '../ui/Field';
import { RuleTreeField, type ConditionProps } from '../ui/RuleTreeField';
import { DayPartFields } from './CampaignBasics';

interface WhoProps {
  site: string;
  tree: TargetingTree;
  onChange: (tree: TargetingTree) => void;
}

export function WhoCard({ site, tree, onChange }: WhoProps) {
  const segments = useQuery(segmentsQuery(site)).data ?? [];
  const clusters = useQuery(clustersQuery()).data ?? [];
  const known: readonly Option<string>[] = [
    ...segments.map(({ id, title }) => ({ value: id, label: title })),
    ...clusters.map(({ segment }) => ({ value: segment, label: segment })),
  ];
  const nameOf = (field: TargetingField, value: string) => (field === 'segment' ? (known.find((one) => one.value === value)?.label ?? value) : value);
  return (
    <Card title={words.tabs.who}>
      <RuleTreeField
        root={tree}
        onChange={onChange}
        name={words.targeting}
        joinLabel={words.join}
        newCondition={newTargetingCondition}
        renderCondition={(props) => <TargetingCondition {...props} segments={known} />}
      />
      <p className="in-words" data-testid="targeting-in-words">
        <span className="label">{words.inWords}</span>
        {words.shownTo(treeInWords(tree, nameOf))}
      </p>
    </Card>
  );
}

type What = TargetingField | 'attribute' | 'within';

function TargetingCondition({ node, set, tools, segments }: ConditionProps<TargetingNode> & { segments: readonly Option<string>[] }) {
  const what: What = node.what === 'field' ? node.field : node.what;
  const options: readonly Option<What>[] = [
    ...FIELDS.map((field) => ({ value: field, label: words.fields[field] })),
    { value: 'attribute', label: words.whats.attribute },
    { value: 'within', label: words.whats.within },
  ];
  return (
    <div className="condition-row">
      <Choice
        label={words.what}
        value={what}
        options={options}
        onChange={(next) => { set(next === 'attribute' || next === 'within' ? { what: next } : { what: 'field', field: next }); }}
      />
      {node.what === 'attribute' ? <TextField label={words.attribute} value={node.attribute} maxLength={128} onChange={(attribute) => { set({ attribute }); }} /> : null}
      {node.what === 'within' ? (
        <DayPartFields part={node.within} onChange={(part) => { set({ within: { ...node.within, ...part } }); }} />
      ) : (
        <div className="values">
          <TextField label={words.values} value={node.values} onChange={(values) => { set({ values }); }} />
        </div>
      )}
      {what === 'segment' && segments.length > 0 ? (
        <Choice
          label={words.addSegment}
          value=""
          options={[{ value: '', label: '…' }, ...segments.filter(({ value }) => !splitValues(node.values).includes(value))]}
          onChange={(segment) => {
            if (segment !== '') set({ values: joinValues([...splitValues(node.values), segment]) });
          }}
        />
      ) : null}
      {tools}
    </div>
  );
}
