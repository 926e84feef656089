// A Chromium that a test uses as a person does, and the checks that it makes: a line per check; one fails on what it expects, and on
// any error in the browser's console.
//
// Environment: MARQUEE_URL, MARQUEE_TOKEN, MARQUEE_WRITE_KEY (of the site campus), of a Marquee that runs; MARQUEE_ARTIFACTS, where
// screenshots go (default build/artifacts); CHROMIUM (default /usr/bin/chromium). The first argument: part of the names of the checks
// to run.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const require = createRequire(join(root, 'web/console/package.json'));
const { chromium } = require('playwright-core');
const axeSource = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

export const { MARQUEE_URL: url, MARQUEE_TOKEN: token, MARQUEE_WRITE_KEY: writeKey } = process.env;
if (!url || !token || !writeKey) {
  console.error('Set MARQUEE_URL, MARQUEE_TOKEN and MARQUEE_WRITE_KEY to those of a running Marquee.');
  process.exit(2);
}
export const artifacts = process.env.MARQUEE_ARTIFACTS ?? join(root, 'build/artifacts');
mkdirSync(artifacts, { recursive: true });

export const DESKTOP = { width: 1360, height: 900 };
export const PHONE = { width: 390, height: 844 };
export const NARROW = { width: 1280, height: 800 };
export const WIDE = { width: 1920, height: 1080 };
const only = process.argv[2];
export const problems = [];
/** Errors in the browser's console that a test knows of: patterns. */
export const known = [];
let failed = 0;
let passed = 0;

export function expect(condition, message) {
  if (!condition) throw new Error(message);
}

export function expectEqual(actual, expected, what) {
  expect(actual === expected, `${what}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`);
}

export async function check(name, body) {
  if (only !== undefined && !name.includes(only)) return;
  problems.length = 0;
  const started = performance.now();
  try {
    const detail = await body();
    if (problems.length > 0) throw new Error(`the browser's console has errors:\n    ${problems.join('\n    ')}`);
    passed += 1;
    console.log(`ok      ${name} (${Math.round(performance.now() - started)} ms)${detail === undefined ? '' : `: ${detail}`}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}: ${error.message}`);
    await page.screenshot({ path: join(artifacts, `failed-${name.replace(/\W+/g, '-')}.png`), fullPage: true }).catch(() => {});
  }
}

const profile = mkdtempSync(join(tmpdir(), 'marquee-browser-'));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  headless: true,
  viewport: DESKTOP,
  locale: 'en-US',
  // A headless one is taken for a bot, whose impressions do not count and who has no profile.
  userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  args: [
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync',
  ],
});
context.setDefaultTimeout(15_000);
export const page = await context.newPage();
page.on('console', (message) => {
  if (message.type() === 'error' && !known.some((pattern) => pattern.test(message.text()))) problems.push(message.text());
});
page.on('pageerror', (error) => problems.push(`uncaught: ${error.message}`));

export async function open(path) {
  await page.goto(url + path);
  await page.getByRole('heading', { level: 1 }).waitFor();
}

export async function chartReady(testId) {
  await page.locator(`[data-testid="${testId}"][data-ready="true"]`).waitFor();
}

/** The text of a table, row by row. */
export async function tableRows(caption) {
  const table = page.getByRole('table', { name: caption });
  await table.locator('tbody tr').first().waitFor();
  return table.locator('tbody tr').evaluateAll((rows) => rows.map((row) => [...row.cells].map((cell) => cell.innerText.trim())));
}

export function countOf(text) {
  return Number(text.replace(/[^\d.]/g, ''));
}

export async function settled() {
  await page.waitForFunction(() => document.querySelectorAll('.skeleton').length === 0 && document.querySelectorAll('[aria-busy="true"]').length === 0);
}

export function seriousViolations() {
  return violations(['serious', 'critical']);
}

export async function violations(impacts = ['minor', 'moderate', 'serious', 'critical']) {
  await page.evaluate(axeSource);
  return page.evaluate(async (counted) => {
    const { violations } = await window.axe.run(document, { resultTypes: ['violations'] });
    return violations
      .filter((violation) => counted.includes(violation.impact))
      .map((violation) => `${violation.id}, ${violation.nodes.length} times: ${violation.nodes.slice(0, 3).map((node) => `${node.target.join(' ')} (${node.failureSummary ?? ''})`).join('; ')}`);
  }, impacts);
}

let sent = 0;
export async function postEvents(count) {
  const session = `browser-${process.pid}-${sent}`;
  const events = Array.from({ length: count }, (_, index) => ({
    type: index % 5 === 4 ? 'click' : 'impression',
    session_id: session,
    seq: index + 1,
    event_time: Date.now(),
    user_id: `browser-user-${index % 3}`,
    page_path: '/browser-test',
    slot_id: 'feed',
    position: 1,
    campaign_id: 'browser-test',
    ad_id: 'browser-ad',
  }));
  sent += count;
  const answer = await fetch(`${url}/v1/events`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${writeKey}` },
    body: JSON.stringify(events),
  });
  expect(answer.ok, `POST /v1/events answered ${answer.status}: ${await answer.text()}`);
}

/** How wide the page is beyond its window, in pixels. */
export function overflow() {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

/** Looks at pages in every window, light and dark: none may be wider than it, nor have an accessibility violation. `looks`: names, of
 * the pictures too, and what opens the page and waits for it. */
export async function fitEveryWindow(looks) {
  for (const scheme of ['light', 'dark']) {
    for (const viewport of scheme === 'light' ? [PHONE, NARROW, WIDE] : [NARROW, PHONE]) {
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      await page.setViewportSize(viewport);
      for (const [name, show] of Object.entries(looks)) {
        await show();
        const beyond = await overflow();
        expect(beyond <= 0, `${name}, ${viewport.width} px: the page is ${beyond} px wider than the window`);
        await page.screenshot({ path: join(artifacts, `${name}-${viewport.width}-${scheme}.png`), fullPage: true });
        if (viewport === WIDE || (viewport === PHONE && scheme === 'dark')) continue;
        const found = await seriousViolations();
        expect(found.length === 0, `${name}, ${viewport.width}, ${scheme}: ${found.join('\n    ')}`);
      }
    }
  }
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: null });
  await page.setViewportSize(DESKTOP);
}

/** Notes how far the page's content moves by itself, from its next load on; layoutShift() tells. */
export async function watchLayoutShift() {
  await page.addInitScript(() => {
    window.layoutShift = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.layoutShift += entry.value;
    }).observe({ type: 'layout-shift', buffered: true });
  });
}

export function layoutShift() {
  return page.evaluate(() => window.layoutShift);
}

/** Closes the browser, prints the counts and ends the process. */
export async function finish() {
  await context.close();
  rmSync(profile, { recursive: true, force: true });
  console.log(`${passed} passed, ${failed} failed; screenshots in ${artifacts}`);
  process.exit(failed === 0 ? 0 : 1);
}
