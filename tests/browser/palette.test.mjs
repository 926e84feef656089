// Goes from page to page by the console's palette, and through the list of saved reports, as a person does; see chromium.mjs.
import { join } from 'node:path';
import {
  artifacts, check, DESKTOP, expect, expectEqual, finish, open, overflow, page, PHONE, seriousViolations, settled, tableRows, token, url,
} from './chromium.mjs';

const palette = page.getByRole('dialog', { name: 'Go to' });
const field = palette.getByRole('combobox');
const toasts = page.locator('.toasts');

async function api(path, method = 'GET', body = undefined) {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
  const answer = await fetch(`${url}/v1/saved-reports${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  return answer.status === 204 || answer.status === 404 ? undefined : answer.json();
}

await page.goto(`${url}/#token=${encodeURIComponent(token)}`);
for (const { id } of (await api('')).saved_reports) await api(`/${id}`, 'DELETE');

await check('a site without saved reports says how to save one', async () => {
  await open('/saved?site=moodle');
  await page.getByRole('heading', { name: 'No report is saved yet' }).waitFor();
  const violations = await seriousViolations();
  expect(violations.length === 0, violations.join('\n    '));
});

const made = [];
for (const [name, by] of [['Weekly CTR by campaign', 'campaign_id'], ['Positions of the week', 'position']]) {
  made.push(await api('', 'POST', { name, kind: 'ctr', owner: 'ana', parameters: { site: 'open-bandit', by } }));
}

await check('Ctrl-K finds pages, by keyboard alone, and the site goes along', async () => {
  await open('/ctr?site=open-bandit');
  await page.keyboard.press('Control+k');
  await field.fill('funn');
  await palette.getByRole('option', { name: 'Funnel' }).waitFor();
  await page.keyboard.press('Enter');
  await page.waitForURL(/funnel\?site=open-bandit/);
  await palette.waitFor({ state: 'hidden' });
  await page.keyboard.press('Control+k');
  await field.waitFor();
  const first = await field.getAttribute('aria-activedescendant');
  await page.keyboard.press('ArrowDown');
  await page.waitForFunction((before) => document.querySelector('[role="combobox"]')?.getAttribute('aria-activedescendant') !== before, first);
  await page.keyboard.press('Escape');
  await palette.waitFor({ state: 'hidden' });
});

await check('it finds sites and saved reports', async () => {
  await open('/ctr?site=open-bandit');
  await page.getByRole('button', { name: 'Go to' }).first().click();
  await field.fill('moodle');
  await palette.getByRole('option', { name: 'Moodle' }).waitFor();
  await page.keyboard.press('Enter');
  await page.waitForURL(/ctr\?site=moodle/);
  await page.keyboard.press('Control+k');
  await field.fill('week pos');
  await palette.getByRole('option', { name: 'Positions of the week' }).waitFor();
  await page.screenshot({ path: join(artifacts, 'palette.png') });
  const violations = await seriousViolations();
  expect(violations.length === 0, violations.join('\n    '));
  await page.keyboard.press('Enter');
  await page.waitForURL(new RegExp(made[1].address));
  await page.keyboard.press('Control+k');
  await field.fill('nothing like this');
  await palette.getByText('Nothing is called so.').waitFor();
});

await check('saved reports are listed, opened and removed, which is undone', async () => {
  await open('/saved?site=open-bandit');
  const rows = await tableRows('All saved reports');
  expectEqual(rows.map((cells) => cells.slice(0, 3).join(', ')).join('; '), 'Positions of the week, Click-through rate, ana; Weekly CTR by campaign, Click-through rate, ana', 'the list');
  await page.getByRole('button', { name: 'Remove Weekly' }).click();
  await page.getByRole('link', { name: 'Weekly CTR by campaign', exact: true }).waitFor({ state: 'hidden' });
  await toasts.getByRole('button', { name: 'Undo' }).click();
  await page.getByRole('link', { name: 'Weekly CTR by campaign', exact: true }).waitFor();
  await page.getByRole('button', { name: 'Remove Positions' }).click();
  await toasts.getByRole('button', { name: 'Dismiss' }).click();
  const deadline = performance.now() + 10_000;
  while ((await api('')).saved_reports.length > 1) expect(performance.now() < deadline, 'the report goes');
  await page.getByRole('link', { name: 'Weekly CTR by campaign', exact: true }).click();
  await page.waitForURL(new RegExp(made[0].address));
});

await check('list and palette fit every window, light and dark, without an accessibility violation', async () => {
  for (const [scheme, viewport] of [['light', PHONE], ['dark', DESKTOP]]) {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
    await page.setViewportSize(viewport);
    await open('/saved?site=open-bandit');
    await tableRows('All saved reports');
    await settled();
    const beyond = await overflow();
    expect(beyond <= 0, `${viewport.width} px: the page is ${beyond} px wider than the window`);
    for (const isOpen of [false, true]) {
      if (isOpen) {
        await page.keyboard.press('Control+k');
        await field.waitFor();
      }
      const violations = await seriousViolations();
      expect(violations.length === 0, `${viewport.width}, ${scheme}: ${violations.join('\n    ')}`);
      await page.screenshot({ path: join(artifacts, `saved-list-${viewport.width}-${scheme}${isOpen ? '-palette' : ''}.png`) });
    }
  }
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: null });
  await page.setViewportSize(DESKTOP);
});

for (const { id } of (await api('')).saved_reports) await api(`/${id}`, 'DELETE');
await finish();
