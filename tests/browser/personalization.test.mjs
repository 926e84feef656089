// Opens the console's personalization page and uses it as a person does; see chromium.mjs. A model that has learned for a while, and one
// that was rolled back, are put into the API's answers: to learn them takes longer than a test may.
import { join } from 'node:path';
import {
  artifacts, chartReady, check, countOf, DESKTOP, expect, expectEqual, finish, fitEveryWindow, layoutShift, open, page, PHONE, settled, tableRows,
  token, url, watchLayoutShift,
} from './chromium.mjs';

const NOW = Date.now();
const answer = page.getByTestId('model-answer');

function quality(policy, fields = {}) {
  return { policy, impressions: 48_210, clicks: 913.4, calibration: 1.021, normalized_entropy: 0.842, ...fields };
}

function version(number, fields = {}) {
  const age = 60 - number;
  return {
    policy: `learned-${number}`, version: number, time_ms: NOW - age * 47_000, until: { events: [number], decisions: [number] }, hash: 'b3f2', examples: number * 812,
    recent_impressions: 4000 + number * 31, recent_clicks: 80 + number, calibration: 1 + 0.2 * Math.exp(-number / 9) * Math.sin(number), normalized_entropy: 0.8 + 0.35 * Math.exp(-number / 14),
    ...fields,
  };
}

const versions = Array.from({ length: 60 }, (_, index) => version(60 - index, index === 59 ? { begin: { base: '', recall: { events: [], decisions: [] } } } : {}));
const BACK = { rolled_back: { from: 41, to: 37, impressions: 1904, worse_by: 0.021, worse_by_at_least: 0.004, normalized_entropy: 1.214, normalized_entropy_before: 0.861 } };
const LEARNED = { served: quality('learned-60'), previous: quality('learned-22', { normalized_entropy: 0.877 }), versions, rolled_back: [] };
const ROLLED_BACK = { ...LEARNED, rolled_back: [version(42, BACK)], versions: versions.map((one) => (one.version === 42 ? version(42, BACK) : one)) };
const CLUSTERS = { clusters: [['cluster:law', 4120], ['cluster:medicine', 2904], ['cluster:engineering', 2210], ['cluster:scholarship', 611], ['cluster:hostel', 84]].map(([segment, users]) => ({ segment, users })) };

async function show(models, clusters = CLUSTERS) {
  await page.unroute('**/v1/models');
  await page.unroute('**/v1/clusters');
  await page.route('**/v1/models', (route) => route.fulfill({ json: models }));
  await page.route('**/v1/clusters', (route) => route.fulfill({ json: clusters }));
}

await page.goto(`${url}/#token=${encodeURIComponent(token)}`);

await check('a Marquee that has decided nothing says what would make it learn', async () => {
  await open('/personalization?site=open-bandit');
  await page.locator('[data-testid="model-answer"][data-verdict="none"]').waitFor();
  await answer.getByText('It has learned nothing yet').waitFor();
  await page.getByText('consent: full').waitFor();
  await settled();
  await page.screenshot({ path: join(artifacts, 'personalization-none.png'), fullPage: true });
});

await check('policies are compared with chance, as the recount says', async () => {
  await open('/personalization?site=open-bandit');
  await chartReady('policies-chart');
  const rows = await tableRows('CTR by policy');
  const row = (name) => rows.find((cells) => cells[0] === name) ?? [];
  expectEqual(`${countOf(row('bts')[1])} ${countOf(row('random')[1])}`, '30000 30000', 'impressions of both');
  const ratio = countOf(row('bts')[2]) / countOf(row('random')[2]);
  const sentence = await page.getByTestId('policies-answer').innerText();
  expect(sentence.includes(`${ratio.toFixed(2)} times the CTR of random`), `${ratio}: ${sentence}`);
  return sentence;
});

await check('the version that serves and how well it predicts come first', async () => {
  await show(LEARNED);
  await open('/personalization?site=open-bandit');
  await answer.getByText('It predicts clicks well').waitFor();
  await answer.getByText('16% better').waitFor();
  for (const [id, text] of [['model-serves', 'learned-60'], ['model-entropy', '0.842'], ['model-calibration', '1.021']]) {
    expectEqual(await page.getByTestId(id).locator('dd').first().innerText(), text, id);
  }
  await chartReady('entropy-chart');
  await chartReady('calibration-chart');
  const rows = await tableRows('Versions');
  expectEqual(rows[0][0], 'learned-60', 'the newest version is the first');
  await page.getByTestId('clusters').getByText('cluster:medicine').waitFor();
});

await check('a roll-back is told first and in its list', async () => {
  await show(ROLLED_BACK);
  await open('/personalization?site=open-bandit');
  await answer.getByText('It was rolled back').waitFor();
  await page.getByTestId('roll-backs').getByText('From version 41 back to 37').waitFor();
});

await check('versions sort by keyboard, and their order is in the address', async () => {
  await show(LEARNED);
  await open('/personalization?site=open-bandit');
  await page.getByRole('button', { name: 'Normalized entropy' }).focus();
  await page.keyboard.press('Enter');
  await page.waitForURL(/sort=entropy/);
  expectEqual((await tableRows('Versions'))[0][0], 'learned-1', 'the worst first');
  await page.reload();
  await page.locator('th[aria-sort="descending"]', { hasText: 'Normalized entropy' }).waitFor();
});

await check('the page holds still while it loads and renews itself', async () => {
  await watchLayoutShift();
  await show(LEARNED);
  await open('/personalization?site=open-bandit');
  await chartReady('entropy-chart');
  await chartReady('policies-chart');
  await settled();
  const shift = await layoutShift();
  expect(shift < 0.01, `it shifts by ${shift.toFixed(3)}`);
  return shift.toFixed(3);
});

await check('it fits every window, light and dark, without an accessibility violation', async () => {
  await show(ROLLED_BACK);
  await fitEveryWindow({
    personalization: async () => {
      await open('/personalization?site=open-bandit');
      await chartReady('entropy-chart');
      await chartReady('policies-chart');
      await settled();
    },
  });
});

await check('a phone has the other views behind a button', async () => {
  await page.setViewportSize(PHONE);
  await open('/ctr?site=open-bandit');
  await page.getByRole('button', { name: 'More' }).click();
  await page.locator('#more-views').getByRole('link', { name: 'Personalization' }).waitFor();
  await page.screenshot({ path: join(artifacts, 'more-views.png') });
  await page.locator('#more-views').getByRole('link', { name: 'Personalization' }).click();
  await page.waitForURL(/personalization\?site=open-bandit/);
  await page.locator('#more-views').waitFor({ state: 'hidden' });
  await page.setViewportSize(DESKTOP);
});

await finish();
