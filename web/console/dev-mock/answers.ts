import { random, rate } from './data';

const colleges = ['north-campus', 'south-campus', 'arts', 'engineering', 'law', 'medicine', 'polytechnic', 'evening-school', 'commerce', 'science', 'design', 'agriculture', 'education', 'nursing', 'pharmacy', 'hotel-management'];
const values: Record<string, string[]> = {
  policy: ['random', 'bts'], campaign_id: ['all', 'men', 'women'], position: ['1', '2', '3'], college_id: colleges,
  device: ['phone', 'desktop', 'tablet', ''], slot_id: ['recommendation'], ad_id: Array.from({ length: 80 }, (_, i) => String(i)),
};
const bandit: Record<string, number> = { 'random all': 38, 'random men': 46, 'random women': 46, 'bts all': 42, 'bts men': 69, 'bts women': 51 };
const r = (impressions: number, clicks: number) => {
  const { ctr_low, ctr_high, ...rest } = rate(impressions, clicks);
  return { ...rest, low: ctr_low, high: ctr_high };
};
export function answer(url: URL): unknown {
  const q = url.searchParams;
  const site = q.get('site') ?? '';
  const next = random(7);
  switch (url.pathname) {
    case '/sites':
      return [
        { id: 'open-bandit', name: 'open-bandit', events: 60_292, first: Date.parse('2019-11-24T00:00:18Z'), last: Date.parse('2019-11-30T23:59:41Z') },
        { id: 'moodle', name: 'moodle', events: 64_422, first: Date.parse('2021-03-02T09:00:00Z'), last: Date.parse('2021-07-20T12:00:00Z') },
        { id: 'campus', name: 'campus', events: 1_482_233, first: Date.now() - 3_600_000, last: Date.now() },
      ];
    case '/reports/ctr': {
      if (site === 'moodle') return { total: r(0, 0), groups: [] };
      const by = (q.get('by') ?? '').split(',');
      const keys = by.reduce<string[][]>((acc, d) => acc.flatMap((k) => (values[d] ?? ['a', 'b', 'c']).map((v) => [...k, v])), [[]]);
      const groups = keys.map((k) => {
        const known = bandit[k.join(' ')];
        const n = known === undefined ? Math.floor(300 + next() * next() * 40_000) : 10_000;
        return { keys: k, ...r(n, known ?? Math.floor(n * (0.003 + next() * 0.006))) };
      });
      return { total: r(groups.reduce((s, g) => s + g.impressions, 0), groups.reduce((s, g) => s + g.clicks, 0)), groups };
    }
    case '/reports/heatmap': {
      if (q.get('mode') === 'cells') {
        const cells = [];
        for (let y = 0; y < 100; y++) for (let x = 0; x < 100; x++) {
          const d = Math.exp(-((x - 72) ** 2 + (y - 78) ** 2) / 200) * 60 + Math.exp(-((x - 25) ** 2 + (y - 35) ** 2) / 700) * 14;
          const clicks = Math.floor(d * next());
          const hovers = Math.floor(d * 4 * next());
          if (clicks + hovers > 0) cells.push({ x, y, slot: q.get('slot'), clicks, hovers, impressions: 0, ctr: 0 });
        }
        return { cells };
      }
      const slots = site === 'campus' ? ['feed', 'sidebar', 'banner', 'search-top'] : ['recommendation'];
      return { cells: slots.flatMap((slot) => [1, 2, 3].map((x) => ({ x, y: 0, slot, hovers: 0, ...r(20_000, 70 + Math.floor(next() * 60)) }))) };
    }
    case '/reports/funnel': {
      const steps = (q.get('steps') ?? '').split(',');
      let users = 12_000;
      return {
        steps: steps.map((name, i) => {
          const before = users;
          if (i > 0) users = Math.floor(users * (0.3 + next() * 0.4));
          return { name, users, fromPrevious: i === 0 ? undefined : users / before, fromFirst: users / 12_000, medianFromPrevious: i === 0 ? undefined : 20_000 * i };
        }),
        medianTotal: 184_000,
      };
    }
    case '/reports/campaigns': {
      const from = Date.parse(q.get('from') ?? ''), to = Date.parse(q.get('to') ?? '');
      const bucketSeconds = { minute: 60, hour: 3600, day: 86_400 }[q.get('interval') ?? 'hour'] ?? 3600;
      const campaigns = ['all', 'men', 'women'].map((id) => {
        const points = [];
        for (let t = from; t < to; t += bucketSeconds * 1000) {
          const n = Math.floor(120 * (1.2 + Math.sin(t / 13_751_000)) * (0.8 + next() * 0.4));
          points.push({ time: t, ...r(n, Math.floor(n * next() * 0.02)) });
        }
        return { id, name: id, points, ...r(points.reduce((s, p) => s + p.impressions, 0), points.reduce((s, p) => s + p.clicks, 0)) };
      });
      return { total: r(60_000, 292), bucketSeconds, campaigns };
    }
    default:
      return undefined;
  }
}
