/* The supervisor's and administrator's pages: what is changed there is changed. */
import { check, waitFor } from './lib/tap.js';
import { onDuty } from './lib/browser.js';

async function visit(page, name) {
  await page.evaluate((hash) => { location.hash = hash; }, `#/${name}`);
}

async function save(page) {
  await page.click('dialog button.primary');
  await page.waitForSelector('dialog', { state: 'detached' });
}

async function homes(stack, page) {
  const id = stack.value("select id from onekey.household where code = 'H00022'");
  await visit(page, `homes/${id}`);
  await page.click('header:has(h2:text("外出")) button');
  await page.waitForSelector('dialog[open]');
  await page.click('dialog label:has-text("住院")');
  await page.fill('dialog label:has-text("说明") input', '样例医院');
  await save(page);
  check(await waitFor(() => stack.value(`select reason from onekey.absence where household_id = ${id}`) === 'hospital'),
    'an absence is entered');
  check(await page.waitForSelector('td:has-text("样例医院")').then(() => true), 'and shown');
  await page.click('header:has(h2:text("联系人")) button');
  await page.waitForSelector('dialog[open]');
  await page.click('dialog button:has-text("添加联系人")');
  const last = page.locator('.edit-contacts li').last();
  await last.locator('input').first().fill('样例志愿者');
  await last.locator('select').selectOption('volunteer');
  await last.locator('input[type=tel]').fill('000-12345678');
  await last.locator('input[type=time]').first().fill('20:00');
  check(await page.locator('dialog button[type=submit]').isDisabled(), 'hours without an end cannot be saved');
  await last.locator('input[type=time]').last().fill('06:00');
  for (const day of ['一', '二', '三', '四', '五']) await last.locator(`label:has-text("${day}") input[type=checkbox]`).uncheck();
  await save(page);
  check(await waitFor(() => stack.value(`select name from onekey.contact where household_id = ${id} and role = 'volunteer'`) === '样例志愿者'),
    'a contact is added');
  check(stack.value(`select concat_ws(' ', available_from, available_until, available_days) from onekey.contact where household_id = ${id}
    and role = 'volunteer'`) === '20:00:00 06:00:00 {6,7}', 'with the hours in which it may be asked');
  check(await page.waitForSelector('td:has-text("20:00–06:00")').then(() => true), 'which are shown');
}

async function limits(stack, page) {
  await visit(page, 'limits');
  await page.click('tr:has-text("紧急呼救"):has-text("接通") button');
  await page.waitForSelector('dialog[open]');
  await page.fill('dialog label:has-text("预警") input', '20');
  await save(page);
  check(await waitFor(() => stack.value(`select warn_s from onekey.sla_policy where district = '${stack.values.DISTRICT}'
    and kind = 'panic' and measure = 'answer'`) === '20'), 'a limit of all districts is changed by one of our own');
  await page.click('tr:has-text("本区") button:has-text("移除")');
  await page.waitForSelector('dialog[open]');
  await save(page);
  check(await waitFor(() => stack.value(`select count(*) from onekey.sla_policy where district = '${stack.values.DISTRICT}'`) === '0'),
    'and taken away again');
}

/* Begun, told on another's screen, and ended. */
async function disaster(stack, browser, page) {
  const context = await browser.desk(stack.url);
  const desk = await browser.open(context, stack.url, stack.person('operator'));
  await visit(page, 'duty');
  await page.click('.page header button');
  await page.waitForSelector('dialog[open]');
  await page.fill('dialog input', '样例停电');
  await save(page);
  const banner = '.banner:has-text("样例停电")';
  await desk.waitForSelector(banner);
  check(await desk.locator(`${banner} button`).count() === 0, 'disaster mode is told on an operator\'s screen, who cannot end it');
  const lost = stack.raise('CB-000044', 'device_lost');
  const pressed = stack.raise(stack.wristband(44), 'panic', {}, { protocol: 'watch' });
  check(stack.value(`select string_agg(priority::text, ' ' order by id) from onekey.ticket where id in (${lost}, ${pressed})`) === '5 1',
    'a device\'s ticket is less urgent, a press is not');
  await page.click(`${banner} button`);
  await page.waitForSelector('dialog[open]');
  await save(page);
  await desk.waitForSelector(banner, { state: 'detached' });
  check(stack.value('select count(*) from onekey.disaster where ended_at is null') === '0', 'and is ended');
  await context.close();
  return pressed;
}

/* The contacts whom the ladder asks, and what the desk records of one. */
async function ladder(stack, page, id) {
  stack.sql(`select onekey.start_contacts(t) from onekey.ticket t where t.id = ${id};
    update onekey.ticket set ring_level = 2, second_desk_at = clock_timestamp() where id = ${id}`);
  await visit(page, `desk/${id}`);
  await page.waitForSelector('.ladder li:has-text("2 级")');
  check(await page.locator('.ladder .flags li').count() === 2, 'how loud a ticket rings, and that a second desk is called, is shown');
  await page.selectOption('.ladder select', 'refused');
  check(await waitFor(() => stack.value(`select result from onekey.contact_attempt where ticket_id = ${id} order by id limit 1`) === 'refused'),
    'what a contact said is recorded');
  await page.waitForFunction(() => document.querySelectorAll('.ladder select').length === 2);
  check(true, 'and the next one is asked');
}

async function policy(stack, page) {
  await visit(page, 'limits');
  await page.click('header:has(h1:text("联系人与通知")) button');
  await page.waitForSelector('dialog[open]');
  await page.fill('dialog label:has-text("询问轮数") input', '3');
  await save(page);
  check(await waitFor(() => stack.value(`select rounds from onekey.escalation_policy where district = '${stack.values.DISTRICT}'`) === '3'),
    'how contacts are asked is changed');
}

async function users(stack, browser) {
  const context = await browser.desk(stack.url);
  const page = await browser.open(context, stack.url, stack.person('administrator'));
  await visit(page, 'users');
  await page.click('.page header button.primary');
  await page.waitForSelector('dialog[open]');
  await page.fill('dialog label:has-text("工号") input', 'sample-new');
  await page.fill('dialog label:has-text("姓名") input', '样例新人');
  await page.fill('dialog input[type=password]', 'sample-words-for-tests');
  await save(page);
  check(await page.waitForSelector('tr:has-text("样例新人")').then(() => true), 'an administrator adds a person');
  await context.close();
  const own = await browser.desk(stack.url);
  const desk = await browser.open(own, stack.url, { name: 'sample-new', password: 'sample-words-for-tests' });
  check(await desk.textContent('.top > button:last-child') === '样例新人', 'who can then log in');
  await visit(desk, 'users');
  check(await desk.waitForSelector('.state:has-text("没有权限")').then(() => true), 'and is told that people are not his affair');
  await own.close();
}

export async function run({ stack, browser }) {
  const context = await browser.desk(stack.url);
  const page = await browser.open(context, stack.url, stack.person('supervisor'));
  await onDuty(page);
  await homes(stack, page);
  await limits(stack, page);
  await policy(stack, page);
  await ladder(stack, page, await disaster(stack, browser, page));
  await visit(page, 'audit');
  check(await page.waitForSelector('tr:has-text("查阅住户")').then(() => true), 'the audit tells who read a home');
  await visit(page, 'wall');
  await page.waitForSelector('.wall .figures li');
  check(await page.locator('.wall .figures li').count() <= 7, 'the wall board has at most seven figures');
  await visit(page, 'duty');
  check(await page.waitForSelector('tr:has-text("班长")').then(() => true), 'who is on duty is listed');
  await context.close();
  await users(stack, browser);
}
