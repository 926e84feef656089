// Writes SQL in the console as a person does: completes, runs, sees what is wrong, lays out, charts, exports, saves and opens again; on the
// Open Bandit sample; see chromium.mjs.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  artifacts, chartReady, check, expect, expectEqual, finish, fitEveryWindow, known, layoutShift, open, page, problems, tableRows, token, url, watchLayoutShift,
} from './chromium.mjs';

const SITE = 'open-bandit';
const BY_POLICY = `SELECT policy, countIf(event_type = 'click') AS clicks, count() AS events FROM events WHERE site_id = '${SITE}' GROUP BY policy ORDER BY policy`;
const BY_DAY = `SELECT toDate(event_time) AS day, policy, count() AS events FROM events WHERE site_id = '${SITE}' GROUP BY day, policy ORDER BY day, policy`;
const editor = page.getByRole('textbox', { name: 'Query' });
const alert = page.getByTestId('sql-error');
const asked = (sql) => `/sql?site=${SITE}&sql=${encodeURIComponent(sql)}`;

async function text() {
  return page.locator('.cm-content').evaluate((content) => [...content.querySelectorAll('.cm-line')].map((line) => line.textContent).join('\n'));
}

async function write(sql) {
  await editor.click();
  await page.keyboard.press('Control+A');
  await page.keyboard.press('Delete');
  await page.keyboard.insertText(sql);
}

async function answered() {
  await page.getByRole('heading', { name: 'Answer', exact: true }).waitFor();
  await page.getByText(/rows? in .* read$/).first().waitFor();
}

await page.goto(`${url}/#token=${encodeURIComponent(token)}`);

await check('an empty page teaches by examples that run on the sample', async () => {
  await open(`/sql?site=${SITE}`);
  const examples = page.locator('.sql-example');
  await examples.first().waitFor();
  const count = await examples.count();
  expect(count >= 3, `${count} examples`);
  for (let i = 0; i < count; ++i) {
    await open(`/sql?site=${SITE}`);
    await examples.nth(i).press('Enter');
    await answered();
    const { length: rows } = await tableRows('Answer');
    expect(rows > 0, `example ${i} has no rows`);
    if (rows > 1) await chartReady('sql-chart'); // The whole sample is one session.
    expect((await text()).startsWith('SELECT'), 'it is in the editor');
  }
  await page.waitForURL(/sql=SELECT/);
});

await check('a query is written by keyboard, completed, and run with Ctrl+Enter; its answer is the recount', async () => {
  await open(`/sql?site=${SITE}`);
  await editor.click();
  await page.waitForResponse((response) => response.url().endsWith('/v1/sql/schema')).catch(() => undefined);
  await page.keyboard.type('SELECT policy, countIf(event_type = ');
  await page.keyboard.type("'click'");
  await page.keyboard.press('End');
  await page.keyboard.type(' AS clicks, count() AS events FROM eve');
  const completion = page.locator('.cm-tooltip-autocomplete li', { hasText: /^events/ }).first();
  await completion.waitFor();
  await page.screenshot({ path: join(artifacts, 'sql-completion.png') });
  await page.keyboard.press('Tab');
  await page.waitForFunction(() => document.querySelector('.cm-content')?.textContent.endsWith('FROM events'));
  await page.keyboard.type(` WHERE site_id = '${SITE}`);
  await page.keyboard.press('End');
  await page.keyboard.type(' GROUP BY poli');
  await page.locator('.cm-tooltip-autocomplete li', { hasText: /^policy/ }).first().waitFor();
  await page.keyboard.press('Escape');
  await page.keyboard.type('cy ORDER BY policy');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+Enter');
  await answered();
  const report = await (await fetch(`${url}/v1/reports/metrics?site=${SITE}&metrics=clicks&by=policy`, { headers: { Authorization: `Bearer ${token}` } })).json();
  const expected = report.rows.map(({ keys, values }) => `${keys[0]} ${values[0].value}`).sort();
  expectEqual((await tableRows('Answer')).map(([policy, clicks]) => `${policy} ${clicks}`).join(), expected.join(), await text());
});

