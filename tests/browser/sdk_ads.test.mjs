// marquee.js in Chromium against a Marquee: slots get their ads, what is seen counts as seen, and the page never moves.
import { check, expect, expectEqual, finish, made, open, origin, ready, serve, Site, until, url } from './sdk_site.mjs';

const PIXEL = 'data:image/svg+xml;utf8,<svg xmlns="http://www.w3.org/2000/svg" width="300" height="250"><rect width="300" height="250" fill="teal"/></svg>';
const slot = (id, style = '', inner = '') => `<div data-marquee-slot="${id}" style="width:300px;height:250px;${style}">${inner}</div>`;
const card = (title) => ({ kind: 'card', fields: { title, body: 'Open day' } });
const drawn = (page, id) => page.locator(`[data-marquee-slot="${id}"] .marquee-box`).waitFor({ state: 'attached' });
const viewable = (page, id) => page.evaluate((name) => made.some((event) => event.type === 'viewable_impression' && event.slot_id === name), id);

serve('/landing', '<!doctype html><title>Landing</title>');

check('each kind of creative is drawn, seen and clicked, and counted once', async (visitor) => {
  const site = await Site.make();
  const kinds = {
    image: { kind: 'image', width: 300, height: 250, fields: { image: PIXEL, alt: 'Teal' } },
    text: { kind: 'text', fields: { title: 'Text <b>bold</b>' } },
    card: card('Card'),
    html: { kind: 'html', fields: { html: '<a href="{{click_url}}" id="go">Go</a><script>document.body.append("ran")</script>' } },
  };
  await site.advertise(Object.keys(kinds), kinds);
  // One slot takes one kind.
  for (const kind of Object.keys(kinds)) {
    await fetch(`${url}/v1/slots/${kind}?site=${site.id}`, {
      method: 'PUT', headers: { Authorization: `Bearer ${process.env.MARQUEE_TOKEN}` }, body: JSON.stringify({ id: kind, name: kind, kinds: [kind] }),
    });
  }
  const body = Object.keys(kinds).map((kind) => slot(kind, 'float:left')).join('');
  const address = serve('/kinds', `<!doctype html>${site.script({}, false)}<body>${body}`);
  await until(async () => {
    const page = await open(visitor, address);
    await page.waitForFunction(() => steps.filter(({ step }) => step !== 'asked').length === 4);
    const good = await page.evaluate(() => steps.filter(({ step }) => step === 'rendered').every(({ slot_id, ad_id }) => ad_id === `${slot_id}-ad`));
    if (!good) await page.close();
    return good;
  }, 'the kinds of the slots to be known');
  const page = visitor.pages()[0];
  const asked = visitor.sent.filter((one) => one.url.endsWith('/v1/decisions') && one.body);
  expectEqual(JSON.parse(asked.at(-1).body).placements.length, 4, 'placements of the one request');
  expectEqual(await page.locator('.marquee-text .marquee-title').innerText(), 'Text <b>bold</b>', 'text is text');
  const frame = await (await page.locator('iframe').elementHandle()).contentFrame();
  expect(await frame.evaluate(() => document.body.innerText.includes('ran') && origin === 'null'), 'the frame is not sandboxed');
  await page.waitForFunction(() => made.filter((event) => event.type === 'viewable_impression').length === 4);
  // Where it is clicked goes with the link.
  await page.locator('[data-marquee-slot="card"]').click({ position: { x: 150, y: 50 } });
  await page.waitForURL('**/landing');
  await site.has(1, `event_type = 'click'`);
  const [click] = await site.events(`event_type = 'click'`);
  expectEqual([click.slot_id, click.ad_id, click.x ?? click.slot_x, click.y ?? click.slot_y], ['card', 'card-ad', 5000, 2000], 'the click');
  const impressions = await until(async () => {
    const all = await site.events(`event_type = 'impression' AND decision_id = '${click.decision_id}'`);
    return all.length === 4 && all;
  }, 'four impressions');
  const seen = await until(async () => {
    const all = await site.events(`event_type = 'viewable_impression' AND decision_id = '${click.decision_id}'`);
    return all.length === 4 && all;
  }, 'four views');
  const key = ({ slot_id, ad_id, campaign_id, policy, position }) => [slot_id, ad_id, campaign_id, policy, position].join();
  expectEqual(seen.map(key).sort(), impressions.map(key).sort(), 'what was seen is what was shown');
});

