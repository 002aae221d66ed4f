/* What else is done to tickets: marked as a test, opened again, merged, handed over, given back; and single keys
 * that are switched off. */
import { check, waitFor } from './lib/tap.js';
import { offers, onDuty } from './lib/browser.js';

const of = (stack, id, column) => stack.value(`select ${column} from onekey.ticket where id = ${id}`);

async function claimed(stack, page, id) {
  await page.waitForSelector(`[data-ticket="${id}"]`);
  await page.click(`[data-ticket="${id}"]`);
  await offers(page, 'claim');
  await page.keyboard.press('c');
  await waitFor(() => of(stack, id, 'claimed_by'));
  await page.waitForSelector('.more-actions');
}

/* The dialog of a key, filled in and done. */
async function ask(page, key, fill = () => {}) {
  await page.waitForFunction((name) => [...document.querySelectorAll('.more-actions kbd')]
    .some(({ textContent }) => textContent === name), key.toUpperCase());
  await page.keyboard.press(key);
  await page.waitForSelector('dialog[open]');
  await fill();
  await page.click('dialog button.primary');
  await page.waitForSelector('dialog', { state: 'detached' });
}

async function test(stack, page) {
  await stack.press(stack.wristband(40));
  const id = await waitFor(() => stack.ticketOf(stack.wristband(40)));
  await claimed(stack, page, id);
  await ask(page, 'e');
  check(await waitFor(() => of(stack, id, 'is_test') === 't'), 'a ticket is marked as a test');
  await offers(page, 'close');
  await page.keyboard.press('d');
  await page.waitForSelector('dialog[open] .chosen');
  await page.keyboard.press('Enter');
  check(await waitFor(() => of(stack, id, 'outcome') === 'test'), 'and closed as one without a call');
  await page.waitForSelector('.outcome');
  await ask(page, 'r', () => page.fill('dialog input', '样例原因'));
  check(await waitFor(() => of(stack, id, 'state') === 'open' && of(stack, id, 'episode') === '2'), 'it is opened again');
  return id;
}

async function merge(stack, page, into) {
  const id = stack.raise(stack.wristband(40), 'fall', {}, { protocol: 'watch' });
  await claimed(stack, page, id);
  await ask(page, 'm', () => page.fill('dialog .field input', String(into)));
  check(await waitFor(() => of(stack, id, 'merged_into') === String(into)), 'one is merged into another');
}

async function handOver(stack, browser, page, id) {
  const other = stack.add('sample-colleague', 'operator', '样例同事');
  const context = await browser.desk(stack.url);
  const desk = await browser.open(context, stack.url, other);
  await onDuty(desk);
  await page.click(`[data-ticket="${id}"]`);
  await page.waitForSelector('.more-actions');
  await ask(page, 't', () => page.click('dialog label:has-text("样例同事")'));
  check(await waitFor(() => of(stack, id, 'claimed_by') === other.name), 'a ticket is handed over');
  await desk.waitForSelector(`.in-hand button:has-text("样例老人00040")`);
  check(true, 'and is in the hands of the colleague');
  await desk.click('.in-hand button');
  await desk.waitForSelector('.more-actions');
  await ask(desk, 'b');
  check(await waitFor(() => of(stack, id, 'claimed_by') === ''), 'who gives it back to the queue');
  await context.close();
}

async function keysOff(stack, page, id) {
  await page.click('.top > button:last-child');
  await page.click('dialog input[type=checkbox]');
  await page.keyboard.press('Escape');
  await page.waitForSelector('dialog', { state: 'detached' });
  await page.click(`[data-ticket="${id}"]`);
  await offers(page, 'claim');
  await page.keyboard.press('c');
  await page.waitForTimeout(500);
  check(of(stack, id, 'claimed_by') === '', 'single keys that are switched off do nothing');
  await page.keyboard.press('Alt+c');
  check(await waitFor(() => of(stack, id, 'claimed_by') !== ''), 'and work together with Alt');
}

/* What the escalation does to a ticket that nobody takes; the time until then is not waited for here. */
async function louder(stack, page) {
  await stack.press(stack.wristband(41));
  const id = await waitFor(() => stack.ticketOf(stack.wristband(41)));
  stack.sql(`update onekey.ticket set ring_level = 1 where id = ${id};
    select pg_notify('onekey_ticket', '${stack.values.DISTRICT} ${id}')`);
  check(await page.waitForSelector(`[data-ticket="${id}"] .loud`).then(() => true), 'an alarm that waits too long is marked');
}

export async function run({ stack, browser }) {
  const context = await browser.desk(stack.url);
  const page = await browser.open(context, stack.url, stack.person('operator'));
  await onDuty(page);
  const id = await test(stack, page);
  await merge(stack, page, id);
  await handOver(stack, browser, page, id);
  await keysOff(stack, page, id);
  await louder(stack, page);
  await context.close();
}
