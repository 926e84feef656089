import { EVENT_TYPES } from '../api/reports';
import { filterMessages as words } from '../i18n/filterMessages';
import { messages as m } from '../i18n/messages';
import { Choice } from './Choice';
import { CloseIcon } from './icons';
import '../styles/ruleTree.css';

type EventType = (typeof EVENT_TYPES)[number];

interface TypesProps {
  label: string;
  types: readonly EventType[];
  onChange: (types: readonly EventType[]) => void;
}

/** Any of some types of events; none of them says any. */
export function TypesField({ label, types, onChange }: TypesProps) {
  const rest = EVENT_TYPES.filter((type) => !types.includes(type));
  return (
    <div className="types">
      <Choice
        label={label}
        value=""
        options={[{ value: '', label: types.length === 0 ? words.anyType : words.addType }, ...rest.map((type) => ({ value: type, label: m.eventType(type) }))]}
        onChange={(next) => {
          const type = rest.find((one) => one === next);
          if (type !== undefined) onChange([...types, type]);
        }}
      />
      {types.map((type) => (
        <span key={type} className="chip removable">
          {m.eventType(type)}
          <button type="button" aria-label={words.removeType(m.eventType(type))} onClick={() => { onChange(types.filter((one) => one !== type)); }}>
            <CloseIcon />
          </button>
        </span>
      ))}
    </div>
  );
}

/** Those of an address that there are. */
export function knownTypes(names: readonly string[] | undefined): readonly EventType[] {
  return EVENT_TYPES.filter((type) => names?.includes(type) === true);
}
