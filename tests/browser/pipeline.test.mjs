// Opens the console's pipeline page and uses it as a person does; see chromium.mjs. States that a Marquee in good health does not
// show are put into the API's answers.
//
// Environment: MARQUEE_KAFKA_STATE, where the Marquee is on Kafka: `orphaned` while no loader runs, `landed` once one does. Without it
// the Marquee has its local log and its events land.
import { join } from 'node:path';
import {
  artifacts, chartReady, check, DESKTOP, expect, expectEqual, finish, layoutShift, NARROW, open, overflow, page, PHONE, postEvents, problems,
  seriousViolations, settled, tableRows, token, url, watchLayoutShift, WIDE,
} from './chromium.mjs';

const answer = page.getByTestId('pipeline-answer');
const kafkaState = process.env.MARQUEE_KAFKA_STATE;
const START = Date.now();

function partition(number, fields = {}) {
  return {
    partition: number, state: 'landed', loader: `loader-${number % 3}:4711`, has_loader: true, seen: new Date(START - 3000).toISOString(),
    landed: 812_000 + number * 977, end: 812_000 + number * 977, lag_events: 0, lag_seconds: 0, events_per_second: 412.5, arriving_per_second: 412.5,
    done_in_seconds: 0, batch_rows: 1843, dead_letters: 0, last_error: '', ...fields,
  };
}

/** A pipeline as GET /v1/pipeline answers it, with a quarter of an hour of history. */
function pipeline(partitions, fields = {}) {
  const sum = (name) => partitions.reduce((total, one) => total + one[name], 0);
  const lag = sum('lag_events');
  const history = Array.from({ length: 180 }, (_, index) => ({
    time: new Date(START - (179 - index) * 5000).toISOString(),
    lag_events: Math.round((lag * Math.max(0, index - 120)) / 59 + 40 * (1 + Math.sin(index / 7))),
    lag_seconds: 0.2,
    events_per_second: Math.max(0, 3300 + 260 * Math.sin(index / 9) - (lag > 1000 && index > 120 ? (index - 120) * 45 : 0)),
    arriving_per_second: 3300 + 300 * Math.sin(index / 9 + 0.4),
  }));
  return {
    time: new Date(START).toISOString(), log_kind: 'kafka', log_answers: true, store_answers: true, wants_attention: false, lag_events: lag,
    lag_seconds: Math.max(0, ...partitions.map((one) => one.lag_seconds)), events_per_second: sum('events_per_second'),
    arriving_per_second: sum('arriving_per_second'), done_in_seconds: lag === 0 ? 0 : null, max_batch_rows: 100_000, partitions, history, ...fields,
  };
}

const many = (count, special = {}) => Array.from({ length: count }, (_, number) => partition(number, special[number]));
const waits = { lag_events: 48_211, lag_seconds: 754, done_in_seconds: null, events_per_second: 0, state: 'orphaned', has_loader: false };

const LETTERS = {
  count: 5, unreplayed: 5, next: null,
  by_reason: [
    { reason: 'event: unknown format version 9', count: 3, unreplayed: 3, newest: new Date(START - 240_000).toISOString() },
    { reason: 'the record is shorter than its length says', count: 2, unreplayed: 2, newest: new Date(START - 7_200_000).toISOString() },
  ],
  letters: Array.from({ length: 5 }, (_, index) => ({
    topic: 'marquee.events', partition: index % 3, offset: 812_400 + index * 17, time: new Date(START - 240_000 - index * 1_800_000).toISOString(),
    reason: index < 3 ? 'event: unknown format version 9' : 'the record is shorter than its length says',
    text: index < 3 ? '{"site_id":"campus","type":"impression","session_id":"b3f2"}' : '09 00 01 66 6f 6f', is_event: index < 3,
    bytes_base64: Buffer.from(Array.from({ length: 40 + index * 150 }, (_, byte) => (byte * 37 + index) % 256)).toString('base64'), replayed: null,
  })),
};
const NO_LETTERS = { count: 0, unreplayed: 0, next: null, by_reason: [], letters: [] };