await check('the tab key leaves the editor', async () => {
  await open(`/sql?site=${SITE}`);
  await write('SELECT 1');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Tab');
  expectEqual(await page.evaluate(() => document.activeElement?.textContent), 'Run', 'what has the focus');
  await page.keyboard.press('Enter');
  await answered();
});

await check('an error is told in the words of the store and marked where it is, until the text changes', async () => {
  known.push(/422/);
  await open(`/sql?site=${SITE}`);
  await write("SELECT 'ü🙂',\n  policy policy2 3 FROM events");
  await page.getByRole('button', { name: 'Run' }).click();
  await alert.getByText('Line 2, column 18').waitFor();
  await alert.getByText('Syntax error').waitFor();
  expectEqual(await page.locator('.sql-wrong').innerText(), '3', 'what is marked');
  await page.screenshot({ path: join(artifacts, 'sql-error.png') });
  await editor.click();
  await page.keyboard.press('Control+End');
  await page.keyboard.type(' ');
  await page.locator('.sql-wrong').waitFor({ state: 'detached' });
  await write('SELECT nonsense FROM events');
  await page.keyboard.press('Control+Enter');
  await alert.getByText('Line 1, column 8').waitFor();
  expectEqual(await page.locator('.sql-wrong').innerText(), 'nonsense', 'what is marked');
  await write("SELECT * FROM file('/etc/passwd')");
  await page.keyboard.press('Control+Enter');
  await alert.getByText(/may not use file/).waitFor();
  await write('SELECT 1; SELECT 2');
  await page.keyboard.press('Control+Enter');
  await alert.getByText(/Multi-statements/).waitFor();
  known.length = 0;
});

await check('the text is laid out', async () => {
  await open(`/sql?site=${SITE}`);
  await write(BY_POLICY);
  await page.getByRole('button', { name: 'Format' }).click();
  await page.waitForFunction(() => document.querySelectorAll('.cm-line').length > 5);
  const lines = (await text()).split('\n');
  expectEqual(lines[0], 'SELECT', 'the first line');
  expect(lines.some((line) => line.trim() === "countIf(event_type = 'click') AS clicks,"), lines.join('\n'));
  await page.keyboard.press('Control+Enter');
  await editor.press('Control+Enter');
  await answered();
  expectEqual((await tableRows('Answer')).length, 2, 'rows');
});

await check('the answer is a picture: lines over time, a line for each, or bars, kept in the address', async () => {
  await open(asked(BY_DAY));
  await chartReady('sql-chart');
  expectEqual(await page.getByLabel('As', { exact: true }).inputValue(), 'lines', 'the usual picture');
  expectEqual((await page.locator('.legend li').allInnerTexts()).join(), 'bts,random', 'its lines');
  await page.getByLabel('As', { exact: true }).selectOption('bars');
  await page.waitForURL(/chart=bars:day:events/);
  await page.getByLabel('By', { exact: true }).selectOption('policy');
  await page.waitForURL(/chart=bars:policy:events/);
  await page.reload();
  await chartReady('sql-chart');
  expectEqual(await page.getByLabel('By', { exact: true }).inputValue(), 'policy', 'after a reload');
  await page.getByLabel('As', { exact: true }).selectOption('none');
  await page.getByTestId('sql-chart').waitFor({ state: 'detached' });
});

await check('numbers stand right, sort as numbers, and more rows than are shown are told', async () => {
  await open(asked('SELECT number AS n, toString(n) AS text FROM numbers(20000)'));
  await page.getByText('These are the first 10,000 rows.').waitFor();
  await page.getByText(/300.*10,000/).first().waitFor();
  const table = page.getByRole('table', { name: 'Answer' });
  expectEqual(await table.locator('tbody tr').first().locator('th').getAttribute('class'), 'end', 'a number');
  expectEqual(await table.locator('tbody tr').first().locator('td').getAttribute('class'), null, 'a text');
  await table.getByRole('button', { name: 'n', exact: true }).click();
  expectEqual((await tableRows('Answer'))[0][0], '9999', 'the greatest first');
});

