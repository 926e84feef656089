// Visits the campus demo as a person does; see chromium.mjs. The Marquee has the demo on and its campaigns in place.
import { join } from 'node:path';
import {
  artifacts, check, countOf, DESKTOP, expect, expectEqual, finish, layoutShift, open, overflow, page, PHONE, token, url, violations,
  watchLayoutShift,
} from './chromium.mjs';

/** All slots of the page have an ad, and the panel says why. A busy machine may take longer than the 200 ms that a page waits: then it
 *  is asked again. */
async function explained(count) {
  for (let tries = 0; ; tries += 1) {
    const state = await page.waitForFunction((least) => {
      const all = [...document.querySelectorAll('[data-testid="why"] .placement')];
      if (all.some((one) => one.textContent.includes('longer than 200 ms'))) return 'late';
      return all.length === least && all.every((one) => one.querySelector('.rivals tr[data-chosen="true"]') !== null) && 'shown';
    }, count);
    if ((await state.jsonValue()) === 'shown') return;
    expect(tries < 5, 'the ads came later than after 200 ms, five times');
    await page.reload();
  }
}

/** On the home page. */
async function be(name) {
  await page.getByLabel('You are').selectOption({ label: name });
  await explained(3);
}

const seen = async () => countOf(await page.getByTestId('seen').innerText());
const topics = (title) => page.locator('.topics', { has: page.getByRole('heading', { name: title }) }).locator('li');

await watchLayoutShift();
await page.setViewportSize(DESKTOP);

await check('who is nobody sees ads of the page alone, and no profile is asked for', async () => {
  let asked = 0;
  const count = (request) => (asked += request.url().endsWith('/v1/demo/profile') ? 1 : 0);
  page.on('request', count);
  await open('/demo/');
  await explained(3);
  expectEqual(await page.getByTestId('known').getAttribute('data-personal'), 'false', 'personal');
  await page.getByTestId('known').getByText('Contextual only').waitFor();
  await page.getByTestId('known').getByText('there is no profile').waitFor();
  page.off('request', count);
  expectEqual(asked, 0, 'profiles asked for');
});

await check('the ads come without moving the page', async () => {
  for (const path of ['/demo/', '/demo/courses', '/demo/courses/course-17', '/demo/events', '/demo/results']) {
    await open(path);
    await explained(path === '/demo/' ? 3 : 2);
    await page.waitForFunction(() => [...document.querySelectorAll('[data-marquee-slot]')].every((slot) => slot.querySelector('.marquee-box a') !== null));
    const shift = await layoutShift();
    expect(shift < 0.01, `layout shift of ${path}: ${shift}`);
  }
});

await check('a student is known a second after what they do', async () => {
  await open('/demo/');
  await be('Imran Qureshi');
  await page.getByTestId('known').getByText('Personal', { exact: true }).waitFor();
  await page.waitForFunction(() => Number(document.querySelector('[data-testid="seen"]')?.textContent) >= 3);
  const delays = [];
  for (const [path, title] of [['/demo/courses/course-17', 'Constitutional law, case by case'], ['/demo/courses/course-21', 'Anatomy with a pencil'], ['/demo/courses/course-5', 'Robots that feel their way']]) {
    await page.evaluate((to) => {
      history.pushState(null, '', to);
      dispatchEvent(new Event('demo:navigated'));
    }, path);
    const started = performance.now();
    await topics('Courses').filter({ hasText: title }).waitFor();
    delays.push(performance.now() - started);
  }
  delays.sort((a, b) => a - b);
  expect(delays[1] < 1000, `until the panel knew of a course: ${delays.map(Math.round).join(', ')} ms`);
  return `${delays.map(Math.round).join(', ')} ms`;
});

await check('a search finds courses, and becomes an interest', async () => {
  await open('/demo/');
  await page.getByRole('searchbox').fill('film');
  await page.getByRole('button', { name: 'Search' }).click();
  await page.getByRole('heading', { level: 1, name: /film/ }).waitFor();
  await page.getByRole('link', { name: /Short film, start to screening/ }).waitFor();
  await topics('Words searched for').filter({ hasText: 'film' }).waitFor();
  await explained(2);
});

await check('who looks at law is shown law, and the panel says why', async () => {
  await open('/demo/');
  await be('Dev Patel');
  await page.goto(`${url}/demo/courses/course-18`);
  await topics('Subjects').filter({ hasText: 'Law' }).waitFor();
  await page.getByRole('link', { name: 'Home' }).click();
  await explained(3);
  const why = await page.locator('.placement[data-slot="home-top"]').innerText();
  expect(/goes before the rest/.test(why), `what the panel says: ${why}`);
  const summary = page.locator('.placement[data-slot="home-top"] summary');
  await summary.click();
  await page.locator('.placement[data-slot="home-top"] .reasons').getByText('Another goes first').waitFor();
});

