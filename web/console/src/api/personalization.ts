// The click model as it serves, and the groups of users that it learned; the API's spelling ends here.
import { queryOptions } from '@tanstack/react-query';
import { answered, api } from './client';
import { ApiError } from './errors';
import type { components } from './schema';

type Schemas = components['schemas'];

/** Marquee tells it from memory, and a version is published every second or so. */
const ASK_EVERY = 5000;

export interface ModelQuality {
  /** As in learned-17; undefined: none yet. */
  readonly policy: string | undefined;
  readonly impressions: number;
  readonly clicks: number;
  readonly calibration: number;
  readonly normalizedEntropy: number;
}

export interface RollBack {
  readonly from: number;
  readonly to: number;
  readonly impressions: number;
  readonly normalizedEntropy: number;
  readonly normalizedEntropyBefore: number;
}

export interface ModelVersion {
  readonly policy: string;
  readonly version: number;
  readonly time: number;
  readonly examples: number;
  readonly impressions: number;
  readonly calibration: number;
  readonly normalizedEntropy: number;
  readonly isBegin: boolean;
  readonly rolledBack: RollBack | undefined;
}

export interface Models {
  readonly served: ModelQuality;
  readonly previous: ModelQuality;
  /** Newest first, both. */
  readonly versions: readonly ModelVersion[];
  readonly rollBacks: readonly ModelVersion[];
}

export interface Cluster {
  readonly segment: string;
  readonly users: number;
}

function qualityOf(quality: Schemas['ModelQuality']): ModelQuality {
  return {
    policy: quality.policy ?? undefined,
    impressions: quality.impressions,
    clicks: quality.clicks,
    calibration: quality.calibration,
    normalizedEntropy: quality.normalized_entropy,
  };
}

function versionOf(one: Schemas['ModelVersion']): ModelVersion {
  const back = one.rolled_back;
  return {
    policy: one.policy,
    version: one.version,
    time: one.time_ms,
    examples: one.examples,
    impressions: one.recent_impressions,
    calibration: one.calibration,
    normalizedEntropy: one.normalized_entropy,
    isBegin: one.begin !== undefined,
    rolledBack:
      back === undefined
        ? undefined
        : {
            from: back.from,
            to: back.to,
            impressions: back.impressions,
            normalizedEntropy: back.normalized_entropy,
            normalizedEntropyBefore: back.normalized_entropy_before,
          },
  };
}

/** `null`: no model is learned here. */
export function modelsQuery() {
  return queryOptions({
    queryKey: ['models'],
    refetchInterval: ASK_EVERY,
    staleTime: ASK_EVERY,
    queryFn: async ({ signal }): Promise<Models | null> => {
      try {
        const { served, previous, versions, rolled_back } = await answered(api.GET('/v1/models', { signal }));
        return { served: qualityOf(served), previous: qualityOf(previous), versions: versions.map(versionOf), rollBacks: rolled_back.map(versionOf) };
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return null;
        throw error;
      }
    },
  });
}

export function clustersQuery() {
  return queryOptions({
    queryKey: ['clusters'],
    queryFn: async ({ signal }): Promise<readonly Cluster[]> => (await answered(api.GET('/v1/clusters', { signal }))).clusters,
  });
}
