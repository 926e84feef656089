// Makes, tests, pauses, changes and removes alerts and deliveries in the console as a person does; a receiver here takes what Marquee sends.
// Needs a Marquee whose webhooks may be private (run.py); see chromium.mjs.
import { createServer } from 'node:http';
import { createHmac } from 'node:crypto';
import { check, expect, expectEqual, finish, fitEveryWindow, layoutShift, open, page, settled, tableRows, token, url, watchLayoutShift } from './chromium.mjs';

const taken = [];
let status = 200;
const receiver = createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    taken.push({ headers: request.headers, body: Buffer.concat(parts) });
    response.writeHead(status).end();
  });
});
await new Promise((listening) => { receiver.listen(0, '127.0.0.1', listening); });
const hook = `http://127.0.0.1:${receiver.address().port}/hook`;

async function api(path, method = 'GET', body = undefined) {
  const answer = await fetch(`${url}/v1/${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  expect(answer.ok, `${method} ${path} answered ${answer.status}`);
  return answer.status === 204 ? undefined : answer.json();
}

async function until(what, condition) {
  const deadline = performance.now() + 15_000;
  for (;;) {
    const value = await condition();
    if (value) return value;
    expect(performance.now() < deadline, `waited for ${what}`);
    await page.waitForTimeout(50);
  }
}

const toast = (text) => page.locator('.toast').filter({ hasText: text });

await page.goto(`${url}/#token=${encodeURIComponent(token)}`);

let secret = '';

await check('a page without alerts teaches, and leads to the first one', async () => {
  await open('/alerts?site=campus');
  await page.getByRole('heading', { name: 'No alert yet' }).waitFor();
  await page.getByRole('link', { name: 'New alert' }).last().press('Enter');
  await page.waitForURL(/edit=new/);
});

await check('an alert is made by a form that says it in words, and its secret is told once', async () => {
  await open('/alerts?site=campus&edit=new');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('alert').filter({ hasText: 'Give it a name' }).waitFor();
  await page.getByLabel('Name').fill('Nothing shown');
  await page.getByLabel('Metric').selectOption('ctr');
  await page.getByLabel('Is', { exact: true }).selectOption('below');
  await page.getByLabel('Threshold, percent').fill('0.5');
  await page.getByLabel('Over the last').selectOption('1d');
  await page.getByRole('button', { name: 'Where …' }).click();
  await page.getByLabel('Where', { exact: true }).selectOption('device');
  await page.getByLabel('Values, separated by commas').fill('mobile');
  expectEqual((await page.getByTestId('alert-in-words').innerText()).split('\n').at(-1), 'CTR below 0.5% in the last day, where device=mobile.', 'in words');
  await page.getByLabel('Webhook address').fill('ftp://somewhere');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('alert').filter({ hasText: 'must begin with http' }).waitFor();
  await page.getByLabel('Webhook address').fill(hook);
  await page.getByRole('button', { name: 'Save' }).click();
  secret = await page.getByTestId('secret').locator('code').innerText();
  expect(secret.startsWith('whsec_'), 'the secret');
  await page.getByRole('button', { name: 'I have it' }).click();
  const [alert] = (await api('alerts?site=campus')).alerts;
  expectEqual(`${alert.rule.condition} ${alert.rule.threshold} ${alert.rule.window} ${alert.rule.filter.join()}`, 'below 0.005 1d device=mobile', 'what is kept');
  expectEqual((await tableRows('All alerts'))[0][0].split('\n')[0], 'Nothing shown', 'its row');
});

await check('a test arrives, signed, and its outcome is told', async () => {
  await open('/alerts?site=campus');
  await page.getByRole('button', { name: 'Send a test of Nothing shown' }).press('Enter');
  await until('the notice', () => taken.some(({ body }) => body.includes('alert.test')));
  const { headers, body } = taken.find((one) => one.body.includes('alert.test'));
  const signed = createHmac('sha256', Buffer.from(secret.slice('whsec_'.length), 'base64')).update(`${headers['webhook-id']}.${headers['webhook-timestamp']}.`).update(body);
  expectEqual(headers['webhook-signature'], `v1,${signed.digest('base64')}`, 'the signature');
  await page.getByRole('link', { name: 'Last notices of Nothing shown' }).click();
  await page.waitForURL(/open=/);
  await page.getByTestId('notices').locator('tr').filter({ hasText: 'Test' }).filter({ hasText: 'Taken' }).waitFor();
  await page.reload();
  await page.getByTestId('notices').waitFor();
});

await check('what is not taken is told with its answer', async () => {
  status = 500;
  await page.getByRole('button', { name: 'Send a test of Nothing shown' }).click();
  await page.getByTestId('notices').locator('tr').filter({ hasText: '500' }).waitFor();
  status = 200;
  await page.getByTestId('notices').locator('tr').filter({ hasText: '500' }).waitFor({ state: 'hidden' });
});

await check('an alert is paused, and that is undone', async () => {
  await open('/alerts?site=campus');
  await page.getByRole('button', { name: 'Pause Nothing shown' }).press('Enter');
  await page.getByRole('button', { name: 'Resume Nothing shown' }).waitFor();
  expectEqual((await api('alerts?site=campus')).alerts[0].is_paused, true, 'it is paused');
  await toast('is paused').getByRole('button', { name: 'Undo' }).click();
  await page.getByRole('button', { name: 'Pause Nothing shown' }).waitFor();
  expectEqual((await api('alerts?site=campus')).alerts[0].is_paused, false, 'it is not');
});

await check('an alert is changed, and what was not touched stays', async () => {
  await open('/alerts?site=campus');
  await page.getByRole('link', { name: 'Edit Nothing shown' }).press('Enter');
  await page.waitForURL(/edit=/);
  expectEqual(await page.getByLabel('Threshold, percent').inputValue(), '0.5', 'the threshold, in percent');
  await page.getByLabel('Remind while it fires').selectOption('6h');
  await page.getByRole('button', { name: 'Save' }).click();
  await toast('is saved').waitFor();
  const [{ rule }] = (await api('alerts?site=campus')).alerts;
  expectEqual(`${rule.remind} ${rule.threshold} ${rule.filter.join()}`, '6h 0.005 device=mobile', 'what is kept');
});

await check('one that fires is said first', async () => {
  await api('alerts', 'POST', { name: 'Many impressions', url: hook, rule: { site: 'campus', metric: 'impressions', condition: 'above', threshold: 10, window: '7d', every: '1s' } });
  await open('/alerts?site=campus');
  await page.locator('[data-testid="alerts-answer"][data-verdict="firing"]').waitFor();
  await page.getByRole('heading', { name: /alerts? fires?/ }).waitFor();
  const row = (await tableRows('All alerts')).find(([name]) => name.startsWith('Many impressions'));
  expect(row[1].startsWith('Fires'), `its state: ${row[1]}`);
  await until('the firing', () => taken.some(({ body }) => body.includes('alert.firing')));
});

await check('an alert is removed after its undo', async () => {
  await open('/alerts?site=campus');
  await page.getByRole('button', { name: 'Remove Many impressions' }).press('Enter');
  await toast('is removed').getByRole('button', { name: 'Undo' }).click();
  await page.getByRole('button', { name: 'Remove Many impressions' }).click();
  await toast('is removed').getByRole('button', { name: 'Dismiss' }).click();
  await until('it to be gone', async () => (await api('alerts?site=campus')).alerts.length === 1);
});

await check('without a saved report the deliveries say how to save one', async () => {
  await open('/alerts?site=moodle');
  await page.getByRole('radio', { name: 'Reports on a schedule' }).focus();
  await page.keyboard.press('Space');
  await page.waitForURL(/tab=deliveries/);
  await page.getByRole('heading', { name: 'No report is sent yet' }).waitFor();
  await page.getByRole('link', { name: 'Open Explore' }).waitFor();
});

await check('a report is sent on a schedule, and now', async () => {
  await api('saved-reports', 'POST', { name: 'Morning CTR', kind: 'ctr', parameters: { site: 'campus', by: ['device'], last: '7d' } });
  await open('/alerts?site=campus&tab=deliveries&edit=new');
  await page.getByLabel('Saved report').selectOption({ label: 'Morning CTR' });
  await page.getByLabel('Sent as').selectOption('csv');
  await page.getByRole('combobox', { name: 'When' }).selectOption('week');
  await page.getByLabel('On', { exact: true }).selectOption('tuesday');
  await page.getByLabel('At', { exact: true }).fill('07:30');
  await page.getByLabel('Time zone').fill('Asia/Kolkata');
  await page.getByLabel('Webhook address').fill(hook);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByTestId('secret').waitFor();
  const [delivery] = (await api('deliveries')).deliveries;
  expectEqual(JSON.stringify(delivery.schedule), '{"every":"week","on":"tuesday","at":"07:30","zone":"Asia/Kolkata"}', 'its schedule');
  expectEqual((await tableRows('All deliveries'))[0][1], 'Every Tuesday at 07:30 (Asia/Kolkata)', 'in words');
  await page.getByRole('button', { name: 'Send Morning CTR now' }).press('Enter');
  await until('the report', () => taken.some(({ body }) => body.toString().startsWith('device,')));
  await page.getByRole('link', { name: 'Last notices of Morning CTR' }).click();
  await page.getByTestId('notices').locator('tr').filter({ hasText: 'sent by hand' }).filter({ hasText: 'Taken' }).waitFor();
});

await check('a delivery is paused, changed and removed', async () => {
  await open('/alerts?site=campus&tab=deliveries');
  await page.getByRole('button', { name: 'Pause Morning CTR' }).click();
  await page.getByRole('button', { name: 'Resume Morning CTR' }).click();
  await page.getByRole('button', { name: 'Pause Morning CTR' }).waitFor();
  await page.getByRole('link', { name: 'Edit Morning CTR' }).click();
  await page.getByRole('combobox', { name: 'When' }).selectOption('minutes');
  await page.getByLabel('Minutes, from midnight UTC').fill('30');
  await page.getByRole('button', { name: 'Save' }).click();
  await toast('is saved').waitFor();
  expectEqual((await tableRows('All deliveries'))[0][1], 'Every 30 minutes', 'its schedule');
});

await check('a saved report leads to a delivery of it', async () => {
  await open('/saved?site=campus');
  await page.getByRole('link', { name: 'Send Morning CTR on a schedule' }).press('Enter');
  await page.waitForURL(/alerts\?.*report=/);
  const chosen = page.getByLabel('Saved report');
  await chosen.waitFor();
  expectEqual(await chosen.evaluate((select) => select.selectedOptions[0].text), 'Morning CTR', 'the report');
});

await check('the palette makes one', async () => {
  await open('/alerts?site=campus');
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: 'Go to' }).fill('New alert');
  await page.keyboard.press('Enter');
  await page.waitForURL(/alerts\?.*edit=new/);
});

await check('the page holds still while it loads', async () => {
  await watchLayoutShift();
  await open('/alerts?site=campus');
  await settled();
  await page.getByTestId('alerts-answer').waitFor();
  const shift = await layoutShift();
  expect(shift < 0.01, `it shifts by ${shift.toFixed(3)}`);
  return shift.toFixed(3);
});

await check('they fit every window, light and dark, without an accessibility violation', async () => {
  const { alerts } = await api('alerts?site=campus');
  await fitEveryWindow({
    alerts: async () => {
      await open(`/alerts?site=campus&open=${alerts[0].id}`);
      await page.getByTestId('notices').waitFor();
      await settled();
    },
    'alerts-edit': async () => {
      await open(`/alerts?site=campus&edit=${alerts[0].id}`);
      await page.getByTestId('alert-in-words').waitFor();
    },
    deliveries: async () => {
      await open('/alerts?site=campus&tab=deliveries');
      await tableRows('All deliveries');
      await settled();
    },
    'deliveries-edit': async () => {
      await open('/alerts?site=campus&tab=deliveries&edit=new');
      await page.getByLabel('Saved report').waitFor();
    },
  });
});

receiver.close();
receiver.closeAllConnections();
await finish();