check('an ad counts as seen at 50 % of its pixels, a large one at 30 %, not before', async (visitor) => {
  const site = await Site.make();
  const at = (id, top, width, height) =>
    `<div data-marquee-slot="${id}" data-marquee-ad="${id}" data-marquee-campaign="c" style="position:absolute;left:0;top:${top}px;width:${width}px;height:${height}px"></div>`;
  // The window is 800 px high.
  const page = await open(visitor, serve('/edges', `<!doctype html>${site.script()}<body>${[
    at('half', 800 - 125, 300, 250), at('less', 800 - 124, 300, 250), at('third', 800 - 75, 970, 250), at('less-than-third', 800 - 74, 970, 250), at('whole', 0, 300, 250),
  ].join('')}<div style="height:3000px"></div>`));
  await page.waitForFunction(() => made.filter((event) => event.type === 'viewable_impression').length >= 3);
  // One more second than any of them needs: until another that begins now has been seen.
  await page.evaluate(() => {
    const late = document.createElement('div');
    late.dataset.marqueeSlot = 'late';
    late.dataset.marqueeAd = 'late';
    late.style.cssText = 'position:absolute;top:0;left:400px;width:300px;height:250px';
    document.body.append(late);
  });
  await until(() => viewable(page, 'late'), 'the late one');
  const seen = await page.evaluate(() => made.filter((event) => event.type === 'viewable_impression').map((event) => event.slot_id).sort());
  expectEqual(seen, ['half', 'late', 'third', 'whole'], 'seen');
  await site.has(await made(page));
});

check('an ad counts as seen after one second without a break, not before', async (visitor) => {
  const site = await Site.make();
  const own = (id, top) => `<div data-marquee-slot="${id}" data-marquee-ad="${id}" style="position:absolute;left:0;top:${top}px;width:300px;height:250px"></div>`;
  const page = await open(visitor, serve('/second', `<!doctype html>${site.script({ page: false })}<body>${own('below', 1000)}<div style="height:3000px"></div>`));
  const inView = (ms) =>
    page.evaluate(async (time) => {
      scrollTo(0, 900);
      await new Promise((resolve) => setTimeout(resolve, time));
      scrollTo(0, 0);
      // The browser has told that it left.
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    }, ms);
  // Parts of a second are not a second, however many.
  for (let i = 0; i < 3; i++) await inView(700);
  expectEqual(await viewable(page, 'below'), false, 'seen in parts');
  const began = await page.evaluate(() => {
    scrollTo(0, 900);
    return Date.now();
  });
  const at = await page.waitForFunction(() => made.find((event) => event.type === 'viewable_impression')?.event_time).then((handle) => handle.jsonValue());
  expect(at - began >= 990, `seen after ${at - began} ms`);
  await site.has(await made(page));
  return `seen after ${at - began} ms`;
});

check('what is in a hidden tab is not seen', async (visitor) => {
  const site = await Site.make();
  const address = serve('/hidden', `<!doctype html>${site.script()}<body>
    <div data-marquee-slot="a" data-marquee-ad="a" style="width:300px;height:250px"></div>`);
  const hide = (page, isHidden) =>
    page.evaluate((value) => {
      Object.defineProperty(document, 'hidden', { value, configurable: true });
      Object.defineProperty(document, 'visibilityState', { value: value ? 'hidden' : 'visible', configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }, isHidden);
  // A busy machine may take more than the second until it is hidden: then once more.
  let before = 0;
  const page = await until(async () => {
    const opened = await open(visitor, address);
    await opened.waitForFunction(() => made.some((event) => event.type === 'impression'));
    await hide(opened, true);
    if (!(await viewable(opened, 'a'))) return opened;
    before += await made(opened);
    await opened.close();
    return null;
  }, 'the tab to be hidden before its ad is seen');
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 1300)));
  expectEqual(await viewable(page, 'a'), false, 'seen while hidden');
  await hide(page, false);
  await until(() => viewable(page, 'a'), 'it to be seen');
  await site.has(before + (await made(page)));
});

