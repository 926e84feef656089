// Changes sites and keys, reads how long what is kept, and looks up and erases a person as an admin does; see chromium.mjs. Needs a
// Marquee with users' events on the site campus, and MARQUEE_USER, the id of one of them.
import { readFileSync } from 'node:fs';
import { check, expect, expectEqual, finish, fitEveryWindow, known, open, page, settled, token, url } from './chromium.mjs';

const { MARQUEE_USER: user } = process.env;
const toasts = page.locator('.toasts');
const admin = { Authorization: `Bearer ${token}` };
const row = (name) => page.getByRole('row', { name });

async function asked(path) {
  const answer = await fetch(url + path, { headers: admin });
  expect(answer.ok, `${path} answered ${answer.status}`);
  return answer.json();
}

async function statusOf(key, origin) {
  const answer = await fetch(`${url}/v1/events`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json', ...(origin === undefined ? {} : { Origin: origin }) },
    body: JSON.stringify({ type: 'page_view', session_id: 'settings', seq: Math.floor(Math.random() * 1e9) }),
  });
  await answer.arrayBuffer();
  return answer.status;
}

async function until(what, holds) {
  const deadline = performance.now() + 15_000;
  while (!(await holds())) expect(performance.now() < deadline, `${what}: not within 15 s`);
}

await page.goto(`${url}/#token=${encodeURIComponent(token)}`);
await page.getByRole('heading', { level: 1 }).waitFor();

await check('a site is made, and told in the list', async () => {
  known.push(/status of 400/);
  await open('/settings?tab=sites&site=campus');
  const form = page.getByRole('form', { name: 'Add a site' });
  await form.getByLabel('Id', { exact: true }).fill('night school');
  await form.getByLabel('Name').fill('Night school');
  await form.getByRole('button', { name: 'Add a site' }).click();
  await form.getByRole('alert').getByText(/lower-case letters/).waitFor();
  known.length = 0;
  await form.getByLabel('Id', { exact: true }).fill('night-school');
  await form.getByLabel('Browsers may send from').fill('https://night.example');
  await form.getByRole('button', { name: 'Add a site' }).click();
  await toasts.getByText('Night school may send now: make it a key.').waitFor();
  await row(/^Night school night-school https:\/\/night\.example kept as sent/).waitFor();
});

await check('a key is told once, opens its site, and opens nothing once it is ended', async () => {
  await page.getByRole('table', { name: 'Sites and what they may send' }).getByRole('link', { name: 'Night school', exact: true }).click();
  await page.getByRole('heading', { name: 'Write keys of Night school' }).waitFor();
  const form = page.getByRole('form', { name: 'Make a key' });
  for (const label of ['the app', 'the portal']) {
    await form.getByLabel('What it is for').fill(label);
    await form.getByRole('button', { name: 'Make a key' }).click();
    await page.getByRole('heading', { name: `The key for ${label}` }).waitFor();
  }
  const key = await page.getByTestId('new-key').locator('code').innerText();
  expectEqual(await statusOf(key, 'https://night.example'), 200, 'events of its site');
  expectEqual(await statusOf(key, 'https://elsewhere.example'), 403, 'events of elsewhere');
  await page.getByRole('button', { name: 'I have it' }).click();
  expect(!(await page.content()).includes(key), 'the page still has the key');
  await page.getByRole('button', { name: 'End the key the portal' }).click();
  await toasts.locator('.toast', { hasText: 'The key the portal opens nothing any more.' }).getByRole('button', { name: 'Undo' }).click();
  await row(/^the portal/).waitFor();
  expectEqual(await statusOf(key, 'https://night.example'), 200, 'events after it was taken back');
  await page.getByRole('button', { name: 'End the key the portal' }).click();
  await toasts.locator('.toast', { hasText: 'The key the portal opens nothing any more.' }).last().getByRole('button', { name: 'Dismiss' }).click();
  await until('the key is refused', async () => (await statusOf(key, 'https://night.example')) === 403);
  await row(/^the app/).waitFor();
});

