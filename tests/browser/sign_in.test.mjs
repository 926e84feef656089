// Signs in to the console as a person does, with each role; makes, changes and removes accounts; see chromium.mjs. Needs a Marquee on
// which nobody has an account yet.
import { join } from 'node:path';
import {
  artifacts, check, DESKTOP, expect, expectEqual, finish, known, open, overflow, page, PHONE, settled, token, url, violations,
} from './chromium.mjs';

const PASSWORD = 'correct horse battery';
const toasts = page.locator('.toasts');
const heading = (name) => page.getByRole('heading', { level: 1, name });

async function api(method, path, body) {
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  expect(answer.ok, `${method} ${path}: ${answer.status} ${await answer.clone().text()}`);
  return answer.status === 204 ? undefined : answer.json();
}

async function signOut() {
  await page.context().clearCookies();
  await page.goto(url);
  await heading('Sign in to Marquee').waitFor();
}

async function signIn(name, password = PASSWORD) {
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

/** Until the console has it: a password takes its time on a busy machine. */
async function enter(name) {
  await signIn(name);
  await page.getByRole('link', { name: `Settings: ${name}` }).waitFor();
}

/** In each window, light and dark: as wide as it, and without a violation of accessibility, minor ones too. */
async function fits(name, ready) {
  for (const [viewport, scheme] of [[PHONE, 'light'], [PHONE, 'dark'], [{ width: 1280, height: 800 }, 'light'], [{ width: 1280, height: 800 }, 'dark']]) {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
    await page.setViewportSize(viewport);
    await ready();
    const beyond = await overflow();
    expect(beyond <= 0, `${name}, ${viewport.width} px: the page is ${beyond} px wider than the window`);
    const found = await violations(['moderate', 'serious', 'critical']);
    expect(found.length === 0, `${name}, ${viewport.width}, ${scheme}: ${found.join('\n    ')}`);
    await page.screenshot({ path: join(artifacts, `${name}-${viewport.width}-${scheme}.png`), fullPage: true });
  }
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: null });
  await page.setViewportSize(DESKTOP);
}

await check('without accounts the link is an admin, and the console says so and how to change it', async () => {
  await page.goto(`${url}/#token=${encodeURIComponent(token)}`);
  await page.getByText('Whoever has the link is an admin here.').waitFor();
  await page.getByRole('link', { name: 'Make accounts' }).click();
  await page.getByRole('heading', { name: 'Nobody has an account yet' }).waitFor();
  await fits('settings-first', () => page.getByRole('heading', { name: 'Nobody has an account yet' }).waitFor());
});

await check('the first account closes the link, and is asked to sign in', async () => {
  const form = page.getByRole('form', { name: 'Make the first account' });
  await form.getByLabel('Name').fill('Priya');
  await form.getByLabel('Password').fill(PASSWORD);
  await form.getByRole('button', { name: 'Make the first account' }).click();
  await heading('Sign in to Marquee').waitFor();
  await page.getByLabel('Password', { exact: true }).waitFor();
  await page.goto(`${url}/#token=${encodeURIComponent(token)}`);
  await heading('Sign in to Marquee').waitFor();
  await page.getByLabel('Password', { exact: true }).waitFor();
  expectEqual(await page.evaluate(() => localStorage.getItem('marquee.token')), null, 'the token that is kept');
});

await check('the page to sign in fits phones and desks, light and dark', async () => {
  await fits('sign-in-name', () => heading('Sign in to Marquee').waitFor());
});

await check('a wrong password is told in words, and the name stays', async () => {
  known.push(/status of 401/);
  await signIn('priya', 'not my password');
  await page.getByRole('alert').getByText('The name or the password is wrong.').waitFor();
  expectEqual(await page.getByLabel('Name', { exact: true }).inputValue(), 'priya', 'the name');
  expectEqual(await page.getByLabel('Password', { exact: true }).inputValue(), '', 'the password');
  expectEqual(await page.getByLabel('Password', { exact: true }).getAttribute('aria-invalid'), 'true', 'aria-invalid');
  known.length = 0;
});