check('no failure leaves a slot empty or takes longer than 200 ms', async (visitor) => {
  const site = await Site.make();
  await site.advertise(['top'], { broken: { kind: 'image', fields: { image: `${origin}/no-such-image` } } });
  const address = serve('/house', `<!doctype html>${site.script({}, false)}<body>${slot('top', '', '<template><p id="house">House ad</p></template>')}`);
  const reasons = {
    creative: null,
    http_503: (route) => route.fulfill({ status: 503, headers: { 'Access-Control-Allow-Origin': '*' } }),
    network: (route) => route.abort(),
    timeout: () => {},
  };
  let houses = 0;
  for (const [because, fail] of Object.entries(reasons)) {
    await visitor.unrouteAll();
    if (fail !== null) await visitor.route(`${url}/v1/decisions`, fail);
    // On a busy machine any of them may be a timeout.
    const page = await until(async () => {
      const opened = await open(visitor, address);
      await opened.locator('#house').waitFor();
      const step = await opened.evaluate(() => steps.find((one) => one.step === 'house'));
      const took = await opened.evaluate(() => performance.getEntriesByType('resource').filter((one) => one.name.endsWith('/v1/decisions')).map((one) => one.duration));
      // A timer of 200 ms: on a busy machine it may ring late, but not each time.
      const isInTime = because !== 'timeout' || took.every((ms) => ms < 300);
      if (step.because === because && isInTime) return opened;
      expectEqual(step.because, 'timeout', `because, in place of ${because}`);
      await made(opened);
      await opened.close();
      return null;
    }, `a house ad because of ${because}, in time`);
    houses += await page.evaluate(() => made.filter((event) => event.type === 'impression').length);
    await made(page);
    await page.close();
  }
  expectEqual(houses, 4, 'impressions of the house ad');
  await until(async () => (await site.count(`event_type = 'impression'`)) >= houses, 'the impressions');
}, { mayComplain: true });

check('nothing on the page moves', async (visitor) => {
  const site = await Site.make();
  await site.advertise(['one', 'two'], { a: card('A title that is very long. '.repeat(30)), b: card('B') });
  const page = await visitor.newPage();
  await page.addInitScript(() => {
    window.shift = 0;
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => (window.shift += entry.value))).observe({ type: 'layout-shift', buffered: true });
  });
  await page.goto(serve('/shift', `<!doctype html>${site.script()}<body><p>Before</p>${slot('one', 'height:auto;min-height:100px')}<p>Between</p>${slot('two')}<p>After</p>`));
  await page.waitForFunction(() => steps.filter(({ step }) => step === 'viewable').length === 2);
  expectEqual(await page.evaluate(() => window.shift), 0, 'layout shift');
  expectEqual(await page.evaluate(() => document.querySelector('[data-marquee-slot]').offsetHeight), 100, 'height');
});

