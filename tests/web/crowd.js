/* Ten thousand open tickets: the page is there at once, all of them can be reached, few are drawn. */
import { check, waitFor } from './lib/tap.js';
import { onDuty } from './lib/browser.js';

const COUNT = 10000;
const SHOWN_MS = 2000; // of a log-in on a busy machine; what was measured is told

export async function run({ stack, browser }) {
  stack.sql(`insert into onekey.ticket (district, kind, priority, subject, protocol, identity, last_signal_at, received_at)
    select '${stack.values.DISTRICT}', 'device_lost', 4, 'crowd:' || n, 'crowd', 'crowd-' || n, at, at
    from generate_series(1, ${COUNT}) n cross join lateral (select clock_timestamp() - n * interval '1 minute' as at) t;
    analyze onekey.ticket`);
  const context = await browser.desk(stack.url);
  const page = await browser.open(context, stack.url, stack.person('supervisor'));
  await onDuty(page);
  const began = performance.now();
  await page.click('#lane-devices');
  await page.waitForSelector('.row');
  const shown_ms = performance.now() - began;
  check(shown_ms < SHOWN_MS, `a lane of ${COUNT} tickets is there at once`, `${shown_ms.toFixed(0)} ms`);
  check(await waitFor(async () => Number(await page.textContent('#lane-devices b')) >= COUNT), 'and all of them are counted');
  check(await page.locator('.row').count() < 60, 'only those in sight are drawn', `${await page.locator('.row').count()} rows`);
  const height = () => page.evaluate(() => {
    const list = document.querySelector('.rows');
    list.scrollTop = list.scrollHeight;
    return list.scrollHeight;
  });
  check(await waitFor(async () => await height() > 64 * 250, 30, 200), 'more of them come as one scrolls');
  const scroll_ms = await page.evaluate(async () => {
    const list = document.querySelector('.rows');
    const start = performance.now();
    for (let i = 0; i < 30; i++) {
      list.scrollTop = i * 400;
      await new Promise(requestAnimationFrame);
    }
    return (performance.now() - start) / 30;
  });
  check(scroll_ms < 100, 'scrolling stays smooth', `${scroll_ms.toFixed(1)} ms a frame`);
  await context.close();
  stack.sql(`delete from onekey.ticket where identity like 'crowd-%'`);
}
