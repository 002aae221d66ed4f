/* The line is cut, or goes dead without a word: the page says so, and is complete again when it is back. */
import { check, waitFor } from './lib/tap.js';
import { onDuty, screenshot, tones } from './lib/browser.js';
import { Proxy } from './lib/proxy.js';

const BACK_S = 5;
const STALE_S = 20;

export async function run({ stack, browser }) {
  const proxy = await new Proxy(stack.url).listen();
  const context = await browser.desk(proxy.url);
  try {
    const page = await browser.open(context, proxy.url, stack.person('operator'));
    await onDuty(page);
    proxy.cut();
    check(await page.waitForSelector('.banner:has-text("重连")').then(() => true), 'a cut line is told at once');
    for (const household of [16, 17]) await stack.press(stack.wristband(household));
    await waitFor(() => stack.ticketOf(stack.wristband(17)));
    proxy.mend();
    await complete(stack, page, [16, 17], 'after a cut');

    const began = performance.now();
    proxy.die();
    await stack.press(stack.wristband(19));
    const before = await tones(page);
    check(await page.waitForSelector('.rows.stale', { timeout: 40000 }).then(() => true), 'a dead line turns the rows grey');
    const stale_s = (performance.now() - began) / 1000;
    check(stale_s < STALE_S + 4, `within ${STALE_S} s`, `${stale_s.toFixed(1)} s after the last word`);
    check(await page.isVisible('.banner.danger:has-text("不是实时")') && /\d\d:\d\d:\d\d/.test(await page.textContent('.banner.danger')),
      'a banner says so, with the last true moment');
    check(await waitFor(async () => await tones(page) > before, 15), 'and it is heard');
    await screenshot(page, 'desk-stale');
    proxy.mend();
    await complete(stack, page, [19], 'after a dead line');
    check(await waitFor(async () => !await page.$('.rows.stale')), 'and nothing is grey any more');
  } finally {
    await context.close();
    proxy.close();
  }
}

async function complete(stack, page, households, when) {
  const began = performance.now();
  for (const household of households) {
    const id = await waitFor(() => stack.ticketOf(stack.wristband(household)));
    await page.waitForSelector(`[data-ticket="${id}"]`);
  }
  const back_s = (performance.now() - began) / 1000;
  check(back_s < BACK_S, `${when} the queue is complete within ${BACK_S} s`, `${back_s.toFixed(1)} s`);
}
