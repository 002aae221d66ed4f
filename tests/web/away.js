/* PostgreSQL is stopped: an alarm that is accepted meanwhile is on the screen, marked as not yet stored. */
import { check, waitFor } from './lib/tap.js';
import { onDuty, screenshot } from './lib/browser.js';

const SHOWN_S = 2;

export async function run({ stack, browser }) {
  const context = await browser.desk(stack.url);
  const page = await browser.open(context, stack.url, stack.person('operator'));
  await onDuty(page);
  stack.command('stop', 'postgres');
  try {
    check(await page.waitForSelector('.banner.danger:has-text("数据库")').then(() => true), 'the page says that the database is away');
    const answer = await stack.press(stack.wristband(20));
    check(/AL\]$/.test(answer), 'the device is told that its alarm is accepted');
    const began = performance.now();
    const mark = await page.waitForSelector(`.unstored li:has-text("${stack.wristband(20)}")`, { timeout: 20000 }).catch(() => null);
    const shown_s = (performance.now() - began) / 1000;
    check(mark && shown_s < SHOWN_S, `it is on the screen within ${SHOWN_S} s`, `${shown_s.toFixed(2)} s`);
    check(mark && (await mark.textContent()).includes('尚未入库'), 'marked as not yet stored');
    await screenshot(page, 'desk-database-away');
  } finally {
    stack.command('start', 'postgres');
  }
  const id = await waitFor(() => { try { return stack.ticketOf(stack.wristband(20)); } catch { return 0; } }, 60);
  check(await page.waitForSelector(`[data-ticket="${id}"]`, { timeout: 60000 }).then(() => true), 'it becomes a ticket when the database is back');
  check(await waitFor(async () => !await page.$('.unstored'), 30), 'and is no longer marked');
  await context.close();
}
