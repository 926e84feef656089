// Opens saved reports of each kind under their addresses, reads them and exports them; see chromium.mjs.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  artifacts, chartReady, check, countOf, DESKTOP, expect, expectEqual, finish, known, open, overflow, page, PHONE, seriousViolations, settled, tableRows,
  token, url,
} from './chromium.mjs';

async function save(name, kind, parameters) {
  const answer = await fetch(`${url}/v1/saved-reports`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ name, kind, owner: 'ana', parameters }),
  });
  expectEqual(answer.status, 201, await answer.clone().text());
  return (await answer.json()).address;
}

const site = 'open-bandit';
const REPORTS = [
  ['CTR by policy and campaign', 'ctr', { site, by: 'policy,campaign_id' }],
  ['CTR by hour', 'metrics', { site, metrics: 'ctr,impressions', by: 'hour,policy' }],
  ['Campaigns by day', 'campaigns', { site, interval: 'day' }],
  ['Positions', 'heatmap', { site }],
  ['From page to click', 'funnel', { site: 'moodle', steps: [{ types: ['page_view'] }, { types: ['course_view'] }, { types: ['course_click'] }] }],
  ['Who came back', 'retention', { site: 'moodle', from: '2021-10-04', to: '2021-11-01', interval: 'week' }],
];

await page.goto(`${url}/#token=${encodeURIComponent(token)}`);

await check('an address shows what the report says now, as the recount', async () => {
  await open(await save(...REPORTS[0]));
  await page.getByRole('heading', { name: 'CTR by policy and campaign' }).waitFor();
  await chartReady('saved-chart');
  const rows = await tableRows('All rows');
  expectEqual(rows.length, 6, 'rows');
  const row = rows.find((cells) => cells[0] === 'random' && cells[1] === 'men') ?? [];
  expectEqual(`${countOf(row[4])} of ${countOf(row[2])} is ${row[5]}`, '46 of 10000 is 0.460%', 'random, men');
  expect((await page.title()).startsWith('CTR by policy and campaign'), await page.title());
  await page.getByRole('button', { name: 'Clicks', exact: true }).click();
  await page.waitForURL(/sort=clicks/);
  const clicks = (await tableRows('All rows')).map((cells) => countOf(cells[4]));
  expectEqual(JSON.stringify(clicks), JSON.stringify(clicks.toSorted((a, b) => b - a)), 'clicks, falling');
});

await check('each button gives its file', async () => {
  await open(await save(...REPORTS[0]));
  await chartReady('saved-chart');
  for (const [button, begin] of [['CSV', 'policy,campaign_id,'], ['Parquet', 'PAR1'], ['PNG', '\x89PNG'], ['JSON', '{"site"']]) {
    const waiting = page.waitForEvent('download');
    await page.getByRole('button', { name: button, exact: true }).click();
    const file = await waiting;
    expectEqual(file.suggestedFilename(), `CTR by policy and campaign.${button.toLowerCase()}`, 'its name');
    const bytes = readFileSync(await file.path()).toString('latin1');
    expect(bytes.startsWith(begin), `${button} begins with ${JSON.stringify(bytes.slice(0, 20))}`);
  }
});

for (const [name, kind, parameters] of REPORTS) {
  await check(`${name} has a picture, no serious accessibility violation, and fits a phone`, async () => {
    const address = await save(name, kind, parameters);
    for (const [scheme, viewport, look] of [['light', DESKTOP, 'light'], ['dark', DESKTOP, 'dark'], ['light', PHONE, 'phone']]) {
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      await page.setViewportSize(viewport);
      await open(address);
      await chartReady('saved-chart');
      await settled();
      const violations = await seriousViolations();
      expect(violations.length === 0, `${look}: ${violations.join('\n    ')}`);
      const beyond = await overflow();
      expect(beyond <= 0, `${look}: the page is ${beyond} px wider than the window`);
      await page.screenshot({ path: join(artifacts, `saved-${name.replace(/\W+/g, '-').toLowerCase()}-${look}.png`) });
    }
    await page.emulateMedia({ colorScheme: 'light', reducedMotion: null });
    await page.setViewportSize(DESKTOP);
  });
}

await check('an address that is none says so', async () => {
  known.push(/404/);
  await page.goto(`${url}/r/nowhere`);
  await page.getByRole('alert').filter({ hasText: 'there is no saved report "nowhere"' }).waitFor();
});

await finish();
