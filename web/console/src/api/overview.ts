// What the overview asks; the API's spelling ends here.
import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import type { TimeRange } from '../state/range';
import type { Moments, Step } from '../state/usual';
import { answered, api } from './client';

interface Asked {
  readonly site: string;
  readonly segment: string | undefined;
  readonly range: TimeRange;
  readonly step: Step;
}

const METRICS = 'impressions,clicks,conversions,spend,ctr';
const MOST_STEPS = 1000;

export function momentsQuery(question: Asked) {
  return queryOptions({
    queryKey: ['moments', question],
    placeholderData: keepPreviousData,
    staleTime: 60_000,
    queryFn: async ({ signal }): Promise<Moments> => {
      const { site, segment, range, step } = question;
      const query = {
        site, metrics: METRICS, by: step, limit: MOST_STEPS,
        from: new Date(range.from).toISOString(),
        to: new Date(range.to).toISOString(),
        ...(segment === undefined ? {} : { filter: [`segment=${segment}`] }),
      };
      const { total, rows } = await answered(api.GET('/v1/reports/metrics', { params: { query }, signal }));
      const numbers = (values: typeof total.values) => {
        const [impressions = 0, clicks = 0, conversions = 0, spend = 0] = values.map(({ value }) => value ?? 0);
        return { impressions, clicks, conversions, spend };
      };
      const sums = numbers(total.values);
      const ctr = total.values[4];
      return {
        range,
        total: sums,
        rate: { ...sums, ctr: ctr?.value ?? 0, low: ctr?.low ?? 0, high: ctr?.high ?? 0 },
        moments: rows.map(({ keys, values }) => ({ time: Date.parse(keys[0] ?? ''), ...numbers(values) })),
      };
    },
  });
}