await check('each button gives its file, whole', async () => {
  await open(asked('SELECT number AS n FROM numbers(20000)'));
  await answered();
  for (const [button, begin] of [['CSV', '"n"\n0\n'], ['Parquet', 'PAR1']]) {
    const waiting = page.waitForEvent('download');
    await page.getByRole('button', { name: button, exact: true }).click();
    const file = await waiting;
    expectEqual(file.suggestedFilename(), `query.${button.toLowerCase()}`, 'its name');
    const bytes = readFileSync(await file.path()).toString('latin1');
    expect(bytes.startsWith(begin), `${button} begins with ${JSON.stringify(bytes.slice(0, 20))}`);
    if (button === 'CSV') expectEqual(bytes.trim().split('\n').length, 20_001, 'lines');
  }
});

await check('a query is saved, found among the saved reports, opened with its text and picture, and changed', async () => {
  await open(asked(BY_DAY));
  await chartReady('sql-chart');
  await page.getByLabel('As', { exact: true }).selectOption('bars');
  await page.waitForURL(/chart=/);
  await page.getByLabel('Name', { exact: true }).fill('Events by day');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.waitForURL(/saved=[0-9a-f]+/);
  expect(!page.url().includes('sql=SELECT'), page.url());
  const id = new URL(page.url()).searchParams.get('saved');
  await open(`/saved?site=${SITE}`);
  const row = page.getByRole('row').filter({ hasText: 'Events by day' });
  expect((await row.innerText()).includes('SQL'), await row.innerText());
  await row.getByRole('link', { name: 'Events by day' }).click();
  await page.waitForURL(new RegExp(`/sql\\?.*saved=${id}`));
  await chartReady('sql-chart');
  expectEqual(await text(), BY_DAY, 'its text');
  expectEqual(await page.getByLabel('As', { exact: true }).inputValue(), 'bars', 'its picture');
  await write(BY_POLICY);
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.locator('.toasts').getByText('Events by day is saved').waitFor();
  const kept = await (await fetch(`${url}/v1/saved-reports/${id}`, { headers: { Authorization: `Bearer ${token}` } })).json();
  expectEqual(kept.parameters.sql, BY_POLICY, 'what is kept');
});

await check('it is found in the palette', async () => {
  await open(`/overview?site=${SITE}`);
  await page.keyboard.press('Control+K');
  await page.getByRole('combobox', { name: 'Go to' }).fill('sql');
  await page.getByRole('option', { name: /^SQL\s*Pages/ }).waitFor();
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/sql/);
});

await check('a statement that runs can be cancelled', async () => {
  await open(`/sql?site=${SITE}`);
  await write('SELECT sum(sleepEachRow(0.02)) FROM numbers(140)');
  await page.keyboard.press('Control+Enter');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'Run' }).waitFor();
});

await check('the page holds still while it loads', async () => {
  await watchLayoutShift();
  await open(asked(BY_DAY));
  await chartReady('sql-chart');
  const shift = await layoutShift();
  expect(shift < 0.1, `it shifts by ${shift.toFixed(3)}`);
  return shift.toFixed(3);
});

await check('it fits every window, light and dark, without an accessibility violation', async () => {
  known.push(/422/);
  await fitEveryWindow({
    'sql-empty': async () => {
      await open(`/sql?site=${SITE}`);
      await page.locator('.sql-example').first().waitFor();
    },
    'sql-answer': async () => {
      await open(asked(BY_DAY));
      await chartReady('sql-chart');
    },
    'sql-wrong': async () => {
      await open(asked('SELECT nonsense\nFROM events'));
      await alert.waitFor();
    },
    'sql-completing': async () => {
      await open(`/sql?site=${SITE}`);
      await editor.click();
      await page.keyboard.type('SELECT camp');
      await page.locator('.cm-tooltip-autocomplete li').first().waitFor();
    },
  });
  problems.length = 0;
});

await finish();
