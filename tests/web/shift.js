/* An operator's shift, by mouse and by keyboard, in both languages: an alarm is heard and seen, claimed, answered,
 * helped, confirmed, closed. */
import { check, pause, waitFor } from './lib/tap.js';
import { offers, onDuty, screenshot, tones } from './lib/browser.js';

const KEYS_MAX = 12;
const SEEN_S = 5; // generous on a busy machine; what is measured is told

async function arrives(stack, page, household) {
  const identity = stack.wristband(household);
  const before = await tones(page);
  const began = performance.now();
  await stack.press(identity);
  const row = await page.waitForSelector(`.row:has-text("样例老人${String(household).padStart(5, '0')}")`, { timeout: 30000 });
  const seen_ms = performance.now() - began;
  const isHeard = await waitFor(async () => await tones(page) > before, SEEN_S);
  const id = await waitFor(() => stack.ticketOf(identity));
  return { id, identity, row, seen_ms, isHeard };
}

/* Does things by clicks or by keys and counts the keys. */
class Hands {
  constructor(page, byKeys) { this.page = page; this.byKeys = byKeys; this.count = 0; }

  async press(key, selector) {
    if (this.byKeys) { this.count++; await this.page.keyboard.press(key); }
    else await this.page.click(selector);
  }
}

const state = (stack, id) => stack.value(`select state from onekey.ticket where id = ${id}`);
const becomes = (stack, id, wanted) => waitFor(() => state(stack, id) === wanted);

/* From the claim to the end. Resolves with the hands. */
async function work(stack, page, id, byKeys) {
  const hands = new Hands(page, byKeys);
  const next = '.next button.primary';
  if (byKeys) await hands.press('c');
  else {
    await page.click(`[data-ticket="${id}"]`);
    await page.click(next);
  }
  await offers(page, 'answer');
  await hands.press('d', next);
  await offers(page, 'dispatch');
  await hands.press('d', next);
  await page.waitForSelector('dialog[open]');
  await hands.press('Enter', 'dialog button.primary');
  await offers(page, 'scene');
  await hands.press('d', next);
  await offers(page, 'verify');
  await hands.press('d', next);
  await offers(page, 'close');
  await hands.press('d', next);
  await page.waitForSelector('dialog[open]');
  await hands.press('3', 'dialog .choices label:nth-of-type(3)');
  await hands.press('Enter', 'dialog button.primary');
  return hands;
}

async function shift({ stack, browser }, { language, byKeys, household, listens }) {
  const name = `${language}, by ${byKeys ? 'keyboard' : 'mouse'}`;
  const context = await browser.desk(stack.url, { language });
  const page = await browser.open(context, stack.url, stack.person('operator'));
  await onDuty(page);
  const { id, seen_ms, isHeard } = await arrives(stack, page, household);
  check(seen_ms < SEEN_S * 1000, `${name}: a press is on the screen at once`, `${seen_ms.toFixed(0)} ms from the press`);
  check(isHeard, `${name}: and is heard`);
  if (listens) {
    const first = await tones(page);
    check(await waitFor(async () => await tones(page) > first, 15), `${name}: again and again until it is claimed`);
  }
  check(await waitFor(() => stack.value(`select presented_at is not null from onekey.ticket where id = ${id}`) === 't'),
    `${name}: it is on record that it was shown`);
  const hands = await work(stack, page, id, byKeys);
  check(await becomes(stack, id, 'closed'), `${name}: claimed, answered, dispatched, on scene, confirmed, closed`,
    `${hands.count} keys`);
  if (byKeys) check(hands.count <= KEYS_MAX, `${name}: in at most ${KEYS_MAX} keystrokes`, `${hands.count}`);
  if (listens) {
    const quiet = await tones(page);
    await pause(5000);
    check(await tones(page) === quiet, `${name}: and it is quiet again`);
  }
  check(stack.value(`select count(*) from onekey.ticket_helper where ticket_id = ${id}`) === '3',
    `${name}: those who were told stand in the checklist`);
  await context.close();
}

/* A further press while the ticket is in hand; a hold that ends by time, and one that a press ends. */
async function again({ stack, browser }) {
  const context = await browser.desk(stack.url);
  const page = await browser.open(context, stack.url, stack.person('operator'));
  await onDuty(page);
  const { id, identity } = await arrives(stack, page, 10);
  await page.keyboard.press('c');
  await becomes(stack, id, 'claimed');
  await page.waitForSelector('.household .contacts');
  check(await page.isVisible('.household .must-read'), 'the home is there with what must be read on top');
  const before = await tones(page);
  await stack.press(identity);
  check(await waitFor(async () => await tones(page) > before, 10), 'a repeated press rings again for its owner');
  check(await page.waitForSelector('.ticket-head .presses').then(async (mark) => await mark.textContent() === '×2'),
    'and is counted');
  await screenshot(page, 'desk-in-hand');

  await page.fill('.notes textarea', '样例备注：稍后再拨');
  await page.reload();
  await page.waitForSelector('.notes textarea');
  check(await page.inputValue('.notes textarea') === '样例备注：稍后再拨', 'the draft of a note survives a reload');
  await page.click('.notes form button');
  check(await waitFor(() => stack.value(`select count(*) from onekey.ticket_event where ticket_id = ${id} and kind = 'note'`) === '1'),
    'the note is added once');
  await page.click('.notes li button');
  await page.click('.notes .ask .danger');
  await page.waitForSelector('.notes li.struck');
  check(await page.textContent('.notes li.struck s') === '样例备注：稍后再拨', 'it is struck and still there');

  await page.keyboard.press('d');
  await offers(page, 'dispatch');
  await hold(page);
  check(await waitFor(() => stack.value(`select held_until is not null from onekey.ticket where id = ${id}`) === 't'),
    'it is held with a reason');
  check(await waitFor(async () => await page.textContent('#lane-held b') === '1'), 'and counted among those on hold');
  stack.sql(`update onekey.ticket set held_until = clock_timestamp() - interval '1 s' where id = ${id};
    select onekey.expire_tickets('${stack.values.DISTRICT}')`);
  check(await page.waitForSelector(`.row [data-ticket="${id}"]`).then(() => true), 'the hold ends and it is back');
  await page.click(`[data-ticket="${id}"]`);
  await page.keyboard.press('c');
  await becomes(stack, id, 'claimed');
  await page.waitForSelector('.more-actions');
  await hold(page);
  await waitFor(() => stack.value(`select held_until is not null from onekey.ticket where id = ${id}`) === 't');
  await stack.press(identity);
  check(await waitFor(() => stack.value(`select held_until is null from onekey.ticket where id = ${id}`) === 't'),
    'a press ends a hold at once');
  check(await page.waitForSelector(`.row [data-ticket="${id}"]`).then(() => true), 'and the row is back');
  await context.close();
}

async function hold(page) {
  await page.waitForFunction(() => [...document.querySelectorAll('.more-actions kbd')].some((key) => key.textContent === 'H'));
  await page.keyboard.press('h');
  await page.waitForSelector('dialog[open]');
  await page.keyboard.press('3');
  await page.click('dialog button.primary');
  await page.waitForSelector('dialog', { state: 'detached' });
}

export async function run(context) {
  await shift(context, { language: 'zh', byKeys: false, household: 4, listens: true });
  await shift(context, { language: 'en', byKeys: true, household: 5 });
  await shift(context, { language: 'en', byKeys: false, household: 7 });
  await shift(context, { language: 'zh', byKeys: true, household: 8 });
  await again(context);
}
