/* People of few rights: a street-town sees its own and no more, who may only read is offered nothing to press; and a ticket
 * on paper. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { check } from './lib/tap.js';
import { SCREENS, screenshot } from './lib/browser.js';

/* Two homes with a wristband, each in another street-town: [number, area]. */
const homes = (stack) => stack.sql(`select distinct on (a.street_town_id) substr(h.code, 2)::int, a.street_town_id from onekey.household h
  join onekey.v_area a on a.id = h.area_id where substr(h.code, 2)::int between 41 and 59 and substr(h.code, 2)::int % 3 > 0
  order by a.street_town_id, h.code desc limit 2`);

async function street(stack, browser, ids, area) {
  const person = stack.add('sample-street', 'street_town', '样例街镇');
  stack.sql(`insert into onekey.app_user_area values ('${stack.values.DISTRICT}', '${person.name}', ${area})`);
  const context = await browser.desk(stack.url);
  const page = await browser.open(context, stack.url, person);
  await page.waitForSelector(`[data-ticket="${ids[0]}"]`);
  check(await page.locator(`[data-ticket="${ids[1]}"]`).count() === 0, 'a street-town sees the alarms of its homes only');
  await page.click(`[data-ticket="${ids[0]}"]`);
  await page.waitForSelector('.household .contacts, .household .residents');
  check(await page.locator('.next button.primary').count() === 0, 'and cannot take them');
  await page.evaluate((id) => { location.hash = `#/desk/${id}`; }, ids[1]);
  check(await page.waitForSelector('.ticket .state:has-text("没有权限")').then(() => true), 'another\'s ticket is refused by its address too');
  for (const name of ['limits', 'users', 'audit', 'duty']) {
    await page.evaluate((hash) => { location.hash = hash; }, `#/${name}`);
    await page.waitForSelector('main .state:has-text("没有权限")');
  }
  check(await page.locator('.top nav a[href="#/limits"]').count() === 0, 'pages of supervisors are neither offered nor opened');
  await context.close();
}

async function reader(stack, browser, ids) {
  const context = await browser.desk(stack.url, { language: 'en' });
  const page = await browser.open(context, stack.url, stack.add('sample-reader', 'read_only', 'Sample Reader'));
  await page.click(`[data-ticket="${ids[0]}"]`);
  await page.waitForSelector('.ticket-head h1');
  await screenshot(page, 'en-reader');
  check(await page.locator('.next button.primary, .more-actions button, .notes textarea').count() === 0, 'who may only read is offered no step');
  await page.keyboard.press('c');
  check(await page.waitForSelector('.household .state').then(() => true), 'a home is not shown to him');
  check(/\*{3}/.test(JSON.stringify(await page.evaluate((id) => fetch(`/api/tickets/${id}`).then((answer) => answer.json()), ids[0]))),
    'and telephone numbers are masked');
  check(stack.value(`select claimed_by is null from onekey.ticket where id = ${ids[0]}`) === 't', 'no key does anything');
  await context.close();
}

async function paper(stack, browser, ids) {
  const context = await browser.desk(stack.url, { theme: 'dark' });
  const page = await browser.open(context, stack.url, stack.person('supervisor'));
  await page.click(`[data-ticket="${ids[0]}"]`);
  await page.waitForSelector('.household .residents');
  await page.emulateMedia({ media: 'print', colorScheme: 'light' });
  const seen = await page.evaluate(() => ['.top', '.queue', 'section.next', '.ticket-head h1', '.way .next', '.household .address'].map((name) =>
    document.querySelector(name)?.checkVisibility() ?? false));
  check(JSON.stringify(seen) === '[false,false,false,true,true,true]', 'a ticket is printed with its home, without the queue', seen);
  const file = join(SCREENS, 'ticket.pdf');
  await screenshot(page, 'zh-paper');
  await page.pdf({ path: file, format: 'A4' });
  check(statSync(file).size > 5000, 'on paper', statSync(file).size);
  await context.close();
}

export async function run({ stack, browser }) {
  const [one, other] = homes(stack);
  const ids = [one, other].map(([n]) => stack.raise(stack.wristband(n), 'fall', {}, { protocol: 'watch' }));
  await street(stack, browser, ids, one[1]);
  await reader(stack, browser, ids);
  await paper(stack, browser, ids);
}
