// Makes, changes, uses and removes segments in the console as a person does, on the sample of Moodle; see chromium.mjs.
import { join } from 'node:path';
import {
  artifacts, check, countOf, expect, expectEqual, finish, fitEveryWindow, layoutShift, open, page, seriousViolations, settled, tableRows, token, url,
  watchLayoutShift,
} from './chromium.mjs';

const LIST = '/segments?site=moodle';
const toasts = page.locator('.toasts');

async function api(path, method = 'GET') {
  const answer = await fetch(`${url}${path}`, { method, headers: { Authorization: `Bearer ${token}` } });
  return answer.status === 204 ? undefined : answer.json();
}

async function segments() {
  return (await api('/v1/segments?site=moodle')).segments;
}

async function segmentNamed(title) {
  return (await segments()).find((one) => one.title === title);
}

async function kept(condition, what) {
  const deadline = performance.now() + 15_000;
  for (;;) {
    const value = await condition();
    if (value) return value;
    expect(performance.now() < deadline, `waited for ${what}`);
  }
}

await page.goto(`${url}/#token=${encodeURIComponent(token)}`);

await check('a site without segments says what they are and begins one', async () => {
  await open(LIST);
  await page.getByRole('heading', { name: 'No segment yet' }).waitFor();
  await page.screenshot({ path: join(artifacts, 'segments-empty.png') });
  const violations = await seriousViolations();
  expect(violations.length === 0, violations.join('\n    '));
  await page.getByRole('link', { name: 'By a rule' }).click();
  await page.waitForURL(/edit=new/);
});

await check('a rule is built by keyboard, said in words, and found', async () => {
  await open(`${LIST}&edit=new`);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('alert').getByText('Give it a title.').waitFor();
  await page.getByLabel('Title, as reports').fill('Course readers');
  await page.getByRole('button', { name: 'Without Click' }).press('Enter');
  await page.getByLabel('Of these events').selectOption('course_view');
  await page.getByLabel('How often').fill('3');
  await page.getByRole('button', { name: 'Add condition' }).press('Enter');
  const second = page.getByRole('group', { name: 'Condition 2' });
  await second.getByLabel('Of these events').selectOption('course_click');
  await second.getByLabel('Not').press('Space');
  const words = await page.getByTestId('rule-in-words').innerText();
  expect(words.includes('Users with at least 3 × course view, and not at least one click or course click.'), words);
  await page.getByRole('group', { name: 'Condition 2' }).getByRole('button', { name: 'Without Click' }).click();
  await page.getByRole('button', { name: 'Save' }).press('Enter');
  await toasts.getByText('Course readers is saved').waitFor();
  const made = await segmentNamed('Course readers');
  expectEqual(
    JSON.stringify(made.definition.rule),
    JSON.stringify({ all: [{ types: ['course_view'], at_least: 3 }, { not: { types: ['course_click'] } }] }),
    'the rule that is kept',
  );
  const [row] = await tableRows('All segments');
  expectEqual(`${row[0]} ${row[1]} ${countOf(row[2])}`, `Course readers Rule ${made.size}`, 'its row');
});

await check('a change is undone by the button that tells of it', async () => {
  const before = await segmentNamed('Course readers');
  await open(`${LIST}&edit=${before.id}`);
  await page.getByLabel('How often').first().fill('1');
  await page.getByRole('button', { name: 'Save' }).click();
  await toasts.getByText('Course readers is saved').waitFor();
  const after = await segmentNamed('Course readers');
  expect(after.size > before.size, `one view is less than three: ${before.size} to ${after.size}`);
  await toasts.getByRole('button', { name: 'Undo' }).click();
  await kept(async () => (await segmentNamed('Course readers')).size === before.size, 'what was before');
});

await check('who leaves a funnel becomes a segment at once', async () => {
  await open('/funnel?site=moodle');
  await page.getByTestId('funnel-bars').waitFor();
  await settled();
  const drop = await page.locator('.funnel-drop .cell-faint').first().innerText();
  await page.getByRole('button', { name: 'Keep as a segment: who leaves after Page view' }).click();
  await toasts.getByText('Segment made').waitFor();
  const title = 'Left after Page view (Page view → Course view → Course click)';
  const made = await segmentNamed(title);
  expectEqual(countOf(drop.split(' ')[0]), made.size, 'users who leave, and users of the segment');
  await page.screenshot({ path: join(artifacts, 'funnel-kept.png') });
  await page.goto(`${url}${LIST}`);
  await page.getByRole('link', { name: title, exact: true }).waitFor();
  await page.getByTestId('overlaps').getByRole('cell').nth(1).waitFor();
});

await check('a segment narrows the other reports, and goes along', async () => {
  const { id, size } = await segmentNamed('Course readers');
  await open(LIST);
  await page.getByRole('link', { name: 'CTR of Course readers' }).click();
  await page.waitForURL(new RegExp(`segment=${id}`));
  await page.getByRole('link', { name: 'Funnel', exact: true }).first().click();
  await page.waitForURL(new RegExp(`funnel\\?.*segment=${id}`));
  await page.goto(`${url}/funnel?site=moodle&segment=${id}&steps=course_view,course_click`);
  await page.getByTestId('funnel-conversion').waitFor();
  await settled();
  expectEqual(await page.getByLabel('Segment', { exact: true }).inputValue(), id, 'the choice');
  expectEqual(countOf(await page.locator('.figure dd').nth(2).innerText()), size, 'all of them viewed a course');
  expectEqual(countOf(await page.locator('.figure dd').nth(4).innerText()), 0, 'none of them clicked one');
});

