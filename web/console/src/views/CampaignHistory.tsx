import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { campaignHistoryQuery, isConflict, restoreCampaign, type CampaignState, type KeptCampaign } from '../api/catalog';
import { format } from '../i18n/format';
import { manageMessages as words } from '../i18n/manageMessages';
import { differences } from '../state/campaignDraft';
import { useMay } from '../state/session';
import { tell, tellFailure } from '../state/toasts';
import { Button } from '../ui/Button';
import { Card } from '../ui/Card';
import { Failure, TableSkeleton } from '../ui/states';

interface HistoryProps {
  site: string;
  before: KeptCampaign;
  onChanged: () => void;
}

/** What it was, when, and who changed it; each state can be taken up again, and that be undone. */
export function HistoryCard({ site, before, onChanged }: HistoryProps) {
  const client = useQueryClient();
  const mayChange = useMay('manager');
  const history = useQuery(campaignHistoryQuery(site, before.id));
  const renew = async () => {
    await client.invalidateQueries({ queryKey: ['catalog', site] });
    onChanged();
  };
  const restore = useMutation({
    mutationFn: (version: number) => restoreCampaign(site, before.id, version, before.version),
    onSuccess: async (now) => {
      await renew();
      tell({
        text: words.restored(now.name),
        undo: () => {
          restoreCampaign(site, before.id, before.version, now.version).then(renew).catch((error: unknown) => { tellFailure(words.notUndone, error); });
        },
      });
    },
    onError: async (error) => {
      await renew();
      if (isConflict(error)) tell({ text: words.conflict(before.name), tone: 'bad' });
      else tellFailure(words.notChanged(before.name), error);
    },
  });
  return (
    <Card title={words.history} note={words.historyNote} flush>
      {history.error !== null ? (
        <Failure error={history.error} onRetry={() => void history.refetch()} />
      ) : history.data === undefined ? (
        <TableSkeleton rows={3} />
      ) : (
        <ol className="history" data-testid="history">
          {history.data.map((state, index) => (
            <li key={`${state.version}`}>
              <time dateTime={new Date(state.changed).toISOString()}>{format.dayTime(state.changed)}</time>
              <span>
                <b>{what(state, history.data[index + 1])}</b> <span className="cell-faint">{words.by(state.changedBy)}</span>
              </span>
              {state.version === before.version && !state.isRemoval ? (
                <span className="chip">{words.now}</span>
              ) : state.isRemoval || !mayChange ? (
                <span />
              ) : (
                <Button look="quiet" disabled={restore.isPending} aria-label={words.restoreOf(format.dayTime(state.changed))} onPress={() => { restore.mutate(state.version); }}>
                  {words.restore}
                </Button>
              )}
            </li>
          ))}
        </ol>
      )}
    </Card>
  );
}

function what(state: CampaignState, before: CampaignState | undefined): string {
  if (state.isRemoval) return words.removal;
  return before === undefined ? words.first : words.changedMembers(differences(before.definition, state.definition));
}