/** From now on the API answers so. */
async function show(state, letters = NO_LETTERS) {
  await page.unroute('**/v1/pipeline');
  await page.unroute('**/v1/dead-letters?*');
  await page.route('**/v1/pipeline', (route) => route.fulfill({ json: state }));
  await page.route('**/v1/dead-letters?*', (route) => route.fulfill({ json: letters }));
}

// Marquee's own answers about its partitions; letters are put in below.
await page.route('**/v1/dead-letters?*', (route) => route.fulfill({ json: NO_LETTERS }));
await page.goto(`${url}/#token=${encodeURIComponent(token)}`);

if (kafkaState === 'orphaned') {
  await check('a real topic that no loader reads: which partitions, since when, and what to do', async () => {
    await open('/pipeline');
    await answer.getByText('All 4 partitions have no loader').waitFor({ timeout: 60_000 });
    await answer.getByText('marquee load').waitFor();
    await page.waitForFunction(() => Number(document.querySelector('[data-testid="pipeline-waiting"] dd')?.textContent?.replace(/\D/g, '')) === 400);
    const rows = await tableRows('Partitions');
    expectEqual(rows.length, 4, 'partitions');
    expect(rows.every((cells) => cells[1] === 'no loader' && cells[3] !== '–' && cells[6] === 'never'), JSON.stringify(rows));
    await page.screenshot({ path: join(artifacts, 'pipeline-real-orphaned.png'), fullPage: true });
  });
  await finish();
}
if (kafkaState === 'landed') {
  await check('the same topic once a loader reads it: nothing waits', async () => {
    await open('/pipeline');
    await answer.getByText('0 events wait').waitFor({ timeout: 60_000 });
    await answer.getByText('Everything that was acknowledged is in the store.').waitFor();
    await page.waitForFunction(() => [...document.querySelectorAll('table tbody tr')].every((row) => /:\d+/.test(row.innerText)));
    const rows = await tableRows('Partitions');
    expect(rows.every((cells) => cells[1] === 'landed'), JSON.stringify(rows));
    await page.screenshot({ path: join(artifacts, 'pipeline-real-landed.png'), fullPage: true });
  });
  await finish();
}

await check('the pipeline of a Marquee with its local log says that everything landed, and moves as events come', async () => {
  await open('/ctr?site=campus');
  await page.getByRole('link', { name: 'Pipeline' }).first().click();
  await page.getByRole('heading', { level: 1, name: 'Pipeline' }).waitFor();
  await answer.getByText('0 events wait').waitFor({ timeout: 30_000 });
  await answer.getByText('Everything that was acknowledged is in the store.').waitFor();
  await chartReady('waiting-chart');
  await chartReady('rates-chart');
  const rows = await tableRows('Partitions');
  expectEqual(rows.length, 1, 'partitions of the local log');
  await postEvents(100);
  // Its loader's figures and the rate follow within a few seconds.
  await page.waitForFunction(() => document.querySelector('table tbody tr')?.cells[7]?.innerText === '100', undefined, { timeout: 20_000 });
  await page.waitForFunction(() => Number(document.querySelector('table tbody tr')?.cells[4]?.innerText) > 0, undefined, { timeout: 20_000 });
  await answer.getByText('0 events wait').waitFor();
  await page.getByTestId('no-letters').waitFor();
});

const STATES = [
  ['landed', pipeline(many(8)), 'good', '0 events wait'],
  ['landing', pipeline(many(8, { 2: { state: 'landing', lag_events: 12_500, lag_seconds: 38, done_in_seconds: 17 } }), { done_in_seconds: 17 }), 'good', '12,500 events wait'],
  ['orphaned', pipeline(many(8, { 3: waits, 5: waits })), 'bad', 'Partitions 3 and 5 have no loader'],
  ['silent', pipeline(many(8, { 1: { state: 'silent', seen: new Date(START - 190_000).toISOString() } })), 'bad', 'Partition 1 has a loader that tells nothing'],
  ['failing', pipeline(many(8, { 4: { ...waits, has_loader: true, state: 'failing', last_error: 'insert: Code: 252. DB::Exception: Too many parts (3000). Merges are processing significantly slower than inserts: while pushing to view marquee.campaign_minute_mv' } })), 'bad', 'Partition 4 cannot land its events'],
  ['stalled', pipeline(many(8, { 0: { ...waits, has_loader: true, state: 'stalled' } })), 'bad', 'Partition 0 has events that wait, and none lands'],
  ['behind', pipeline(many(8, { 0: { ...waits, has_loader: true, state: 'behind', events_per_second: 120 } })), 'warn', 'Partition 0 falls behind'],
  ['store-away', pipeline(many(8, { 0: { state: 'landing', lag_events: 1200, lag_seconds: 8, done_in_seconds: null } }), { store_answers: false }), 'bad', 'The store does not answer'],
  ['log-away', pipeline(many(8), { log_answers: false }), 'bad', 'Kafka does not answer'],
  ['many', pipeline(many(64, { 9: waits, 17: { ...waits, has_loader: true, state: 'failing', last_error: 'insert: the connection was refused' }, 40: { ...waits, has_loader: true, state: 'behind', events_per_second: 12 } })), 'bad', 'Partition 9 has no loader'],
];