await check('a deep link is where one is after signing in', async () => {
  await page.goto(`${url}/heatmap?site=moodle&measure=clicks`);
  await heading('Sign in to Marquee').waitFor();
  await signIn('priya');
  await page.getByRole('heading', { level: 1 }).getByText(/heatmap|positions|where/i).first().waitFor();
  const address = new URL(page.url());
  expectEqual(`${address.pathname}${address.search}`, '/heatmap?site=moodle&measure=clicks', 'the address');
  await page.getByRole('link', { name: 'Settings: priya' }).waitFor();
  expectEqual(await page.evaluate(() => document.cookie), '', 'what scripts see of cookies');
});

await check('who is signed in stays so in another tab and after a reload, and signs out', async () => {
  await page.reload();
  await page.getByRole('link', { name: 'Settings: priya' }).waitFor();
  await page.getByRole('button', { name: 'Sign out' }).first().click();
  await heading('Sign in to Marquee').waitFor();
  await page.reload();
  await heading('Sign in to Marquee').waitFor();
});

await check('an admin adds accounts, changes a role and takes it back', async () => {
  await enter('priya');
  await open('/settings');
  await page.getByRole('table', { name: 'Who may sign in' }).waitFor();
  const form = page.getByRole('form', { name: 'Add an account' });
  for (const [name, role] of [['vikram', 'viewer'], ['anita', 'analyst'], ['gone', 'viewer']]) {
    await form.getByLabel('Name').fill(name);
    await form.getByLabel('Role').selectOption(role);
    await form.getByLabel('Password').fill(PASSWORD);
    await form.getByRole('button', { name: 'Add an account' }).click();
    await toasts.getByText(`${name} may sign in now.`).waitFor();
    await page.getByRole('rowheader', { name }).waitFor();
  }
  await page.getByLabel('Role of anita').selectOption('manager');
  await toasts.getByText('anita is manager now.').waitFor();
  await toasts.locator('.toast', { hasText: 'anita is manager now.' }).getByRole('button', { name: 'Undo' }).click();
  await page.waitForFunction(() => document.querySelector('select option:checked[value="analyst"]') !== null);
  const { accounts } = await api('GET', '/v1/accounts');
  expectEqual(accounts.find(({ name }) => name === 'anita').role, 'analyst', 'the role after undo');
  await settled();
  await fits('settings-accounts', async () => { await page.getByRole('table', { name: 'Who may sign in' }).waitFor(); await settled(); });
});

await check('an account is removed, taken back, and removed for good', async () => {
  const row = page.getByRole('row', { name: /^gone/ });
  await page.getByRole('button', { name: 'Remove gone' }).click();
  await row.waitFor({ state: 'detached' });
  await toasts.locator('.toast', { hasText: 'gone is removed.' }).getByRole('button', { name: 'Undo' }).click();
  await row.waitFor();
  await page.getByRole('button', { name: 'Remove gone' }).click();
  await toasts.locator('.toast', { hasText: 'gone is removed.' }).getByRole('button', { name: 'Dismiss' }).click();
  const deadline = performance.now() + 10_000;
  while ((await api('GET', '/v1/accounts')).accounts.some(({ name }) => name === 'gone')) expect(performance.now() < deadline, 'it is still there');
  expectEqual(await page.getByRole('button', { name: 'Remove priya' }).count(), 0, 'buttons to remove oneself');
});

await check('the audit log tells who did it, and of one alone', async () => {
  await open('/settings');
  await page.getByRole('radio', { name: 'Audit log' }).check();
  const audit = page.getByRole('table', { name: 'Who did what' });
  await audit.getByText('account anita made, viewer').or(audit.getByText('account anita made, analyst')).first().waitFor();
  await audit.getByText(/sign-in as priya refused, from 127\.0\.0\.1/).first().waitFor();
  await audit.getByRole('link', { name: 'priya', exact: true }).first().click();
  await page.getByRole('link', { name: 'Everyone' }).waitFor();
  const who = await audit.locator('tbody td:nth-child(2)').allInnerTexts();
  expect(who.length > 0 && who.every((name) => name === 'priya'), `shown are ${who.join(', ')}`);
});

