// A field for SQL, by CodeMirror: colours, completion, undo, and a mark where the store says that something is wrong.
import { acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { bracketMatching, HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { Compartment, EditorState, Prec, StateEffect, StateField } from '@codemirror/state';
import { Decoration, drawSelection, EditorView, highlightSpecialChars, keymap, lineNumbers, placeholder, type DecorationSet } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { useEffect, useRef } from 'react';
import type { SqlSchema } from '../state/sqlModel';
import type { Span } from '../state/sqlText';
import { sqlLanguage } from './sqlLanguage';

interface EditorProps {
  label: string;
  /** The id of what describes it. */
  describedBy: string;
  hint: string;
  value: string;
  onChange: (value: string) => void;
  onRun: () => void;
  onFormat: () => void;
  schema: SqlSchema | undefined;
  /** What is wrong; it goes away with the next change there. */
  mark: Span | undefined;
}

/** At once, so that their list need not scroll: it moves on with the arrow keys, as the focus stays in the field. */
const MOST_OFFERED = 9;

const setMark = StateEffect.define<Span | undefined>();
const markOf = (span: Span) => Decoration.set(Decoration.mark({ class: 'sql-wrong' }).range(span.from, span.to));
const marks = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update: (before, transaction) => {
    let now = transaction.docChanged ? Decoration.none : before;
    for (const effect of transaction.effects) {
      if (!effect.is(setMark)) continue;
      const { value } = effect;
      now = value !== undefined && value.to <= transaction.newDoc.length ? markOf(value) : Decoration.none;
    }
    return now;
  },
  provide: (field) => EditorView.decorations.from(field),
});

const colours = HighlightStyle.define([
  { tag: tags.keyword, color: 'var(--accent-strong)', fontWeight: '600' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--good)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--warn)' },
  { tag: tags.comment, color: 'var(--text-faint)', fontStyle: 'italic' },
  { tag: tags.typeName, color: 'var(--series-5)' },
]);

const theme = EditorView.theme({
  '&': { backgroundColor: 'transparent', color: 'var(--text)', fontSize: 'var(--text-sm)' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--font-mono)', lineHeight: '1.6', minHeight: '168px', maxHeight: '46vh', overflow: 'auto' },
  '.cm-content': { caretColor: 'var(--text)', padding: '10px 0' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '.cm-gutters': { backgroundColor: 'transparent', color: 'var(--text-faint)', border: 'none' },
  '.cm-placeholder': { color: 'var(--text-faint)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'var(--heat-1)' },
  '&.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--accent-soft)', outline: '1px solid var(--line-strong)' },
  '.cm-tooltip': { border: '1px solid var(--line-strong)', borderRadius: 'var(--radius-sm)', backgroundColor: 'var(--surface-raised)', color: 'var(--text)', boxShadow: 'var(--shadow-overlay)' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--font-mono)', maxHeight: 'none' },
  '.cm-tooltip-autocomplete ul li': { padding: '3px 8px' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { backgroundColor: 'var(--accent)', color: 'var(--accent-text)' },
  '.cm-completionDetail': { color: 'var(--text-faint)', fontStyle: 'normal' },
  'li[aria-selected] .cm-completionDetail': { color: 'inherit' },
  '.cm-completionMatchedText': { textDecoration: 'none', fontWeight: '700' },
  '.cm-completionIcon': { display: 'none' },
});

export function SqlEditor({ label, describedBy, hint, value, onChange, onRun, onFormat, schema, mark }: EditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const language = useRef(new Compartment());
  const told = useRef({ value, onChange, onRun, onFormat });
  useEffect(() => {
    told.current = { value, onChange, onRun, onFormat };
  });

  useEffect(() => {
    const element = host.current;
    if (element === null) return;
    const created = new EditorView({
      parent: element,
      state: EditorState.create({
        doc: told.current.value,
        extensions: [
          lineNumbers(), highlightSpecialChars(), history(), drawSelection(), bracketMatching(), closeBrackets(), marks,
          autocompletion({ icons: false, maxRenderedOptions: MOST_OFFERED }),
          syntaxHighlighting(colours),
          EditorView.lineWrapping,
          placeholder(hint),
          // Tab takes a completion that is shown, and else goes on to what follows the field.
          Prec.highest(keymap.of([
            { key: 'Mod-Enter', run: () => { told.current.onRun(); return true; } },
            { key: 'Shift-Alt-f', run: () => { told.current.onFormat(); return true; } },
            { key: 'Tab', run: acceptCompletion },
          ])),
          keymap.of([...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...defaultKeymap]),
          language.current.of(sqlLanguage(undefined)),
          theme,
          EditorView.contentAttributes.of({ 'aria-label': label, 'aria-describedby': describedBy, autocapitalize: 'off', autocorrect: 'off', spellcheck: 'false' }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) told.current.onChange(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = created;
    return () => {
      created.destroy();
      view.current = null;
    };
  }, [label, describedBy, hint]);

  useEffect(() => {
    view.current?.dispatch({ effects: language.current.reconfigure(sqlLanguage(schema)) });
  }, [schema, label, describedBy, hint]);
  useEffect(() => {
    const now = view.current?.state.doc.toString();
    if (now !== undefined && now !== value) view.current?.dispatch({ changes: { from: 0, to: now.length, insert: value } });
  }, [value]);
  useEffect(() => {
    view.current?.dispatch({ effects: setMark.of(mark) });
  }, [mark]);

  return <div ref={host} className="sql-editor" data-testid="sql-editor" />;
}
