/* The care round by keyboard alone, the plans of a home, and audits of calls. */
import { check, waitFor } from './lib/tap.js';
import { judge } from './looks.js';

const PLANS = `select onekey.set_care_plan(h.district, h.id, 'greeting', due_at => now() - h.id * interval '1 hour')
  from onekey.household h where h.district = 'DISTRICT' and h.code in ('H00041', 'H00043', 'H00044', 'H00046')`;

const go = async (page, hash, selector) => {
  await page.evaluate((value) => { location.hash = value; }, hash);
  await page.waitForSelector(selector);
};
/* The plan in hand, or nothing when none is left: asked at one moment, for the card may go at any. */
const planOf = (page) => page.evaluate(() => document.querySelector('.care-card')?.dataset.plan);
const contact = (stack, plan, column) => stack.value(`select ${column} from onekey.care_contact where plan_id = ${plan}`);

/* Presses a key and waits for the next person. */
async function answer(page, key, ...more) {
  const plan = await planOf(page);
  for (const one of [key, ...more]) await page.keyboard.press(one);
  const isNext = await waitFor(async () => await planOf(page) !== plan);
  check(isNext, `after ${key} the next person is there`);
  return plan;
}

async function round(stack, page) {
  await go(page, '#/care', '.care-card');
  await judge(page, 'zh-care');
  check(await page.textContent('[data-count=due] b') === '4', 'what is due is counted');
  const first = await answer(page, '2');
  check(await waitFor(() => contact(stack, first, 'result') === 'no_answer'), 'nobody answered: one key');
  const second = await planOf(page);
  await page.keyboard.press('n');
  await page.keyboard.type('样例备注 12');
  await page.keyboard.press('Escape');
  await answer(page, '1');
  check(await waitFor(() => contact(stack, second, "result || ' ' || note") === 'well 样例备注 12'), 'a note goes with it, its digits are none of the keys');
  const third = await planOf(page);
  await page.keyboard.press('3');
  await page.waitForSelector('.outcomes .danger:has-text("再按一次")');
  check(contact(stack, third, 'result') === undefined, 'one press of the alarm key raises none');
  await page.keyboard.press('3');
  await page.waitForSelector('.page-desk');
  const ticket = contact(stack, third, 'ticket_id');
  check(stack.value(`select kind from onekey.ticket where id = ${ticket}`) === 'panic', 'the second does, and opens it');
  await go(page, '#/care', '.care-card');
  await answer(page, '4');
  check(await page.waitForSelector('.state:has-text("没有到期")').then(() => true), 'and when none is left the page says so');
  check(await waitFor(async () => await page.textContent('[data-count=done_today] b') === '3'), 'done today: what kept the promise');
}

async function plans(stack, page) {
  const id = stack.value("select id from onekey.household where code = 'H00047'");
  await go(page, `#/homes/${id}`, 'section:has(h3:text("关爱计划")) button');
  await page.click('section:has(h3:text("关爱计划")) button');
  await page.waitForSelector('dialog[open]');
  await page.selectOption('dialog label:has-text("任务") select', 'visit');
  await page.fill('dialog input[type=number]', '72');
  await judge(page, 'zh-plan');
  await page.click('dialog button.primary');
  await page.waitForSelector('.plans li');
  check(stack.value(`select every from onekey.care_plan where household_id = ${id} and task = 'visit'`) === '3 days', 'a supervisor promises a visit');
}

async function audits(stack, page) {
  const month = stack.value("select to_char(now() at time zone 'Asia/Shanghai' - interval '1 month', 'YYYY-MM')");
  await go(page, '#/audits', '.page input[type=month]');
  await page.fill('.page input[type=month]', month);
  await page.click('.page button.primary');
  await page.waitForSelector('tbody tr');
  check(await page.locator('tbody tr').count() === 4, 'two calls an operator are drawn');
  check(await page.locator('td .hint:has-text("本人")').count() === 2, 'nobody may judge his own');
  await page.click('td button:has-text("评分")');
  await page.waitForSelector('dialog[open]');
  await page.fill('dialog input[type=number]', '85');
  await page.click('dialog button.primary');
  check(await page.waitForSelector('td b:text("85")').then(() => true), 'a score is kept');
  await judge(page, 'zh-audits');
}

export async function run({ stack, browser }) {
  stack.sql(PLANS.replaceAll('DISTRICT', stack.values.DISTRICT));
  const context = await browser.desk(stack.url);
  const page = await browser.open(context, stack.url, stack.person('operator'));
  await round(stack, page);
  await context.close();
  const other = await browser.desk(stack.url);
  const chief = await browser.open(other, stack.url, stack.person('supervisor'));
  await plans(stack, chief);
  await audits(stack, chief);
  await other.close();
}
