import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { DeadLetter, DeadLetters, Replay } from '../api/model';
import { deadLettersQuery, replay } from '../api/pipeline';
import { format } from '../i18n/format';
import { letterMessages as words } from '../i18n/pipelineMessages';
import { hexLines } from '../state/hexLines';
import { Button } from '../ui/Button';
import { Card } from '../ui/Card';
import { Failure, TableSkeleton } from '../ui/states';

const BYTES_SHOWN = 256;

interface DeadLettersCardProps {
  /** Only letters with this reason. */
  reason: string | undefined;
  /** How many the pipeline counts: once that changes, they are asked for again. */
  known: number;
}

/** What could not be loaded, why, and its replay. */
export function DeadLettersCard({ reason, known }: DeadLettersCardProps) {
  const query = useQuery(deadLettersQuery(reason, known));
  const letters = query.data;
  const hasLetters = letters !== undefined && letters.count > 0;
  return (
    <Card title={words.title} note={words.note} flush>
      {query.error !== null ? (
        <Failure error={query.error} onRetry={() => void query.refetch()} />
      ) : letters === undefined ? (
        <TableSkeleton rows={3} />
      ) : hasLetters || reason !== undefined ? (
        <>
          <ReplayPanel key={reason ?? ''} reason={reason} unreplayed={letters.unreplayed} count={letters.count} />
          <Reasons letters={letters} chosen={reason} />
          <Letters letters={letters} />
        </>
      ) : (
        <p className="quiet-line" data-testid="no-letters">{words.none}</p>
      )}
    </Card>
  );
}

/** Looks first and sends only when asked a second time. */
function ReplayPanel({ reason, unreplayed, count }: { reason: string | undefined; unreplayed: number; count: number }) {
  const client = useQueryClient();
  const look = useMutation({ mutationFn: () => replay(reason, true) });
  const send = useMutation({
    mutationFn: () => replay(reason, false),
    onSettled: () => client.invalidateQueries({ queryKey: ['dead-letters'] }),
  });
  const begin = () => {
    look.reset();
    send.reset();
  };
  const busy = look.isPending || send.isPending;
  return (
    <div className="replay">
      <div className="replay-head">
        <p>
          <b>{words.unreplayed(unreplayed, count)}</b>
          {reason === undefined ? null : (
            <>
              {' '}
              <span className="cell-faint">{words.only(reason)}</span>{' '}
              <Link to="/pipeline" search={({ reason: _reason, ...others }) => others} resetScroll={false}>{words.showAll}</Link>
            </>
          )}
        </p>
        <Button
          disabled={busy || unreplayed === 0}
          onPress={() => {
            begin();
            look.mutate();
          }}
        >
          {look.isPending ? words.checking : words.check}
        </Button>
      </div>
      <div role="status">
        {send.data !== undefined ? (
          <ReplayDone done={send.data} onClose={begin} />
        ) : look.data !== undefined ? (
          <ReplayChoice seen={look.data} sending={send.isPending} onSend={send.mutate} onLeave={begin} />
        ) : null}
      </div>
      {send.error !== null ? (
        <div className="replay-answer bad" role="alert">
          <h3>{words.failed}</h3>
          <p>{words.failedDetail(send.error.message)}</p>
        </div>
      ) : look.error !== null ? (
        <Failure error={look.error} onRetry={look.mutate} />
      ) : null}
    </div>
  );
}

interface ReplayChoiceProps {
  seen: Replay;
  sending: boolean;
  onSend: () => void;
  onLeave: () => void;
}

function ReplayChoice({ seen, sending, onSend, onLeave }: ReplayChoiceProps) {
  const { tried, replayed, alreadyCounted, unreadable } = seen;
  const readable = replayed + alreadyCounted;
  return (
    <div className="replay-answer" data-testid="replay-choice">
      <h3>{tried === 0 ? words.nothingToTry : words.canRead(readable, tried)}</h3>
      <p>{readable === 0 ? words.readNone : words.readMeans(replayed, unreadable, alreadyCounted)}</p>
      <div className="replay-actions">
        {readable === 0 ? null : (
          <Button look="primary" disabled={sending} onPress={onSend}>
            {sending ? words.replaying : replayed === 0 ? words.mark : words.replay(replayed)}
          </Button>
        )}
        <Button look={readable === 0 ? 'plain' : 'quiet'} disabled={sending} onPress={onLeave}>
          {readable === 0 ? words.close : words.leave}
        </Button>
      </div>
    </div>
  );
}

function ReplayDone({ done, onClose }: { done: Replay; onClose: () => void }) {
  return (
    <div className="replay-answer good" data-testid="replay-done">
      <h3>{words.done(done.replayed)}</h3>
      <p>{words.doneDetail(done.unreadable)}</p>
      <div className="replay-actions">
        <Button onPress={onClose}>{words.close}</Button>
      </div>
    </div>
  );
}

function Reasons({ letters, chosen }: { letters: DeadLetters; chosen: string | undefined }) {
  return (
    // A region that scrolls must be reachable by keyboard.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="table-scroll letters-part" role="region" aria-label={words.byReason} tabIndex={0}>
      <table className="table">
        <caption className="visually-hidden">{words.byReason}</caption>
        <thead>
          <tr>
            <th scope="col"><span>{words.reason}</span></th>
            <th scope="col" className="end"><span>{words.count}</span></th>
            <th scope="col" className="end"><span>{words.left}</span></th>
            <th scope="col" className="end"><span>{words.newest}</span></th>
          </tr>
        </thead>
        <tbody>
          {letters.reasons.map(({ reason, count, unreplayed, newest }) => (
            <tr key={reason}>
              <th scope="row" className="wraps">
                {chosen === reason ? (
                  reason
                ) : (
                  <Link to="/pipeline" search={(previous) => ({ ...previous, reason })} resetScroll={false} title={words.showOnly(reason)}>
                    {reason}
                  </Link>
                )}
              </th>
              <td className="end">{format.count(count)}</td>
              <td className="end">{format.count(unreplayed)}</td>
              <td className="end">{format.dayTime(newest)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Letters({ letters }: { letters: DeadLetters }) {
  return (
    <div className="letters-part">
      <p className="table-note">{words.newestFirst(letters.letters.length, letters.count)}</p>
      <ul className="letters" data-testid="letters">
        {letters.letters.map((letter) => (
          <li key={`${letter.topic}/${letter.partition}/${letter.offset}`}>
            <Letter letter={letter} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function Letter({ letter }: { letter: DeadLetter }) {
  const { topic, partition, offset, time, reason, text, bytes, replayed } = letter;
  const lines = useMemo(() => hexLines(bytes.subarray(0, BYTES_SHOWN)), [bytes]);
  const size = bytes.length > BYTES_SHOWN ? words.firstBytes(BYTES_SHOWN, bytes.length) : words.bytes(bytes.length);
  return (
    <details className="letter">
      <summary>
        <span className="letter-place">{topic === '' ? words.place(partition, offset) : words.placeOf(topic, partition, offset)}</span>
        <span className="letter-reason">{reason}</span>
        {replayed === undefined ? null : <span className="chip tone good">{words.replayed(format.dayTime(replayed))}</span>}
        <time dateTime={new Date(time).toISOString()}>{format.dayTime(time)}</time>
      </summary>
      <div className="letter-body">
        <h3>{words.asText}</h3>
        <pre className="letter-text">{text}</pre>
        <h3>{words.asBytes} <span className="cell-faint">{size}</span></h3>
        {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls */}
        <pre className="letter-bytes" tabIndex={0}>{lines.join('\n')}</pre>
      </div>
    </details>
  );
}