/** The live stream that the console reads. `heard(pattern)` resolves at the moment when something of that pattern has come since. */
async function listen() {
  const controller = new AbortController();
  const stream = await fetch(`${url}/v1/live?site=campus`, { headers: { Authorization: `Bearer ${token}` }, signal: controller.signal });
  expect(stream.ok, `the live stream answered ${stream.status}`);
  const reader = stream.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  let look = () => {};
  void (async () => {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      text += value;
      look();
    }
  })().catch(() => {});
  return {
    heard(pattern) {
      text = '';
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`the live stream told of no ${pattern} within 15 s`)), 15_000);
        look = () => {
          if (!pattern.test(text)) return;
          clearTimeout(timer);
          resolve(performance.now());
        };
      });
    },
    end: () => controller.abort(),
  };
}

await check('an ad that is clicked leads to its course, and panel and live console count it within a second', async () => {
  const live = await listen();
  const delays = [];
  // The machine may be busy with something else for a while: one of three has to keep the bound.
  for (let tries = 0; tries < 3 && (tries === 0 || Math.max(...delays.at(-1)) >= 1000); tries += 1) {
    await open('/demo/');
    await be('Meera Nair');
    await page.waitForFunction(() => Number(document.querySelector('[data-testid="seen"]')?.textContent) >= 3);
    const before = countOf(await page.getByTestId('clicked').innerText());
    const heard = live.heard(/"click":1/);
    const started = performance.now();
    await page.locator('[data-marquee-slot="home-top"] .marquee-box a').click();
    await page.waitForURL(/\/demo\/courses\/course-\d+\?from=/);
    await page.getByRole('heading', { level: 1 }).waitFor();
    const arrived = performance.now();
    await page.waitForFunction((least) => Number(document.querySelector('[data-testid="clicked"]')?.textContent) > least, before, { polling: 20 });
    delays.push([performance.now() - arrived, (await heard) - started]);
  }
  live.end();
  const [panel, stream] = delays.at(-1).map(Math.round);
  expect(panel < 1000 && stream < 1000, `panel and live stream: ${JSON.stringify(delays)} ms`);
  return `panel ${panel} ms after the course's page came, live stream ${stream} ms after the click`;
});

await check('who is under 18 has no profile, whatever they do', async () => {
  await open('/demo/');
  await be('Tara Sen (17)');
  await page.getByTestId('known').getByText('Contextual only').waitFor();
  await page.getByTestId('known').getByText('under 18').waitFor();
  await page.getByRole('link', { name: /Machine learning by hand/ }).first().click();
  await explained(2);
  expectEqual(await page.getByTestId('seen').count(), 0, 'numbers of a profile');
});

await check('it is used by keyboard alone', async () => {
  await open('/demo/');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter'); // Skip to the page.
  await page.keyboard.press('Tab');
  expectEqual(await page.evaluate(() => document.activeElement?.getAttribute('type')), 'search', 'after the skip link');
  await page.keyboard.type('python');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: /python/ }).waitFor();
  expectEqual(await page.evaluate(() => document.activeElement?.tagName), 'H1', 'the focus after a page has come');
});

await check('a visitor begins afresh as nobody knows them', async () => {
  await open('/demo/');
  await be('Imran Qureshi');
  await page.waitForFunction(() => Number(document.querySelector('[data-testid="seen"]')?.textContent) > 3);
  await page.getByRole('button', { name: /Start afresh/ }).click();
  await page.waitForFunction(() => Number(document.querySelector('[data-testid="seen"]')?.textContent) <= 3);
  expect((await seen()) <= 3, 'ads seen');
});

for (const scheme of ['light', 'dark']) {
  for (const [name, size] of [['390', PHONE], ['1280', { width: 1280, height: 860 }]]) {
    await check(`it is accessible and fits at ${name} px, ${scheme}`, async () => {
      await page.emulateMedia({ colorScheme: scheme });
      await page.setViewportSize(size);
      for (const [path, title] of [['/demo/', 'home'], ['/demo/courses?q=law', 'search'], ['/demo/courses/course-27', 'course'], ['/demo/events', 'events'], ['/demo/results', 'results']]) {
        await open(path);
        if (title === 'home') await be('Asha Rao');
        await explained(title === 'home' ? 3 : 2);
        await page.waitForFunction(() => [...document.querySelectorAll('[data-marquee-slot]')].every((slot) => slot.querySelector('.marquee-box a') !== null));
        expectEqual(await overflow(), 0, `${path} is wider than its window by`);
        await page.screenshot({ path: join(artifacts, `demo-${title}-${name}-${scheme}.png`) });
        let found = await violations();
        expect(found.length === 0, `${path}: ${found.join('\n    ')}`);
        if (size === PHONE && title === 'home') {
          await page.getByRole('button', { name: 'Why these ads?' }).click();
          await page.locator('.panel[data-open="true"]').waitFor();
          await page.locator('.panel').evaluate((panel) => Promise.all(panel.getAnimations().map((one) => one.finished)));
          await page.screenshot({ path: join(artifacts, `demo-panel-${name}-${scheme}.png`) });
          found = await violations();
          expect(found.length === 0, `the panel: ${found.join('\n    ')}`);
          await page.keyboard.press('Escape');
          await page.locator('.panel[data-open="false"]').waitFor();
        }
      }
    });
  }
}

await finish();