for (const [name, state, tone, title] of STATES) {
  await check(`${name}: the answer comes first, in words`, async () => {
    await show(state);
    await open('/pipeline');
    await answer.getByRole('heading', { name: title }).waitFor();
    expectEqual(await answer.getAttribute('data-tone'), tone, 'the tone');
    await chartReady('waiting-chart');
    const violations = await seriousViolations();
    expect(violations.length === 0, violations.join('\n    '));
    const rows = await tableRows('Partitions');
    expectEqual(rows.length, state.partitions.length, 'partitions');
    if (name === 'failing') expect((await answer.innerText()).includes('Too many parts'), 'the last error is said');
    if (name === 'many') expectEqual(await page.getByRole('list', { name: 'Also' }).locator('li').count(), 2, 'what else is wrong');
  });
}

await check('partitions sort by what is worst, and the order is in the address', async () => {
  await show(pipeline(many(8, { 3: waits })));
  await open('/pipeline');
  await page.getByRole('button', { name: 'State' }).click();
  await page.waitForURL(/sort=state/);
  await page.getByRole('button', { name: 'State' }).click();
  await page.waitForURL(/dir=desc|sort=state/);
  await page.waitForFunction(() => document.querySelector('table tbody tr')?.cells[1]?.innerText === 'no loader');
});

await check('a Marquee that stops answering says so and keeps what it showed', async () => {
  await show(pipeline(many(4)));
  await open('/pipeline');
  await answer.getByText('0 events wait').waitFor();
  await page.unroute('**/v1/pipeline');
  await page.route('**/v1/pipeline', (route) => route.abort('connectionrefused'));
  await answer.getByText('Marquee does not answer').waitFor({ timeout: 30_000 });
  expectEqual((await tableRows('Partitions')).length, 4, 'partitions as they were');
  await page.unroute('**/v1/pipeline');
  await page.route('**/v1/pipeline', (route) => route.fulfill({ json: pipeline(many(4)) }));
  await answer.getByText('0 events wait').waitFor({ timeout: 30_000 });
  expectEqual(problems.filter((problem) => !problem.includes('ERR_CONNECTION_REFUSED')).join(), '', 'other errors');
  problems.length = 0;
});

await check('a Marquee that never answered says what to do', async () => {
  await page.unroute('**/v1/pipeline');
  await page.route('**/v1/pipeline', (route) => route.fulfill({ status: 503, json: { error: { status: 503, message: 'starting' } } }));
  await open('/pipeline');
  await page.getByRole('alert').filter({ hasText: 'Marquee is busy' }).waitFor({ timeout: 30_000 });
  await page.getByRole('button', { name: 'Try again' }).waitFor();
  problems.length = 0;
});

