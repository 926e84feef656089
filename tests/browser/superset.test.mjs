// Opens the dashboard of deploy/superset in a Superset as a person does, and finds every chart drawn.
//
// Environment: that of chromium.mjs, and SUPERSET_URL, SUPERSET_USER, SUPERSET_PASSWORD; SUPERSET_CHARTS, the names of the charts (JSON);
// SUPERSET_NUMBERS, what Marquee's report says of the first site: impressions, clicks, ctr (JSON).
import { join } from 'node:path';
import { artifacts, check, expect, expectEqual, finish, known, page } from './chromium.mjs';

const { SUPERSET_URL: superset, SUPERSET_USER: user, SUPERSET_PASSWORD: password } = process.env;
const charts = JSON.parse(process.env.SUPERSET_CHARTS);
const numbers = JSON.parse(process.env.SUPERSET_NUMBERS);
// A page of Superset is several megabytes of script, and a test's machine is busy.
const DRAWN_WITHIN = { timeout: 90_000 };
page.setDefaultTimeout(90_000);

const chart = (name) => page.locator(`[data-test-chart-name="${name}"]`);

/** How many colours a chart's canvas has: one that was never painted has one. */
function coloursOf(canvas) {
  return canvas.evaluate((element) => {
    const { data } = element.getContext('2d').getImageData(0, 0, element.width, element.height);
    return new Set(new Uint32Array(data.buffer)).size;
  });
}

// Superset's pages want a counting image of its makers; superset_config.py forbids it, which the browser says.
known.push(/scarf\.sh.*Content Security Policy/s);
const elsewhere = [];
page.on('response', (response) => {
  if (/^https?:/.test(response.url()) && !response.url().startsWith(superset)) elsewhere.push(response.url());
});

async function allDrawn() {
  for (const name of charts) await chart(name).locator('[data-test="slice-container"]').waitFor(DRAWN_WITHIN);
  await page.waitForFunction(() => document.querySelectorAll('[data-test="loading-indicator"], .chart-container .loading').length === 0, undefined, DRAWN_WITHIN);
}

await check('a person logs in and opens the dashboard', async () => {
  // Superset draws charts as they come into view: a window that shows all of them.
  await page.setViewportSize({ width: 1600, height: 2900 });
  await page.goto(`${superset}/login/`, { waitUntil: 'domcontentloaded' });
  await page.locator('#username').fill(user);
  await page.locator('#password').fill(password);
  await page.locator('button[type="submit"], [data-test="login-button"]').first().click();
  await page.waitForURL(/welcome/, DRAWN_WITHIN);
  await page.goto(`${superset}/superset/dashboard/marquee-campaigns/`, { waitUntil: 'domcontentloaded' });
  await chart(charts[0]).waitFor(DRAWN_WITHIN);
});

await check('the first site is chosen, and each chart is drawn without an error', async () => {
  await allDrawn();
  expectEqual(await page.locator('[data-test-chart-name]').count(), charts.length, 'charts on the dashboard');
  const errors = await page.locator('[data-test="dashboard-content"] [role="alert"], .chart-container .ant-alert-error').allInnerTexts();
  expectEqual(errors.join(' | '), '', 'errors');
});

const shown = async (name) => (await chart(name).locator('.header-line').innerText()).trim();

await check('the numbers come first, and are those of the report on the site that is chosen', async () => {
  expectEqual(await shown('CTR'), `${(100 * numbers.ctr).toFixed(2)}%`, 'CTR');
  expectEqual(await shown('Impressions'), numbers.impressions.toLocaleString('en-US'), 'impressions');
  expectEqual(await shown('Clicks'), numbers.clicks.toLocaleString('en-US'), 'clicks');
  expect(/^\d+(\.\d+)?%$/.test(await shown('Viewability')), `viewability is "${await shown('Viewability')}"`);
});

await check('canvases are painted, tables have rows, none says that there is no data', async () => {
  for (const name of charts) {
    const empty = await chart(name).getByText(/No results|No data/).count();
    expectEqual(empty, 0, `"${name}" has nothing to show`);
    const canvas = chart(name).locator('canvas');
    if ((await canvas.count()) > 0) expect((await coloursOf(canvas.first())) > 2, `the canvas of "${name}" is blank`);
    else expect((await chart(name).locator('table tbody tr, .header-line').count()) > 0, `"${name}" has neither canvas nor rows`);
  }
  await page.screenshot({ path: join(artifacts, 'superset-dashboard.png') });
});

await check('nothing was fetched from elsewhere', async () => {
  expectEqual(elsewhere.join(), '', 'addresses');
});

await finish();
