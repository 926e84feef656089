// marquee.js in Chromium against a Marquee: nothing personal is stored or sent of who has not agreed, or is a minor.
import { check, expect, expectEqual, finish, made, open, serve, Site } from './sdk_site.mjs';

const PERSONAL = { user: 'student-4711', traits: { age: 21, college_id: 'college-9', program: 'law', city: 'Pune', attributes: { grade: 'a' } } };
const WORDS = ['student-4711', 'college-9', 'Pune', '"law"', 'grade'];
const body = '<body><div data-marquee-slot="top" style="width:300px;height:250px"><template><p id="house">House</p></template></div>';

/** What the browser has of the page's origin. */
async function stored(visitor, page) {
  const own = await page.evaluate(async () => [...(await indexedDB.databases()).map(({ name }) => name), ...Object.keys(localStorage), ...Object.keys(sessionStorage)]);
  return [...own, ...(await visitor.cookies()).map(({ name }) => name)];
}

async function use(visitor, options) {
  const site = await Site.make();
  await site.advertise(['top'], { a: { kind: 'card', fields: { title: 'A' } } });
  const page = await open(visitor, serve(`/${site.id}`, `<!doctype html>${site.script({ ...PERSONAL, ...options })}${body}`));
  await page.evaluate(async () => {
    marquee.track('conversion', { value: 1 });
    await marquee.flush();
  });
  return { site, page };
}

function expectImpersonal(visitor) {
  for (const { url: address, body: text } of visitor.sent)
    for (const word of WORDS) expect(!text.includes(word) && !address.includes(word), `${word} was sent to ${address}: ${text}`);
}

check('with full consent of an adult events and decisions say who it is', async (visitor) => {
  const { site, page } = await use(visitor, { consent: 'full' });
  await page.locator('.marquee-box').waitFor();
  await site.has(1, `event_type = 'conversion' AND user_key != 0 AND college_id = 'college-9' AND consent = 'full'`);
  await site.has(1, `event_type = 'impression' AND decision_id != '' AND user_key != 0 AND college_id = 'college-9'`);
  const decision = visitor.sent.find((one) => one.url.endsWith('/v1/decisions') && one.body);
  expectEqual(JSON.parse(decision.body).attributes, { grade: 'a' }, 'attributes');
  expectEqual(await visitor.cookies(), [], 'cookies');
});

check('nothing is stored or sent before consent that is required', async (visitor) => {
  const { site, page } = await use(visitor, { consent: 'required' });
  expectEqual(visitor.sent.filter((one) => !/marquee(-ads)?\.js$/.test(one.url)), [], 'requests');
  expectEqual(await stored(visitor, page), [], 'stored');
  await page.locator('#house').waitFor();
  await page.evaluate(() => marquee.consent('full'));
  await page.locator('.marquee-card').waitFor();
  await made(page);
  await site.has(1, `event_type = 'page_view' AND user_key != 0`);
  await site.has(0, `event_type = 'conversion'`);
});

const contextual = { 'who agreed to contextual alone': [{ consent: 'contextual' }], 'who is under 18': [{ consent: 'full', minor: true }],
  'who is 17': [{ consent: 'full', traits: { ...PERSONAL.traits, age: 17 } }],
  'who sends Do Not Track': [{ consent: 'full' }, () => Object.defineProperty(navigator, 'doNotTrack', { value: '1' })],
  'who sends Global Privacy Control': [{ consent: 'full' }, () => Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })] };
for (const [name, [options, signal]] of Object.entries(contextual)) {
  check(`of ${name} nothing personal is sent and nothing stored`, async (visitor) => {
    if (signal) await visitor.addInitScript(signal);
    const { site, page } = await use(visitor, options);
    await page.locator('.marquee-box').waitFor();
    expectEqual(await stored(visitor, page), [], 'stored');
    await site.has(1, `event_type = 'conversion' AND user_key = 0 AND college_id = '' AND consent = 'contextual'`);
    await site.has(1, `event_type = 'impression' AND decision_id != '' AND user_key = 0`);
    await page.goto('about:blank');
    expectImpersonal(visitor);
  });
}

check('consent that is taken back ends everything and leaves nothing behind', async (visitor) => {
  const { site, page } = await use(visitor, { consent: 'full' });
  await site.has(1, `event_type = 'conversion'`);
  const before = await stored(visitor, page);
  expect(before.length === 1, `stored: ${before}`);
  await page.evaluate(async () => {
    marquee.track('custom', { name: 'waits' });
    marquee.consent('denied');
    marquee.track('custom', { name: 'after' });
    await marquee.flush();
  });
  await page.waitForFunction(async () => (await indexedDB.databases()).length === 0);
  const sent = visitor.sent.length;
  await page.goto(serve('/empty', '<!doctype html>'));
  expectEqual(visitor.sent.length, sent, 'requests');
  expectEqual(await stored(visitor, page), [], 'stored');
  expectEqual(await site.count(`event_type = 'custom'`), 0, 'events');
});

check('who agrees to less is no longer named in what waits', async (visitor) => {
  const site = await Site.make();
  const page = await open(visitor, serve(`/${site.id}`, `<!doctype html>${site.script({ ...PERSONAL, consent: 'full', page: false })}<body>`));
  await page.evaluate(async () => {
    marquee.track('conversion', { value: 1 });
    marquee.consent('contextual');
    await marquee.flush();
  });
  await site.has(1, `event_type = 'conversion' AND user_key = 0 AND consent = 'contextual'`);
  expectImpersonal(visitor);
});

await finish();