await check('dead letters are shown by reason with their bytes, and replayed only after a look', async () => {
  const withLetters = pipeline(many(8, { 0: { dead_letters: 3 }, 1: { dead_letters: 2 } }));
  await show(withLetters, LETTERS);
  const asked = [];
  await page.route('**/v1/dead-letters/replay', async (route) => {
    const body = route.request().postDataJSON();
    asked.push(body);
    await route.fulfill({
      json: { tried: 5, replayed: 3, already_counted: 0, replayed_before: 0, unreadable_not_named: 0, next: null,
              unreadable: [3, 4].map((index) => ({ topic: 'marquee.events', partition: index % 3, offset: index, reason: 'too short' })) },
    });
  });
  await open('/pipeline');
  const reasons = await tableRows('Dead letters by reason');
  expectEqual(JSON.stringify(reasons.map((cells) => cells.slice(0, 3))), JSON.stringify([
    ['event: unknown format version 9', '3', '3'], ['the record is shorter than its length says', '2', '2']]), 'reasons');
  const first = page.getByTestId('letters').locator('details').first();
  await first.locator('summary').focus();
  await page.keyboard.press('Enter');
  await first.getByText('0000  00 25 4a 6f').waitFor();
  await page.getByRole('button', { name: 'See what can be read now' }).click();
  const choice = page.getByTestId('replay-choice');
  await choice.getByText('3 of 5 can be read now').waitFor();
  expectEqual(JSON.stringify(asked), JSON.stringify([{ dry_run: true }]), 'nothing is sent by looking');
  await page.screenshot({ path: join(artifacts, 'pipeline-replay.png'), fullPage: true });
  await choice.getByRole('button', { name: 'Leave them' }).click();
  await choice.waitFor({ state: 'hidden' });
  await page.getByRole('button', { name: 'See what can be read now' }).click();
  await choice.getByRole('button', { name: 'Replay 3 events' }).click();
  await page.getByTestId('replay-done').getByText('3 events were sent into the log again').waitFor();
  expectEqual(JSON.stringify(asked.at(-1)), JSON.stringify({ dry_run: false }), 'the replay');
  const violations = await seriousViolations();
  expect(violations.length === 0, violations.join('\n    '));
  // One reason alone, and its replay.
  await page.getByRole('link', { name: 'event: unknown format version 9' }).click();
  await page.waitForURL(/reason=event/);
  await page.getByRole('button', { name: 'See what can be read now' }).click();
  await choice.waitFor();
  expectEqual(asked.at(-1).reason, 'event: unknown format version 9', 'the reason of the replay');
  await page.unroute('**/v1/dead-letters/replay');
});

await check('the page holds still while it loads and renews itself', async () => {
  await watchLayoutShift();
  await show(pipeline(many(8)));
  await open('/pipeline');
  await chartReady('waiting-chart');
  await chartReady('rates-chart');
  await page.getByTestId('no-letters').waitFor();
  await settled();
  await show(pipeline(many(8, { 2: { state: 'landing', lag_events: 1_250_000, lag_seconds: 4000, done_in_seconds: 900, events_per_second: 12_000 } }), { done_in_seconds: 900 }));
  await answer.getByText('1,250,000 events wait').waitFor();
  const shift = await layoutShift();
  expect(shift < 0.01, `it shifts by ${shift.toFixed(3)}`);
  return shift.toFixed(3);
});

await check('it fits every window, light and dark', async () => {
  const looks = [['landed', pipeline(many(8)), NO_LETTERS], ['trouble', STATES.at(-1)[1], LETTERS], ['failing', STATES[4][1], LETTERS],
                 ['local', pipeline([partition(0, { loader: 'campus-1:4711' })], { log_kind: 'local' }), NO_LETTERS]];
  for (const [name, state, letters] of looks) {
    await show(state, letters);
    for (const scheme of ['light', 'dark']) {
      for (const viewport of [PHONE, NARROW, WIDE]) {
        await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
        await page.setViewportSize(viewport);
        await open('/pipeline');
        await chartReady('waiting-chart');
        await chartReady('rates-chart');
        await settled();
        const beyond = await overflow();
        expect(beyond <= 0, `${name}, ${viewport.width} px: the page is ${beyond} px wider than the window`);
        await page.screenshot({ path: join(artifacts, `pipeline-${name}-${viewport.width}-${scheme}.png`), fullPage: name !== 'trouble' });
        if (viewport === NARROW) {
          const violations = await seriousViolations();
          expect(violations.length === 0, `${name}, ${scheme}: ${violations.join('\n    ')}`);
        }
      }
    }
  }
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: null });
  await page.setViewportSize(DESKTOP);
});

await finish();
