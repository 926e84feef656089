// What the views draw, free of the API's spelling. reports.ts makes it from the API's answers.

export interface Site {
  readonly id: string;
  readonly name: string;
  /** Origins that may send from a browser, separated by commas; * for all. */
  readonly allowedOrigin: string;
  readonly consentRequired: boolean;
  readonly events: number | undefined;
  /** Times of the first and the last event; undefined while the site has none. */
  readonly first: number | undefined;
  readonly last: number | undefined;
}

export interface Rate {
  readonly impressions: number;
  readonly clicks: number;
  readonly ctr: number;
  /** 95% Wilson interval. */
  readonly low: number;
  readonly high: number;
}

export interface CtrGroup extends Rate {
  /** One value per dimension grouped by. */
  readonly keys: readonly string[];
}

export interface CtrReport {
  readonly total: Rate;
  readonly groups: readonly CtrGroup[];
}

export interface HeatCell {
  /** Position of the ad, or the cell's column. */
  readonly x: number;
  readonly y: number;
  readonly slot: string;
  readonly impressions: number;
  readonly hovers: number;
  readonly clicks: number;
  readonly ctr: number;
}

export interface HeatmapReport {
  readonly cells: readonly HeatCell[];
}

export interface FunnelStep {
  readonly name: string;
  readonly users: number;
  /** Users of the step before who came here; undefined for the first step. */
  readonly fromPrevious: number | undefined;
  readonly fromFirst: number;
  /** Median milliseconds since the step before. */
  readonly medianFromPrevious: number | undefined;
}

export interface FunnelReport {
  readonly steps: readonly FunnelStep[];
  /** Milliseconds from the first step to the last. */
  readonly medianTotal: number | undefined;
  readonly p90Total: number | undefined;
}

export interface CampaignPoint extends Rate {
  readonly time: number;
}

export interface CampaignSeries extends Rate {
  readonly id: string;
  readonly name: string;
  readonly points: readonly CampaignPoint[];
}

export interface CampaignsReport {
  readonly total: Rate;
  readonly bucketSeconds: number;
  readonly campaigns: readonly CampaignSeries[];
}

/** One tick of the live stream: what arrived since the tick before. */
export interface LiveTick {
  /** When the server counted, milliseconds by its clock. */
  readonly time: number;
  /** The time that the tick covers. */
  readonly spanMilliseconds: number;
  readonly events: number;
  readonly byType: Readonly<Record<string, number>>;
  readonly byCampaign: Readonly<Record<string, { readonly impressions: number; readonly clicks: number }>>;
}

export type LiveStatus =
  | { readonly kind: 'connecting' | 'open' }
  | { readonly kind: 'waiting'; readonly milliseconds: number }
  | { readonly kind: 'refused'; readonly error: Error };

export type PartitionState = 'landed' | 'landing' | 'behind' | 'stalled' | 'failing' | 'silent' | 'orphaned';

export interface PipelinePartition {
  readonly partition: number;
  readonly state: PartitionState;
  /** Events that wait, and for how long the first of them has: milliseconds. */
  readonly waiting: number;
  readonly oldest: number;
  readonly landingPerSecond: number;
  readonly arrivingPerSecond: number;
  /** Milliseconds until nothing waits; undefined where no fewer events wait. */
  readonly doneIn: number | undefined;
  readonly batchRows: number;
  readonly deadLetters: number;
  /** Empty where none ever told of the partition. */
  readonly loader: string;
  readonly hasLoader: boolean | undefined;
  /** When the loader last told. */
  readonly told: number | undefined;
  readonly lastError: string;
}

export interface PipelineMoment {
  readonly time: number;
  readonly waiting: number;
  readonly landingPerSecond: number;
  readonly arrivingPerSecond: number;
}

export interface Pipeline extends PipelineMoment {
  readonly logKind: 'local' | 'kafka';
  readonly logAnswers: boolean;
  readonly storeAnswers: boolean;
  readonly oldest: number;
  readonly doneIn: number | undefined;
  readonly maxBatchRows: number;
  readonly partitions: readonly PipelinePartition[];
  readonly history: readonly PipelineMoment[];
}

export interface DeadLetter {
  /** Empty for the log of a Marquee without Kafka. */
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly time: number;
  readonly reason: string;
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly replayed: number | undefined;
}

export interface DeadLetters {
  readonly count: number;
  readonly unreplayed: number;
  readonly reasons: readonly { readonly reason: string; readonly count: number; readonly unreplayed: number; readonly newest: number }[];
  readonly letters: readonly DeadLetter[];
}

export interface Replay {
  readonly tried: number;
  /** Sent into the log; in a dry run, those that would be. */
  readonly replayed: number;
  /** Not sent, as the store holds the event. */
  readonly alreadyCounted: number;
  readonly unreadable: number;
}
