import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { FileFormat } from '../api/saved';
import { forgetSaved } from '../api/saved';
import { exploreMessages as words } from '../i18n/exploreMessages';
import { tell, tellFailure } from '../state/toasts';
import { Button } from './Button';

const FORMATS = ['csv', 'parquet', 'png'] as const;

interface ActionsProps {
  /** What is asked: another is not kept yet. */
  question: object;
  name: string;
  hasPicture: boolean;
  download: (name: string, form: FileFormat) => Promise<void>;
  save: (name: string) => Promise<{ readonly id: string }>;
}

/** The answer as a file, or kept as a report under an address of its own. */
export function ReportActions({ question, name, hasPicture, download, save: keep }: ActionsProps) {
  const [made, setMade] = useState<{ id: string; of: string }>();
  const of = JSON.stringify(question);
  const file = useMutation({
    mutationFn: (form: (typeof FORMATS)[number]) => download(name, form),
    onError: (error) => { tellFailure(words.notExported, error); },
  });
  const save = useMutation({
    mutationFn: () => keep(name),
    onSuccess: ({ id }) => {
      setMade({ id, of });
      tell({
        text: words.saved(name),
        undo: () => {
          setMade(undefined);
          forgetSaved(id).catch((error: unknown) => { tellFailure(words.notUndone, error); });
        },
      });
    },
    onError: (error) => { tellFailure(words.notSaved, error); },
  });
  return (
    <div className="exports" role="group" aria-label={words.export}>
      {FORMATS.map((form) => (
        <Button key={form} disabled={file.isPending || (form === 'png' && !hasPicture)} onPress={() => { file.mutate(form); }}>
          {words.formats[form]}
        </Button>
      ))}
      {made?.of === of ? (
        <Link to="/r/$id" params={{ id: made.id }} search={{}} className="button primary">
          {words.open}
        </Link>
      ) : (
        <Button look="primary" disabled={save.isPending} onPress={() => { save.mutate(); }}>
          {words.save}
        </Button>
      )}
    </div>
  );
}
