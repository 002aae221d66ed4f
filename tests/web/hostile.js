/* What devices and files say is text, whatever it looks like. */
import { check, waitFor } from './lib/tap.js';
import { onDuty, screenshot } from './lib/browser.js';

const isSafe = (page) => page.evaluate(() => globalThis.hacked === undefined && !document.querySelector('img'));

export async function run({ stack, browser, hostile }) {
  const context = await browser.desk(stack.url);
  const page = await browser.open(context, stack.url, stack.person('supervisor'));
  await onDuty(page);
  await stack.press(stack.wristband(2));
  const id = await waitFor(() => stack.ticketOf(stack.wristband(2)));
  await page.waitForSelector(`[data-ticket="${id}"]`);
  check((await page.textContent(`[data-ticket="${id}"]`)).includes(hostile.resident), 'a name in the queue is text');
  await page.click(`[data-ticket="${id}"]`);
  await page.keyboard.press('c');
  await page.waitForSelector('.household .contacts');
  const home = await page.textContent('.household');
  for (const field of ['resident', 'address', 'conditions', 'notes', 'contact'])
    check(home.includes(hostile[field]), `${field} of a home is text`);
  await page.fill('.notes textarea', hostile.note);
  await page.click('.notes form button');
  await page.waitForSelector('.notes li');
  check((await page.textContent('.notes li')).includes(hostile.note), 'a note is text');
  await screenshot(page, 'desk-hostile');

  const odd = stack.raise(hostile.identity, 'panic', { code: hostile.code, networks: [hostile.network], raw_text: hostile.network },
    { protocol: 'watch', flags: 'unknown_device' });
  await page.waitForSelector(`[data-ticket="${odd}"]`);
  await page.click(`[data-ticket="${odd}"]`);
  await page.waitForSelector(`.ticket-head .number:has-text("#${odd}")`);
  const told = await page.textContent('.ticket');
  for (const field of ['identity', 'code', 'network']) check(told.includes(hostile[field]), `${field} of a frame is text`);
  await page.keyboard.press('/');
  await page.fill('dialog input', 'onerror');
  await page.waitForSelector('.found li');
  check((await page.textContent('.found')).includes('<img'), 'what a search finds is text');
  await page.keyboard.press('Escape');
  for (const name of ['wall', 'duty', 'homes', 'limits', 'audit']) {
    await page.evaluate((hash) => { location.hash = hash; }, `#/${name}`);
    await page.waitForSelector(name === 'wall' ? '.wall' : '.page');
  }
  check(await isSafe(page), 'none of it has run or become a picture');
  await context.close();
}
