import { countText, weightText } from '../app/format';
import { CATEGORIES, COLLEGES, courseOf } from '../data/courses';
import { isMinor } from '../data/students';
import type { Student } from '../data/students';
import type { Profile } from '../marquee/demo';
import { isSignalled } from '../marquee/live';
import { campaignName } from './names';

interface Topic {
  name: string;
  weight: number;
}

/** Weights of this much fill their bar: some six visits of course pages. */
const FULL = 6;

function Topics({ title, topics, text }: { title: string; topics: readonly Topic[]; text: (name: string) => string }) {
  return (
    <div class="topics">
      <h3>{title}</h3>
      {topics.length === 0 ? (
        <p class="faint">None yet</p>
      ) : (
        <ul>
          {topics.slice(0, 4).map((one) => (
            <li key={one.name}>
              <span class="topic-name">{text(one.name)}</span>
              <span class="bar" aria-hidden="true">
                <span style={{ width: `${Math.min(100, (100 * one.weight) / FULL)}%` }} />
              </span>
              <span class="topic-weight">{weightText(one.weight)}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Seen({ profile }: { profile: NonNullable<Profile['profile']> }) {
  const clicked = new Set(profile.campaigns_clicked.map((one) => one.name));
  return (
    <div class="topics">
      <h3>Ads seen lately</h3>
      {profile.campaigns_seen.length === 0 ? (
        <p class="faint">None yet</p>
      ) : (
        <ul class="seen">
          {profile.campaigns_seen.slice(0, 5).map((one) => (
            <li key={one.name}>
              {campaignName(one.name)} <span class="times">× {weightText(one.weight)}</span>
              {clicked.has(one.name) && <span class="clicked">clicked</span>}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

const cap = (text: string): string => (text in CATEGORIES ? CATEGORIES[text as keyof typeof CATEGORIES] : text);

function Personal({ profile, segments, cluster }: { profile: Profile['profile']; segments: readonly { id: string; title: string }[]; cluster: string | undefined }) {
  const known = profile ?? undefined;
  return (
    <>
      <dl class="counts">
        <div>
          <dt>Ads seen</dt>
          <dd data-testid="seen">{countText(known?.impressions ?? 0)}</dd>
        </div>
        <div>
          <dt>Clicked</dt>
          <dd data-testid="clicked">{countText(known?.clicks ?? 0)}</dd>
        </div>
        <div>
          <dt>Visits</dt>
          <dd>{countText(known?.visits ?? 0)}</dd>
        </div>
      </dl>
      <Topics title="Subjects" topics={known?.categories ?? []} text={cap} />
      <Topics title="Courses" topics={known?.courses ?? []} text={(id) => courseOf(id)?.title ?? id} />
      <Topics title="Words searched for" topics={known?.words ?? []} text={(word) => word} />
      {known !== undefined && <Seen profile={known} />}
      <div class="topics">
        <h3>Segments</h3>
        <p class="chips-line">
          {segments.map((one) => (
            <span class="mini" key={one.id}>
              {one.title}
            </span>
          ))}
          {cluster !== undefined && <span class="mini">{cluster.replace('cluster:', 'like: ')}</span>}
          {segments.length === 0 && cluster === undefined && <span class="faint">In none</span>}
        </p>
      </div>
    </>
  );
}

function contextualText(who: Student | undefined): string {
  if (who === undefined)
    return 'You have not signed in. Ads come from the page, the slot, the words of your search, your device and the hour. Nothing is remembered of you: there is no profile.';
  if (isMinor(who))
    return `${who.name.split(' ')[0] ?? who.name} is ${who.age}. Of who is under 18 nothing personal is looked at, sent or kept, whatever was agreed to: there is no profile, and ads come from the page alone.`;
  return 'Your browser asks sites not to track you. So nothing personal is looked at, sent or kept: there is no profile, and ads come from the page alone.';
}

export function Known({ who, profile, onAfresh }: { who: Student | undefined; profile: Profile | undefined; onAfresh: () => void }) {
  const isPersonal = who !== undefined && !isMinor(who) && !isSignalled();
  return (
    <section class="block" aria-labelledby="known" data-testid="known" data-personal={isPersonal}>
      <div class="block-head">
        <h2 id="known">What is known of you</h2>
        <span class={isPersonal ? 'badge badge-on' : 'badge'}>{isPersonal ? 'Personal' : 'Contextual only'}</span>
      </div>
      {who !== undefined && (
        <p class="known-who">
          {who.name}, {who.age}. {who.programName}, year {who.year}, {COLLEGES[who.college]}.
        </p>
      )}
      {isPersonal ? (
        <>
          <Personal profile={profile?.profile} segments={profile?.segments ?? []} cluster={profile?.cluster} />
          <button type="button" class="quiet" onClick={onAfresh}>
            Start afresh, as nobody knows you
          </button>
        </>
      ) : (
        <p>{contextualText(who)}</p>
      )}
    </section>
  );
}
