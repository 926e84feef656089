// Asks the console's explore page for metrics by dimensions as a person does, on the Open Bandit sample; see chromium.mjs. Estimates, which
// a small store needs none of, are put into the stream of the API.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  artifacts, chartReady, check, countOf, expect, expectEqual, finish, fitEveryWindow, known, layoutShift, open, page, problems, tableRows, token,
  url, watchLayoutShift,
} from './chromium.mjs';

const ASKED = '/explore?site=open-bandit&by=policy,campaign_id&metrics=ctr,impressions,clicks';
const exact = page.locator('[data-testid="explore-state"][data-exact="true"]');

await page.goto(`${url}/#token=${encodeURIComponent(token)}`);

await check('metrics by dimensions equal the recount', async () => {
  await open(ASKED);
  await exact.waitFor();
  const rows = await tableRows('Answer');
  expectEqual(rows.length, 6, 'rows');
  const row = rows.find((cells) => cells[0] === 'random' && cells[1] === 'men') ?? [];
  expectEqual(`${row[2].split('\n')[0]} ${countOf(row[3])} ${countOf(row[4])}`, '0.460% 10000 46', 'random, men');
  expectEqual(countOf(await page.getByTestId('total-impressions').locator('dd').first().innerText()), 60_000, 'impressions in all');
});

await check('metrics, dimensions and filters are chosen by keyboard, and are in the address', async () => {
  await open('/explore?site=open-bandit');
  await exact.waitFor();
  await page.getByRole('checkbox', { name: 'CTR', exact: true }).press('Space');
  await page.waitForURL(/metrics=impressions,clicks(&|$)/);
  await page.getByLabel('By', { exact: true }).selectOption('position');
  await page.waitForURL(/by=position/);
  await page.getByRole('button', { name: 'Where …' }).press('Enter');
  await page.getByLabel('Where', { exact: true }).selectOption('policy');
  await page.getByLabel('Values, separated by commas').fill('bts');
  await page.waitForURL(/where=policy%3Dbts/);
  await page.waitForFunction(() => document.querySelector('[data-testid="total-impressions"] dd')?.textContent === '30,000');
  await page.reload();
  await exact.waitFor();
  expectEqual(await page.getByLabel('Values, separated by commas').inputValue(), 'bts', 'the filter');
  expectEqual(countOf(await page.getByTestId('total-impressions').locator('dd').first().innerText()), 30_000, 'impressions of bts');
});

await check('an estimate comes with its bounds, before the exact answer', async () => {
  const answer = (sample, value, low, high) => JSON.stringify({
    site: 'open-bandit', from: null, to: null, metrics: ['clicks'], by: ['policy'], source: 'events', sample, hidden_rows: 0, is_cut: false,
    total: { values: [{ value, low, high }], previous: null }, rows: [{ keys: ['bts'], values: [{ value, low, high }], previous: null }],
  });
  await page.route('**/v1/reports/metrics/stream*', (route) => route.fulfill({ contentType: 'text/event-stream', body: `event: sample\ndata: ${answer(0.05, 1000, 940, 1060)}\n\nevent: error\ndata: {"error":{"message":"the store is away"}}\n\n` }));
  await open('/explore?site=open-bandit&by=policy&metrics=clicks');
  await page.getByRole('alert').getByText('the store is away').waitFor();
  await page.unroute('**/v1/reports/metrics/stream*');
  // A stream that goes on after the estimate: the page is told of it while it waits for the rest.
  await page.addInitScript((text) => {
    const real = window.fetch;
    window.fetch = (input, init) => {
      if (!String(input).includes('/metrics/stream') || window.isAnswered) return real(input, init);
      const stream = new ReadableStream({
        start(controller) {
          const send = (part) => { controller.enqueue(new TextEncoder().encode(part)); };
          send(text[0]);
          window.finishAnswer = () => {
            send(text[1]);
            controller.close();
          };
        },
      });
      return Promise.resolve(new Response(stream, { headers: { 'Content-Type': 'text/event-stream' } }));
    };
  }, [`event: sample\ndata: ${answer(0.05, 1000, 940, 1060)}\n\n`, `event: exact\ndata: ${answer(null, 1013)}\n\n`]);
  await open('/explore?site=open-bandit&by=policy&metrics=clicks');
  await page.getByTestId('explore-state').getByText('Estimate from 5.0% of the users').waitFor();
  expect((await tableRows('Answer'))[0][1].includes('940 – 1,060'), 'the bounds');
  await page.screenshot({ path: join(artifacts, 'explore-estimate.png') });
  await page.evaluate(() => { window.finishAnswer(); });
  await exact.waitFor();
  expectEqual((await tableRows('Answer'))[0][1], '1,013', 'the exact answer');
  // What this page was given stays with it alone.
  await page.addInitScript(() => { window.isAnswered = true; });
});

await check('a metric that there is not is refused in words', async () => {
  known.push(/400/);
  await open('/explore?site=open-bandit&metrics=beauty');
  await page.getByRole('alert').filter({ hasText: 'beauty' }).waitFor();
  problems.length = 0;
});

await check('each button gives its file', async () => {
  await open(ASKED);
  await exact.waitFor();
  for (const [button, begin] of [['CSV', 'policy,campaign_id,'], ['Parquet', 'PAR1'], ['PNG', '\x89PNG']]) {
    const waiting = page.waitForEvent('download');
    await page.getByRole('button', { name: button, exact: true }).click();
    const file = await waiting;
    expectEqual(file.suggestedFilename(), `CTR by Policy and Campaign.${button.toLowerCase()}`, 'its name');
    expect(readFileSync(await file.path()).toString('latin1').startsWith(begin), `${button} begins as it should`);
  }
});

await check('a report is saved under its address, and that is undone', async () => {
  await open(ASKED);
  await exact.waitFor();
  await page.getByRole('button', { name: 'Save as report' }).click();
  await page.getByRole('link', { name: 'Open it' }).click();
  await page.waitForURL(/\/r\//);
  await page.getByRole('heading', { name: 'CTR by Policy and Campaign' }).waitFor();
  await chartReady('saved-chart');
  const id = new URL(page.url()).pathname.split('/').at(-1);
  await page.locator('.toasts').getByRole('button', { name: 'Undo' }).click();
  await page.locator('.toasts').getByRole('button', { name: 'Undo' }).waitFor({ state: 'hidden' });
  const deadline = performance.now() + 10_000;
  const there = async () => (await fetch(`${url}/v1/saved-reports/${id}`, { headers: { Authorization: `Bearer ${token}` } })).status === 200;
  while (await there()) expect(performance.now() < deadline, 'the report goes');
});

await check('the page holds still while it loads', async () => {
  await watchLayoutShift();
  await open(ASKED);
  await exact.waitFor();
  await chartReady('explore-chart');
  const shift = await layoutShift();
  expect(shift < 0.01, `it shifts by ${shift.toFixed(3)}`);
  return shift.toFixed(3);
});

await check('it fits every window, light and dark, without an accessibility violation', async () => {
  await fitEveryWindow({
    explore: async () => {
      await open('/explore?site=open-bandit&by=day,policy&where=position=1,2');
      await exact.waitFor();
      await chartReady('explore-chart');
    },
  });
});

await finish();
