/* A silent meter: the ticket shows why, and refuses to close before its cause is confirmed. */
import { check, waitFor } from './lib/tap.js';
import { offers, onDuty, screenshot } from './lib/browser.js';

const SILENCE = {
  rules: ['learned'], since_us: 1795300000000000, known_us: 1795330000000000, last_use_us: 1795299000000000,
  last_use_ml: 12400, quiet_hours: 10.3, effective_hours: 21.44, threshold_hours: 21.3, usual_chance: 0.72,
  false_before: 3, true_before: 1,
  expected: [0.1, 0.05, 0.03, 0.03, 0.05, 0.2, 0.6, 0.85, 0.7, 0.5, 0.4, 0.5, 0.65, 0.5, 0.3, 0.3, 0.4, 0.6, 0.75, 0.7, 0.5, 0.4, 0.3, 0.72],
  actual_l: [0, 0, 0, 0, 0, 3, 22, 41, 8, 0, 12, 9, 14, 12.4, 0, 0, 0, 0, 0, 0, 0, 0, null, 0],
};

export async function run({ stack, browser }) {
  const context = await browser.desk(stack.url);
  const page = await browser.open(context, stack.url, stack.person('operator'));
  await onDuty(page);
  const id = stack.raise('WM-000011', 'silence', SILENCE, { flags: 'not_reporting' });
  await page.click('#lane-silence');
  await page.click(`[data-ticket="${id}"]`);
  await page.waitForSelector('.curve svg');
  check(await page.getAttribute('.curve svg', 'aria-label').then((said) => /8/.test(said)), 'the curve of a silence is said in words too');
  await page.keyboard.press('c');
  await offers(page, 'answer');
  await page.keyboard.press('d');
  await offers(page, 'dispatch');
  await page.keyboard.press('x');
  check(!await page.$('dialog[open]'), 'a silence offers no closing before it is confirmed');
  const status = await page.evaluate(async (ticket) => {
    const session = await (await fetch('/api/session')).json();
    const answer = await fetch(`/api/tickets/${ticket}/close`, { method: 'POST', body: '{"outcome":"away"}',
      headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': session.csrf } });
    return [answer.status, (await answer.json()).code];
  }, id);
  check(status[0] === 409 && status[1] === 'wrong_state', 'and the server refuses it', status.join(' '));
  await screenshot(page, 'desk-silence');
  await page.keyboard.press('v');
  await offers(page, 'close');
  await page.keyboard.press('d');
  await page.waitForSelector('dialog[open]');
  await page.keyboard.press('1');
  await page.keyboard.press('Enter');
  check(await waitFor(() => stack.value(`select state from onekey.ticket where id = ${id}`) === 'closed'), 'once confirmed it closes');
  await context.close();
}
