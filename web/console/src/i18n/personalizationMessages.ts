// The sentences of the personalization view, which travel with it.
import type { ModelVerdict } from '../state/modelVerdict';
import { format } from './format';
import { plural } from './messages';

/** 1.423 -> "1.42 times". */
function times(ratio: number): string {
  return `${format.decimal(ratio, 2)} times`;
}

export const personalizationMessages = {
  title: 'Personalization',
  intro: 'Which version of the click model ranks ads now, how well it predicts, and what that earns.',
  answer: 'Answer',
  figures: 'Figures',
  verdict: {
    none: { title: 'It has learned nothing yet', detail: 'It learns from impressions of ads that were decided here (POST /v1/decisions), once they have waited for their click, two minutes by default. Until then every ad has about the same chance.' },
    early: { title: 'It is too early to tell how good it is', detail: 'Fewer than a thousand impressions, or thirty clicks, have been judged: what the numbers below say is mostly luck.' },
    rolledBack: { title: 'It was rolled back within the last hour', detail: 'A newer version was surely worse on the same impressions, so an earlier one was taken up again. See the roll-backs below, and what changed at that time: bots, a new page, a wrong event.' },
    useless: { title: 'It predicts no better than the average CTR', detail: 'Normalized entropy is 1 or more. Give it more impressions, and requests more to tell users apart by: college, program, page, query.' },
    predictsTooMany: { title: 'It predicts more clicks than come', detail: 'Ranking may still be right, but what ads are charged by the click is reckoned too high. Look whether clicks arrive: the click addresses, bots, the click window.' },
    predictsTooFew: { title: 'It predicts fewer clicks than come', detail: 'Ranking may still be right. Look whether something clicks that is not a person, or whether a campaign changed a moment ago.' },
    good: { title: 'It predicts clicks well', detail: '' },
  } satisfies Record<ModelVerdict, { title: string; detail: string }>,
  goodDetail: (better: string, impressions: string) => `${better} better than knowing the CTR alone, judged on ${impressions} impressions, each predicted before it was learned.`,
  serves: 'Version that serves',
  since: (time: string) => `published ${time}`,
  calibration: 'Calibration',
  calibrationNote: 'predicted clicks over clicks; 1 is right',
  entropy: 'Normalized entropy',
  entropyNote: 'below 1 beats knowing the CTR alone',
  judged: 'Judged on',
  impressions: (count: number) => plural(count, { one: '# impression', other: '# impressions' }),
  judgedNote: (clicks: string) => `with ${clicks} clicks, late ones reckoned in`,
  before: 'The version before',
  beforeNote: (entropy: string) => `normalized entropy ${entropy} on the same`,
  noneBefore: 'none to compare with',
  unreachable: 'Marquee does not answer',
  unreachableDetail: 'What is shown is from before. It is asked again every few seconds.',
  absentTitle: 'No model is learned here',
  absentAdvice: 'Ads are drawn by chance (decisions.policy is uniform), or another process decides them. With the learned policy, this page shows the version that serves, how well it predicts, and every roll-back.',
  absentCommand: 'MARQUEE_DECISIONS_POLICY=learned marquee serve',
  overVersions: 'over the latest versions, in UTC; dashed: 1',
  chartDescription: (name: string, now: string, count: number) => `${name} over the ${plural(count, { one: 'latest version', other: 'latest # versions' })}; now ${now}. The table of versions below holds all numbers.`,
  noVersions: 'Drawn from the first version on.',
  policies: 'CTR by policy',
  policiesNote: 'Of this site and time. Dots are rates, whiskers their 95% intervals.',
  policiesDescription: (sentence: string) => `CTR by policy with 95% intervals. ${sentence} The table below holds all numbers.`,
  policy: 'Policy',
  better: (one: string, chance: string, ratio: number, low: number, high: number) =>
    `${one} has ${times(ratio)} the CTR of ${chance}: surely more, between ${format.decimal(low, 2)} and ${times(high)} (95%).`,
  worse: (one: string, chance: string, ratio: number, low: number, high: number) =>
    `${one} has only ${times(ratio)} the CTR of ${chance}, between ${format.decimal(low, 2)} and ${times(high)} (95%).`,
  same: (one: string, chance: string, ratio: number, low: number, high: number) =>
    `${one} has ${times(ratio)} the CTR of ${chance}, but that may be luck: between ${format.decimal(low, 2)} and ${times(high)} (95%).`,
  fair: 'A fair comparison needs both to have served the same users at the same time.',
  onlyOne: 'To compare with chance, let another site or a part of the time serve with decisions.policy: uniform, or ask marquee evaluate, which judges any policy by the log.',
  noPolicies: 'No impression of this site says which policy chose it. Impressions that come through POST /v1/decisions do.',
  unnamed: 'no policy',
  clusters: 'Learned clusters',
  clustersNote: 'Groups of users of like interests, in a sample of the profiles of all sites; campaigns target them by name.',
  cluster: 'Cluster',
  users: 'Users',
  share: 'Share',
  noClusters: 'None yet. They are learned every few minutes, once there are profiles of users who agree (consent: full) and are 18 or older.',
  rollBacks: 'Roll-backs',
  rollBacksNote: 'A version that is surely worse than the one before is left by itself.',
  noRollBacks: 'None: no version was surely worse than the one before it.',
  rollBack: (from: number, to: number) => `From version ${format.count(from)} back to ${format.count(to)}`,
  rollBackDetail: (worse: string, before: string, impressions: string) => `Normalized entropy ${worse} instead of ${before}, over ${impressions} impressions.`,
  versions: 'Versions',
  versionsNote: (count: number) => plural(count, { one: 'the latest', other: 'the latest #' }),
  columns: { version: 'Version', published: 'Published (UTC)', examples: 'Impressions learned', judged: 'Judged on', note: 'Note' },
  begin: 'learning began',
  wentBack: (to: number) => `went back to ${format.count(to)}`,
};
