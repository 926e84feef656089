// What the tests of marquee.js stand on: a Chromium, pages of an origin that is not Marquee's, sites of their own in a Marquee that
// runs, and what its store has of them.
//
// Environment: MARQUEE_URL, MARQUEE_TOKEN; MARQUEE_STORE_URL, MARQUEE_STORE_USER, MARQUEE_STORE_PASSWORD; CHROMIUM (default
// /usr/bin/chromium). The first argument: part of the names of the checks to run.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const require = createRequire(fileURLToPath(new URL('../../web/console/package.json', import.meta.url)));
const { chromium } = require('playwright-core');

const env = process.env;
export const url = env.MARQUEE_URL;
if (!url || !env.MARQUEE_TOKEN || !env.MARQUEE_STORE_URL) {
  console.error('Set MARQUEE_URL, MARQUEE_TOKEN and MARQUEE_STORE_* to those of a running Marquee.');
  process.exit(2);
}

export const AGENT = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36';
const only = process.argv[2];
let passed = 0;
let failed = 0;

export function expect(condition, message) {
  if (!condition) throw new Error(message);
}

export function expectEqual(actual, expected, what) {
  const [one, other] = [actual, expected].map((value) => JSON.stringify(value));
  expect(one === other, `${what}: expected ${other}, got ${one}`);
}