await check('an analyst makes segments and changes no campaign', async () => {
  await signOut();
  await enter('anita');
  await page.getByRole('link', { name: 'Settings: anita' }).waitFor();
  await open('/segments?site=campus');
  await page.getByRole('link', { name: /New segment|By a rule|rule/i }).first().waitFor();
  await open('/campaigns/manage?site=campus');
  await settled();
  expectEqual(await page.getByRole('link', { name: 'New campaign' }).count(), 0, 'links to make a campaign');
  for (const path of ['/explore', '/sql']) {
    await open(`${path}?site=campus`);
    expectEqual(await heading('This page is not for your role').count(), 0, `refusals of ${path}`);
  }
});

await check('a viewer sees campaigns and no way to change one', async () => {
  await api('POST', '/v1/campaigns?site=campus', { id: 'fair', name: 'Winter fair', status: 'active' });
  await signOut();
  await enter('vikram');
  await page.getByRole('link', { name: 'Settings: vikram' }).waitFor();
  await open('/campaigns/manage?site=campus');
  await page.getByRole('link', { name: 'Winter fair' }).waitFor();
  for (const name of [/^Pause/, /^Remove/, /^Edit/, /^Duplicate/, /^Activate/]) {
    expectEqual(await page.getByRole('button', { name }).count() + await page.getByRole('link', { name }).count(), 0, `actions ${name}`);
  }
  await page.getByRole('link', { name: 'Winter fair' }).click();
  await page.getByLabel('Name', { exact: true }).waitFor();
  expect(await page.getByLabel('Name', { exact: true }).isDisabled(), 'the name can be changed');
  expectEqual(await page.getByRole('button', { name: 'Save' }).count(), 0, 'buttons to save');
  await page.getByRole('button', { name: 'Back' }).click();
  expectEqual(await page.getByRole('navigation').getByRole('link', { name: /^(Explore|SQL)$/ }).count(), 0, 'links to explore and SQL');
});

await check('a page beyond the role says which role it needs', async () => {
  await page.goto(`${url}/explore?site=campus`);
  await heading('This page is not for your role').waitFor();
  await page.getByText('It needs the role Analyst.').waitFor();
  await page.goto(`${url}/sql?site=campus`);
  await page.getByText('It needs the role Analyst.').waitFor();
  await fits('not-allowed', () => heading('This page is not for your role').waitFor());
});

await check('a viewer has the settings of their own alone, and changes the password', async () => {
  await open('/settings');
  await page.getByText('Signed in as vikram, viewer.').waitFor();
  expectEqual(await page.getByRole('table').count(), 0, 'tables of others');
  const form = page.getByRole('form', { name: 'Change your password' });
  known.push(/status of 400/);
  await form.getByLabel('Current password').fill('not my password');
  await form.getByLabel('New password').fill('another good one');
  await form.getByRole('button', { name: 'Change password' }).click();
  await form.getByRole('alert').getByText('this is not your password').waitFor();
  known.length = 0;
  await form.getByLabel('Current password').fill(PASSWORD);
  await form.getByRole('button', { name: 'Change password' }).click();
  await toasts.getByText('Your password is changed.').waitFor();
  await page.reload();
  await page.getByText('Signed in as vikram, viewer.').waitFor();
  await signOut();
  await signIn('vikram', 'another good one');
  await page.getByRole('link', { name: 'Settings: vikram' }).waitFor();
});

await check('the live view follows by the cookie', async () => {
  await open('/live?site=campus');
  await page.getByText(/live|connected/i).first().waitFor();
  const status = await page.evaluate(() => new Promise((resolve) => {
    const source = new EventSource('/v1/live?site=campus');
    source.addEventListener('tick', () => { source.close(); resolve('tick'); });
    source.addEventListener('error', () => { source.close(); resolve('error'); });
  }));
  expectEqual(status, 'tick', 'what an EventSource hears');
});

await check('who was signed out elsewhere is asked to sign in, where they were', async () => {
  known.push(/status of 401/);
  await open('/ctr?site=campus');
  await settled();
  await api('DELETE', '/v1/accounts/vikram/sessions');
  await page.getByRole('link', { name: 'Segments' }).first().click(); // Which shows what it has from before.
  await heading('Sign in to Marquee').waitFor();
  await signIn('vikram', 'another good one');
  await page.getByRole('link', { name: 'Settings: vikram' }).waitFor();
  expectEqual(new URL(page.url()).pathname, '/segments', 'the page');
  known.length = 0;
});

await finish();
