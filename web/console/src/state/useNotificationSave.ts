import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { Made } from '../api/notifications';
import { alertMessages as words } from '../i18n/alertMessages';
import { tell, tellFailure } from './toasts';

interface Options<Draft, Kept extends Draft & { readonly id: string }> {
  /** Of the queries that list them. */
  key: string;
  /** What is changed; undefined: a new one is made. */
  before: Kept | undefined;
  make: (draft: Draft) => Promise<Made>;
  put: (id: string, draft: Draft) => Promise<void>;
  forget: (id: string) => Promise<void>;
  nameOf: (draft: Draft) => string;
  onMade: (made: Made & { readonly name: string }) => void;
  onDone: () => void;
}

/** Keeps the draft of an alert or a delivery; told with a way back to what was before. */
export function useNotificationSave<Draft, Kept extends Draft & { readonly id: string }>(options: Options<Draft, Kept>) {
  const { key, before, make, put, forget, nameOf, onMade, onDone } = options;
  const client = useQueryClient();
  const renew = () => client.invalidateQueries({ queryKey: [key] });
  return useMutation({
    mutationFn: async (draft: Draft): Promise<Made | undefined> => {
      if (before === undefined) return make(draft);
      await put(before.id, draft);
      return undefined;
    },
    onSuccess: async (made, draft) => {
      await renew();
      const name = nameOf(draft);
      if (made !== undefined) onMade({ ...made, name });
      tell({
        text: words.saved(name),
        undo: () => {
          const back = before === undefined ? forget(made?.id ?? '') : put(before.id, before);
          back.then(renew).catch((error: unknown) => { tellFailure(words.notUndone, error); });
        },
      });
      onDone();
    },
  });
}