check('a slot that the page adds or fills itself works as those that were there', async (visitor) => {
  const site = await Site.make();
  await site.advertise(['later', 'called'], { a: card('A'), b: card('B') });
  const page = await open(visitor, serve('/later', `<!doctype html>${site.script()}<body><div id="called" style="width:300px;height:250px"></div><div id="mine" style="width:300px;height:250px">Mine</div>`));
  await page.evaluate(() => {
    document.body.insertAdjacentHTML('beforeend', '<div data-marquee-slot="later" style="width:300px;height:200px"></div>');
    marquee.slot('called');
    marquee.slot(document.querySelector('#mine'), { ad: { ad_id: 'my-ad', campaign_id: 'my-campaign' } });
  });
  await drawn(page, 'later');
  await drawn(page, 'called');
  await page.locator('#mine').click({ position: { x: 30, y: 25 } });
  await page.waitForFunction(() => made.some((event) => event.type === 'click'));
  await made(page);
  await site.has(1, `event_type = 'click' AND ad_id = 'my-ad' AND campaign_id = 'my-campaign' AND slot_id = 'mine'`);
  await site.has(1, `event_type = 'impression' AND ad_id = 'my-ad'`);
  await site.has(2, `event_type = 'impression' AND decision_id != ''`);
});

check('a pointer that rests on an ad hovers over it, with its ways', async (visitor) => {
  const site = await Site.make();
  await site.advertise(['top'], { a: card('A') });
  const page = await open(visitor, serve('/hover', `<!doctype html>${site.script()}<body style="margin:0">${slot('top')}`));
  await drawn(page, 'top');
  await page.mouse.move(600, 600);
  await page.mouse.move(30, 25);
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 150)));
  await page.mouse.move(150, 125);
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 150)));
  await page.mouse.move(600, 600);
  await page.waitForFunction(() => made.some((event) => event.type === 'hover'));
  await made(page);
  await site.has(1, `event_type = 'hover'`);
  const [hover] = await site.events(`event_type = 'hover'`);
  expect(hover.dwell_ms >= 300 && hover.decision_id !== '' && hover.ad_id === 'a-ad', JSON.stringify(hover));
  expectEqual(hover.props.moves.map(([x, y]) => [x, y]), [[5000, 5000]], 'moves');
});

check('a policy without unsafe-inline is enough', async (visitor) => {
  const site = await Site.make();
  await site.advertise(['top'], { a: card('A') });
  const policy = `default-src 'none'; script-src ${url}; connect-src ${url}; style-src 'none'`;
  const page = await open(visitor, serve('/csp', `<!doctype html><script async src="${url}/marquee.js" data-site="${site.id}" data-key="${site.key}"></script>
    <body><svg width="300" height="250" style="display:none"></svg><table><tr><td data-marquee-slot="top" width="300" height="250"></td></tr></table>`, { 'Content-Security-Policy': policy }));
  await drawn(page, 'top');
  const box = await page.locator('.marquee-box').boundingBox();
  expect(box.width >= 300 && box.height >= 250, JSON.stringify(box));
  await site.has(1, `event_type = 'impression'`);
  await site.has(1, `event_type = 'page_view'`);
}, { mayComplain: true });

check('a page of 2,000 slots asks for those that come near', async (visitor) => {
  const site = await Site.make();
  await site.advertise(['many'], { a: card('A') });
  const body = Array.from({ length: 2000 }, () => slot('many')).join('');
  const page = await visitor.newPage();
  await page.goto(serve('/many', `<!doctype html><script>window.longest=0;new PerformanceObserver((list)=>list.getEntries().forEach((entry)=>longest=Math.max(longest,entry.duration))).observe({type:'longtask',buffered:true})</script>${site.script({}, false)}<body>${body}`));
  await page.waitForFunction(() => steps.some(({ step }) => step === 'rendered' || step === 'house'));
  const asked = () => visitor.sent.filter((one) => one.url.endsWith('/v1/decisions') && one.body).length;
  expectEqual(asked(), 1, 'requests before it is scrolled');
  const slots = () => page.evaluate(() => steps.filter(({ step }) => step === 'asked').length);
  const first = await slots();
  expect(first < 20, `${first} slots were asked for at first`);
  await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  await until(async () => (await slots()) > first, 'those at the end to be asked for');
  const step = await slots();
  expect(step < 40, `${step} slots were asked for`);
  const count = await made(page);
  await until(async () => (await site.count()) >= count, 'the events');
  return `${step} of 2,000 asked for, longest task ${Math.round(await page.evaluate(() => longest))} ms`;
});

await finish();