await check('Marquee\'s own key is told and cannot be ended', async () => {
  await open('/settings?tab=sites&site=campus');
  const own = row(/^Marquee’s own, for imports/);
  await own.waitFor();
  expectEqual(await own.getByRole('button').count(), 0, 'buttons');
});

await check('a site is changed for who sends, and taken back', async () => {
  const rules = async () => {
    const { name, allowed_origin: origin, consent_required: consent } = (await asked('/v1/sites')).sites.find(({ id }) => id === 'night-school');
    return JSON.stringify([name, origin, consent]);
  };
  await page.getByRole('link', { name: 'Change Night school' }).click();
  const form = page.getByRole('form', { name: 'Change Night school' });
  await form.getByLabel('Name').fill('Evening school');
  await form.getByLabel(/without who it was/).check();
  await form.getByRole('button', { name: 'Save' }).click();
  await row(/^Evening school .*kept without who it was/).waitFor();
  expectEqual(await rules(), '["Evening school","https://night.example",true]', 'the site');
  await toasts.locator('.toast', { hasText: 'Evening school is changed.' }).getByRole('button', { name: 'Undo' }).click();
  await row(/^Night school .*kept as sent/).waitFor();
  expectEqual(await rules(), '["Night school","https://night.example",false]', 'the site after undo');
});

await check('how long what is kept is told', async () => {
  await open('/settings?tab=privacy&site=campus');
  const terms = page.getByRole('region', { name: 'How long what is kept' });
  await terms.getByText('Events: hover').waitFor();
  expectEqual((await terms.innerText()).replace(/\s+/g, ' ').match(/Events 9,000 days Events: hover 8,000 days Decisions for ever Dead letters for ever/) !== null, true, await terms.innerText());
});

await check('a person is looked up and given all that is known', async () => {
  const form = page.getByRole('form', { name: 'A person’s own data' });
  await form.getByLabel('Id of the person').fill('nobody-at-all');
  await form.getByRole('button', { name: 'Look up' }).click();
  await page.getByTestId('known').getByText('Nothing is known of this person.').waitFor();
  await form.getByLabel('Id of the person').fill(user);
  await form.getByRole('button', { name: 'Look up' }).click();
  await page.getByTestId('known').getByText(/^Known: [\d,]+ events?/).waitFor();
  const waiting = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download all of it' }).click();
  const file = await waiting;
  const given = JSON.parse(readFileSync(await file.path(), 'utf8'));
  const told = Number((await page.getByTestId('known').innerText()).match(/([\d,]+) event/)[1].replaceAll(',', ''));
  expectEqual(given.events.length, told, 'events in the file');
  expect(!JSON.stringify(given).includes(user), 'the file has the id');
});

await check('a person is erased, and its progress and receipt are told', async () => {
  const { events: before } = await asked(`/v1/users/${encodeURIComponent(user)}/export?site=campus`);
  await page.getByRole('button', { name: 'Erase for good' }).click();
  await toasts.getByText('Being erased.').waitFor();
  const table = page.getByRole('table', { name: 'Erasures and their receipts' });
  await table.getByText(/Waiting|Under way|Done/).first().waitFor();
  await table.getByText('Done', { exact: true }).waitFor({ timeout: 120_000 });
  await table.getByText(new RegExp(`${before.length.toLocaleString('en-US')} events?`)).waitFor();
  expectEqual((await asked(`/v1/users/${encodeURIComponent(user)}/export?site=campus`)).events.length, 0, 'events that are left');
  expectEqual(await page.getByLabel('Id of the person').inputValue(), '', 'the id in the page');
});

await check('the settings of sites and privacy fit every window, light and dark, without an accessibility violation', () => fitEveryWindow({
  'settings-sites': async () => {
    await open('/settings?tab=sites&site=campus');
    await row(/^Marquee’s own/).waitFor();
    await settled();
  },
  'settings-privacy': async () => {
    await open('/settings?tab=privacy&site=campus');
    await page.getByRole('table', { name: 'Erasures and their receipts' }).waitFor();
    await settled();
  },
}));

await finish();