/** The first true value of `condition`, or a failure that names `what`. */
export async function until(condition, what, timeout = 15_000) {
  const deadline = performance.now() + timeout;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > deadline) throw new Error(`waited ${timeout} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

// -- pages -------------------------------------------------------------------------------------------------------------------------
const documents = new Map();
const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://x');
  // Browsers ask for it by themselves.
  const found = pathname === '/favicon.ico' ? {} : documents.get(pathname);
  response.writeHead(found ? 200 : 404, { 'Content-Type': 'text/html; charset=utf-8', ...found?.headers });
  response.end(found?.html);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
/** Of the pages: another origin than Marquee's. */
export const origin = `http://127.0.0.1:${server.address().port}`;

export function serve(path, html, headers = {}) {
  documents.set(path, { html, headers });
  return origin + path;
}

// -- Marquee -----------------------------------------------------------------------------------------------------------------------
async function api(method, path, body) {
  const answer = await fetch(url + path, {
    method,
    headers: { Authorization: `Bearer ${env.MARQUEE_TOKEN}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(answer.ok, `${method} ${path} answered ${answer.status}: ${await answer.clone().text()}`);
  return answer.json();
}

/** Rows of the store, as objects. */
export async function rows(sql) {
  const answer = await fetch(`${env.MARQUEE_STORE_URL}/?database=marquee&default_format=JSONEachRow`, {
    method: 'POST',
    headers: { Authorization: `Basic ${Buffer.from(`${env.MARQUEE_STORE_USER}:${env.MARQUEE_STORE_PASSWORD}`).toString('base64')}` },
    body: sql,
  });
  const text = await answer.text();
  expect(answer.ok, `the store answered ${answer.status} to ${sql}: ${text}`);
  return text.split('\n').filter(Boolean).map((line) => JSON.parse(line));
}

let sites = 0;
export class Site {
  static async make(settings = {}) {
    const site = new Site();
    site.id = `sdk${process.pid}x${++sites}`;
    await api('POST', '/v1/sites', { id: site.id, name: site.id, ...settings });
    site.key = (await api('POST', `/v1/sites/${site.id}/keys`, {})).key;
    return site;
  }

  /** Campaigns of one ad each, by name: its creative. Resolves once they are served. */
  async advertise(slots, creatives) {
    for (const [id, creative] of Object.entries(creatives)) {
      await api('PUT', `/v1/campaigns/${id}?site=${this.id}`, {
        id, name: id, status: 'active', pacing: 'none',
        ads: [{ id: `${id}-ad`, name: id, creative: { landing_url: `${origin}/landing`, ...creative } }],
      });
    }
    for (const id of slots) await api('PUT', `/v1/slots/${id}?site=${this.id}`, { id, name: id });
    await until(async () => {
      const answer = await fetch(`${url}/v1/decisions`, {
        method: 'POST', headers: { Authorization: `Bearer ${this.key}` }, body: JSON.stringify({ placements: [{ slot_id: slots.at(-1) }] }),
      });
      return !['unknown_slot', 'not_ready'].includes((await answer.json()).placements[0].because);
    }, 'the campaigns to be served');
  }

  /**
   * What a page says to use the SDK, with further members of init()'s options. On a busy machine 200 ms may be too short for a decision:
   * where the test is not about that (`isPatient`), the slot is asked for again.
   */
  script(options = {}, isPatient = true) {
    return `<script>window.steps=[];addEventListener('marquee:slot',({detail,target})=>{
if(${isPatient}&&detail.because==='timeout')setTimeout(()=>marquee.slot(target));else steps.push(detail)})</script><script>(m=>{for(const f of 'init track identify consent page slot conversion use'.split(' '))m[f]=(...a)=>m.q.push([f,a])})(window.marquee={q:[]});
window.made=[];marquee.use(({each})=>each((event)=>{made.push(event)}));
marquee.init(${JSON.stringify({ site: this.id, key: this.key, ...options })})</script>
<script async src="${url}/marquee.js"></script>`;
  }

  /** Events that the store has, oldest first. */
  events(what = '1') {
    return rows(`SELECT *, event_type AS type FROM marquee.events WHERE site_id = '${this.id}' AND ${what} ORDER BY session_id, seq`);
  }

  async count(what = '1') {
    return Number((await rows(`SELECT count() AS n FROM marquee.events WHERE site_id = '${this.id}' AND ${what}`))[0].n);
  }

  /** Resolves when the store has that many. */
  async has(count, what = '1') {
    let last = 0;
    await until(async () => (last = await this.count(what)) >= count, `${count} events where ${what} (${last})`).catch((error) => {
      throw new Error(`${error.message}; there are ${last}`);
    });
    expectEqual(await this.count(what), count, `events where ${what}`);
  }
}

// -- the browser -------------------------------------------------------------------------------------------------------------------
const browser = await chromium.launch({
  executablePath: env.CHROMIUM ?? '/usr/bin/chromium',
  headless: true,
  // Pages come back as they do in life.
  ignoreDefaultArgs: ['--disable-back-forward-cache'],
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update'],
});

/** A browser profile of its own; `problems` collects what the consoles of its pages report, `requests` what they send to Marquee. */
export async function visitor(settings = {}) {
  const context = await browser.newContext({ userAgent: AGENT, viewport: { width: 1000, height: 800 }, ...settings });
  context.setDefaultTimeout(15_000);
  context.problems = [];
  context.sent = [];
  context.on('page', (page) => {
    page.on('pageerror', (error) => context.problems.push(`uncaught: ${error?.stack ?? JSON.stringify(error)}`));
    page.on('console', (message) => {
      if (message.type() === 'error') context.problems.push(message.text());
    });
  });
  context.on('request', (request) => {
    if (request.url().startsWith(url)) context.sent.push({ url: request.url(), body: request.postData() ?? '' });
  });
  return context;
}

const checks = [];
/**
 * One check; `body` gets a visitor. Fails on errors in the consoles too, unless `mayComplain`. finish() runs it beside others, as most
 * of its time is waiting, unless it is to be `alone`.
 */
export function check(name, body, settings = {}) {
  if (only === undefined || name.includes(only)) checks.push({ name, body, settings });
}

async function run({ name, body, settings: { mayComplain = false, alone, ...settings } }) {
  const started = performance.now();
  const context = await visitor(settings);
  try {
    const detail = await body(context);
    if (!mayComplain && context.problems.length > 0) throw new Error(`the browser's console has errors:\n    ${context.problems.join('\n    ')}`);
    passed += 1;
    console.log(`ok      ${name} (${Math.round(performance.now() - started)} ms)${detail === undefined ? '' : `: ${detail}`}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}: ${error.stack}`);
    if (context.problems.length > 0) console.log(`    ${context.problems.join('\n    ')}`);
  } finally {
    await context.close().catch(() => {});
  }
}

/** Opens an address; resolves when the SDK is there. */
export async function open(context, address) {
  const page = await context.newPage();
  await page.goto(address);
  await ready(page);
  return page;
}

export function ready(page) {
  return page.waitForFunction(() => window.marquee && !window.marquee.q);
}

/** How many events the page made, once it has sent them. */
export async function made(page) {
  return page.evaluate(async () => {
    await window.marquee.flush();
    return window.made.length;
  });
}

const AT_ONCE = 4;

/** Runs the checks, prints the counts and ends the process. */
export async function finish() {
  const waiting = checks.filter(({ settings }) => !settings.alone);
  for (const one of checks.filter(({ settings }) => settings.alone)) await run(one);
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) await run(one);
  }));
  await browser.close();
  server.close();
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
}