await check('a list takes what is pasted and names what is no key', async () => {
  await open(`${LIST}&edit=new&kind=list`);
  await page.getByLabel('Title, as reports').fill('Pasted');
  await page.getByLabel("Users' keys").fill('user_key\n00000000000000aa, 00000000000000AA 00000000000000ab');
  await page.getByText('2 keys').waitFor();
  await page.getByText('1 is no key: user_key').waitFor();
  await page.getByRole('button', { name: 'Save' }).click();
  await toasts.getByText('Pasted is saved: 2 users').waitFor();
});

await check('a removal is undone, and done when it is not', async () => {
  await open(LIST);
  await page.getByRole('button', { name: 'Remove Pasted' }).click();
  await page.getByRole('link', { name: 'Pasted', exact: true }).waitFor({ state: 'hidden' });
  await toasts.getByRole('button', { name: 'Undo' }).click();
  await page.getByRole('link', { name: 'Pasted', exact: true }).waitFor();
  expect((await segmentNamed('Pasted')) !== undefined, 'it is still there');
  await page.getByRole('button', { name: 'Remove Pasted' }).click();
  await toasts.getByRole('button', { name: 'Dismiss' }).click();
  await kept(async () => (await segmentNamed('Pasted')) === undefined, 'the segment to be gone');
  await open(LIST);
  await page.getByRole('button', { name: 'Remove Left after' }).click();
  await page.reload();
  await kept(async () => (await segments()).length === 1, 'the segment to be gone with its page');
});

await check('a live segment is made with the same tree, said in words, changed and kept as it is', async () => {
  await open(`${LIST}&edit=new&kind=live`);
  await page.getByLabel('Title').fill('Keen on law');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('alert').filter({ hasText: 'An interest says of what' }).waitFor();
  await page.getByLabel('Which, as events have it').fill('law');
  await page.getByLabel('Amount').fill('2');
  await page.getByRole('button', { name: 'Add condition' }).press('Enter');
  const second = page.getByRole('group', { name: 'Condition 2' });
  await second.getByLabel('What', { exact: true }).selectOption('clicks');
  await second.getByLabel('Over').selectOption('1');
  await second.getByRole('checkbox').press('Space');
  expectEqual((await page.getByTestId('live-in-words').innerText()).split('\n').at(-1), 'interest in a category law, at least 2, and not at least 1 click in the last day.', 'in words');
  await page.getByRole('button', { name: 'Save' }).click();
  await toasts.getByText('Keen on law is saved, and in force').waitFor();
  const rule = async () => JSON.stringify((await segmentNamed('Keen on law')).definition.rule);
  expectEqual(await rule(), '{"all":[{"profile":"category:law","at_least":2},{"not":{"profile":"clicks","days":1}}]}', 'its rule');
  await page.getByRole('link', { name: 'Edit Keen on law' }).press('Enter');
  await page.getByRole('group', { name: 'Condition 2' }).getByLabel('What', { exact: true }).selectOption('last_seen');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('link', { name: 'Keen on law', exact: true }).waitFor();
  await kept(async () => (await rule()).includes('"within":"7d"'), 'the change');
  await toasts.getByRole('button', { name: 'Undo' }).last().click();
  await kept(async () => (await rule()).includes('"days":1'), 'the change to be undone');
  const { id } = await segmentNamed('Keen on law');
  await fitEveryWindow({
    'segments-live': async () => {
      await open(`${LIST}&edit=${id}`);
      await page.getByTestId('live-in-words').waitFor();
    },
  });
  await api(`/v1/segments/${id}`, 'DELETE');
});

await check('the page holds still while it loads', async () => {
  await watchLayoutShift();
  await open(LIST);
  await tableRows('All segments');
  await settled();
  const shift = await layoutShift();
  expect(shift < 0.01, `it shifts by ${shift.toFixed(3)}`);
  return shift.toFixed(3);
});

await check('list and editor fit every window, light and dark, without an accessibility violation', async () => {
  const { id } = await segmentNamed('Course readers');
  await fetch(`${url}/v1/segments`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ site: 'moodle', title: 'Everyone who saw a page', definition: { kind: 'rule', rule: { any: [{ types: ['page_view'] }, { all: [{ types: ['course_view'], filter: ['city=Pune'] }, { not: {} }] }] } } }),
  });
  await fitEveryWindow({
    'segments-list': async () => {
      await open(LIST);
      await page.getByTestId('overlaps').waitFor();
      await settled();
    },
    'segments-editor': async () => {
      await open(`${LIST}&edit=${id}`);
      await page.getByTestId('rule-in-words').waitFor();
      await settled();
    },
  });
});

// Other tests find the site without segments.
for (const { id } of await segments()) await api(`/v1/segments/${id}`, 'DELETE');
await finish();
