// A browser for Python tests: reads commands as JSON lines from standard input and answers each with a JSON line.
import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';
import readline from 'node:readline';

const require = createRequire(new URL('../../web/package.json', import.meta.url));
const { chromium } = require('playwright-core');
const axe = await readFile(require.resolve('axe-core'), 'utf8');

const browser = await chromium.launch({
  executablePath: process.env.MONITOR_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--enable-precise-memory-info', '--js-flags=--expose-gc'],
});
let context;
let pages = [];
const faults = [];
const origins = new Set();  // of the addresses that a test has opened: a page that is left may still ask its server
let expected = [];  // console messages that a test provokes


async function newPage() {
  const page = await context.newPage();
  page.on('console', (message) => {
    const text = `${message.text()} ${message.location().url ?? ''}`;
    if (message.type() === 'error' && !expected.some((one) => text.includes(one))) faults.push(`console: ${text}`);
  });
  page.on('pageerror', (error) => faults.push(`page: ${error.stack}`));
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith('data:') && origins.size > 0 && !origins.has(new URL(url).origin)) faults.push(`another origin: ${url}`);
  });
  pages.push(page);
  return page;
}

// The events that the browser traces in that time.
async function trace(page, includedCategories, seconds) {
  const session = await context.newCDPSession(page);
  const events = [];
  session.on('Tracing.dataCollected', ({ value }) => events.push(...value));
  const done = new Promise((resolve) => session.on('Tracing.tracingComplete', resolve));
  await session.send('Tracing.start', { transferMode: 'ReportEvents', traceConfig: { includedCategories } });
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  await session.send('Tracing.end');
  await done;
  await session.detach();
  return events;
}

const does = {
  // Resets the browser: no pages, no storage, no recorded faults.
  async reset() {
    await context?.close();
    context = await browser.newContext({ viewport: { width: 1280, height: 800 }, timezoneId: 'UTC', locale: 'en-GB' });
    pages = [];
    faults.length = 0;
    origins.clear();
    expected = [];
    await newPage();
  },
  async open({ url, page = 0 }) {
    while (pages.length <= page) await newPage();
    origins.add(new URL(url).origin);
    const start = performance.now();
    await pages[page].goto(url, { waitUntil: 'commit' });
    return performance.now() - start;
  },
  async wait({ code, limit = 30000, page = 0 }) {
    // Playwright's own wait evaluates a string in the page, which the page's content security policy forbids.
    const end = performance.now() + limit;
    let last = '';
    while (performance.now() < end) {
      try {
        const value = await pages[page].evaluate(code);
        if (value) return value;
        last = String(value);
      } catch (error) {
        last = error.message;  // not there yet, or the page is navigating
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`not within ${limit} ms; last: ${last}; at ${pages[page].url()}: ${(await pages[page].evaluate('document.body.innerText')).slice(0, 600)}`);
  },
  async eval({ code, page = 0 }) { return pages[page].evaluate(code); },
  async click({ selector, page = 0 }) { await pages[page].locator(selector).first().click({ timeout: 15000 }); },
  async fill({ selector, text, page = 0 }) { await pages[page].locator(selector).first().fill(text, { timeout: 15000 }); },
  async type({ text, page = 0 }) { await pages[page].keyboard.type(text); },
  async hover({ selector, page = 0 }) { await pages[page].locator(selector).first().hover({ timeout: 15000 }); },
  async key({ key, page = 0 }) { await pages[page].keyboard.press(key); },
  async drag({ selector, from, to, page = 0 }) {
    const box = await pages[page].locator(selector).first().boundingBox();
    await pages[page].mouse.move(box.x + box.width * from, box.y + box.height / 2);
    await pages[page].mouse.down();
    await pages[page].mouse.move(box.x + box.width * to, box.y + box.height / 2, { steps: 5 });
    await pages[page].mouse.up();
  },
  async size({ width, height, page = 0 }) { await pages[page].setViewportSize({ width, height }); },
  async scheme({ scheme, page = 0 }) { await pages[page].emulateMedia({ colorScheme: scheme }); },
  async content({ html, page = 0 }) { await pages[page].setContent(html); },
  async shot({ path, selector, page = 0 }) { await (selector === undefined ? pages[page] : pages[page].locator(selector).first()).screenshot({ path }); },
  // Clicks, and returns the file that the page saves then.
  async download({ selector, page = 0 }) {
    const [file] = await Promise.all([pages[page].waitForEvent('download', { timeout: 15000 }), pages[page].locator(selector).first().click({ timeout: 15000 })]);
    return { name: file.suggestedFilename(), base64: (await readFile(await file.path())).toString('base64') };
  },
  // Lets pages use the clipboard without asking.
  async allowClipboard() { await context.grantPermissions(['clipboard-read', 'clipboard-write']); },
  async expect({ texts }) { expected = texts; },
  async faults() { return faults.splice(0); },
  async offline({ offline }) { await context.setOffline(offline); },
  // As a browser that ignores how long a cookie may be kept.
  async keepCookies() {
    const cookies = await context.cookies();
    await context.addCookies(cookies.map((one) => ({ ...one, expires: -1 })));
    return cookies.length;
  },
  async axe({ page = 0 }) {
    await pages[page].evaluate(axe);
    const found = await pages[page].evaluate(() => axe.run(document, { resultTypes: ['violations'] }));
    return found.violations.filter((one) => ['serious', 'critical'].includes(one.impact))
      .map((one) => `${one.id}: ${one.help}: ${one.nodes.slice(0, 3).map((node) => node.html).join(' | ')}`);
  },
  // Script milliseconds of each task in that time, longest first. Uses a trace, because the page cannot see all tasks.
  async tasks({ seconds, page = 0 }) {
    const events = await trace(pages[page], ['devtools.timeline', 'v8'], seconds);
    const names = new Set(['FunctionCall', 'EvaluateScript', 'TimerFire', 'FireAnimationFrame', 'EventDispatch', 'RunMicrotasks']);
    return events.filter((one) => one.ph === 'X' && names.has(one.name)).map((one) => (one.tdur ?? one.dur ?? 0) / 1000).sort((a, b) => b - a).slice(0, 20);
  },
  // Milliseconds of CPU time of each task of the page's main thread in that time, longest first.
  async mainTasks({ seconds, page = 0 }) {
    const events = await trace(pages[page], ['toplevel', '__metadata'], seconds);
    const main = new Set(events.filter((one) => one.name === 'thread_name' && one.args.name === 'CrRendererMain').map((one) => `${one.pid} ${one.tid}`));
    const tasks = events.filter((one) => one.ph === 'X' && one.name.endsWith('RunTask') && main.has(`${one.pid} ${one.tid}`));
    return tasks.map((one) => (one.tdur ?? one.dur ?? 0) / 1000).sort((a, b) => b - a).slice(0, 20);
  },
  async heap({ page = 0 }) {
    const session = await context.newCDPSession(pages[page]);
    await session.send('HeapProfiler.collectGarbage');
    const { usedSize } = await session.send('Runtime.getHeapUsage');
    return usedSize;
  },
};

await does.reset();
for await (const line of readline.createInterface({ input: process.stdin })) {
  const told = JSON.parse(line);
  let answer;
  try {
    answer = { value: (await does[told.do](told)) ?? null };
  } catch (error) {
    answer = { error: String(error.message ?? error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();
