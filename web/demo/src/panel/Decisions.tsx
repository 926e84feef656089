import { chanceText } from '../app/format';
import type { Explained } from '../marquee/demo';
import type { Filled } from './useDecisions';
import { leftOut, noneText, ranked, reasonText, whyText } from './why';

const SHOWN = 4;

function Competitors({ placement }: { placement: Explained }) {
  const all = ranked(placement.candidates);
  const top = all.slice(0, SHOWN);
  const chosen = all.find((one) => one.ad_id === placement.ad_id);
  if (chosen !== undefined && !top.includes(chosen)) top[SHOWN - 1] = chosen;
  const most = Math.max(...all.map((one) => one.propensity), 0.001);
  return (
    <table class="rivals">
      <caption class="hidden">Ads that competed for {placement.slot_id}</caption>
      <thead>
        <tr>
          <th scope="col">Ad</th>
          <th scope="col" class="number">
            Score
          </th>
          <th scope="col" class="number">
            Chance
          </th>
        </tr>
      </thead>
      <tbody>
        {top.map((one) => (
          <tr key={one.ad_id} data-chosen={one.ad_id === placement.ad_id}>
            <th scope="row">
              {one.ad ?? one.ad_id}
              {one.ad_id === placement.ad_id && <span class="won">shown</span>}
            </th>
            <td class="number">{one.score === 0 ? '–' : chanceText(one.score)}</td>
            <td class="number chance">
              <span class="bar" aria-hidden="true">
                <span style={{ width: `${(100 * one.propensity) / most}%` }} />
              </span>
              {chanceText(one.propensity)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function LeftOut({ placement }: { placement: Explained }) {
  const reasons = leftOut(placement.excluded);
  const more = placement.candidates.length - SHOWN;
  return (
    <details>
      <summary>
        {more > 0 ? `${more} more competed, ` : ''}
        {placement.excluded.length} left out
      </summary>
      <ul class="reasons">
        {reasons.map(([because, count]) => (
          <li key={because}>
            <b>{reasonText(because)}</b>
            <span>
              {placement.excluded
                .filter((one) => one.because === because)
                .slice(0, 3)
                .map((one) => one.ad ?? one.ad_id)
                .join(', ')}
              {count > 3 && ` and ${count - 3} more`}
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}

function Step({ filled }: { filled: Filled }) {
  const text = filled.isClicked ? 'clicked' : filled.isViewed ? 'seen for a second' : filled.step === 'asked' ? 'asked' : 'shown';
  return <span class="step">{text}</span>;
}

export function Decisions({ filled }: { filled: readonly Filled[] }) {
  const decision = filled.find((one) => one.decision !== undefined)?.decision;
  return (
    <section class="block why" aria-labelledby="why" data-testid="why">
      <div class="block-head">
        <h2 id="why">Why these ads</h2>
        {decision?.policy !== undefined && <span class="badge">{decision.policy}</span>}
      </div>
      {filled.length === 0 && <p class="faint">This page has no slots.</p>}
      {filled.map((one) => (
        <article key={one.slot} class="placement" data-slot={one.slot} data-ready={one.explained !== undefined || one.step === 'house'}>
          <h3>
            <code>{one.slot}</code>
            <Step filled={one} />
          </h3>
          {one.step === 'house' && <p>{noneText(one.because)}</p>}
          {one.step !== 'house' && one.explained !== undefined && (
            <>
              <p>{whyText(one.explained)}</p>
              <Competitors placement={one.explained} />
              <LeftOut placement={one.explained} />
            </>
          )}
          {one.step !== 'house' && one.explained === undefined && <p class="faint">Asking Marquee ...</p>}
        </article>
      ))}
    </section>
  );
}
