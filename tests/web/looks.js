/* How every page looks, kept as pictures in build/test-logs/screens, and whether everyone can use it: axe finds nothing
 * serious on any of them, in both languages, light and dark. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { check, waitFor } from './lib/tap.js';
import { offers, onDuty, screenshot } from './lib/browser.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

async function findings(page, only) {
  if (!await page.evaluate(() => Boolean(globalThis.axe))) await page.evaluate(AXE);
  const { violations } = await page.evaluate((runOnly) => globalThis.axe.run(document, { runOnly, resultTypes: ['violations'] }), only);
  return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.slice(0, 4).map(({ html, any }) =>
      `${html.slice(0, 120)} ${any[0]?.message ?? ''}`).join('\n  ')}`);
}

const BOTH = [['light', TAGS], ['dark', ['color-contrast']]]; // in the dark only the colours differ
/* What is made of the same parts as the pages: dark in one language, light in the other. */
const ONE = { zh: [['dark', TAGS]], en: [['light', TAGS]] };

export async function judge(page, name, themes = BOTH) {
  for (const [theme, only] of themes) {
    await page.emulateMedia({ colorScheme: theme });
    await page.waitForTimeout(200); // let what slides in arrive
    await screenshot(page, `${name}-${theme}`);
    const found = await findings(page, only);
    check(found.length === 0, `${name}, ${theme}: nothing serious`, found);
  }
}

/* The dialog that a key opens. */
async function dialog(page, key, language, what) {
  await page.keyboard.press(key);
  await page.waitForSelector('dialog[open]');
  await judge(page, `${language}-${what}`, ONE[language]);
  await page.keyboard.press('Escape');
  await page.waitForSelector('dialog', { state: 'detached' });
}

async function go(page, hash, selector) {
  await page.evaluate((value) => { location.hash = value; }, hash);
  await page.waitForSelector(selector);
}

/* A desk with work on it: claimed, held, late, silent. */
async function prepare(stack) {
  for (const household of [31, 32, 34]) await stack.press(stack.wristband(household));
  stack.raise('WM-000035', 'silence', { rules: ['fixed'], expected: Array(24).fill(0.4), actual_l: Array(24).fill(0),
    last_use_us: 0, last_use_ml: 0, quiet_hours: 12, effective_hours: 12, threshold_hours: 12, usual_chance: 0.4 });
  stack.raise('CB-000037', 'service', {}, { service: 'taxi' });
  stack.raise('CB-000038', 'device_lost');
  await waitFor(() => stack.ticketOf(stack.wristband(34)));
  stack.sql(`update onekey.ticket set received_at = received_at - interval '3 minutes' where identity = '${stack.wristband(31)}' and state = 'open'`);
  const id = stack.ticketOf(stack.wristband(32));
  stack.sql(`select onekey.start_contacts(t) from onekey.ticket t where t.id = ${id};
    select onekey.set_care_plan(h.district, h.id, 'greeting', due_at => now() - interval '1 hour')
      from onekey.household h where h.district = '${stack.values.DISTRICT}' and h.code = 'H00050';
    select onekey.set_disaster('${stack.values.DISTRICT}', '{"reason": "样例小区停电"}')`);
  return id;
}

/* Pages that other parts have judged in Chinese as they worked on them. */
async function elsewhereInChinese(page) {
  await go(page, '#/care', '.care-card');
  await judge(page, 'en-care');
  await go(page, '#/audits', '.page input[type=month]');
  await judge(page, 'en-audits');
}

async function desk(stack, browser, id, language) {
  const context = await browser.desk(stack.url, { language });
  const empty = await context.newPage();
  await empty.goto(`${stack.url}/`);
  await empty.waitForSelector('.login');
  await judge(empty, `${language}-login`);
  await empty.close();
  const page = await browser.open(context, stack.url, stack.person('supervisor'));
  await onDuty(page);
  await page.waitForSelector('.row');
  await judge(page, `${language}-desk`);
  await page.click(`[data-ticket="${id}"]`);
  await page.waitForSelector('.household .contacts');
  if (await page.$('.next button kbd:text("D")') && !stack.value(`select claimed_by from onekey.ticket where id = ${id}`)) {
    await page.keyboard.press('c');
    await offers(page, 'answer');
    await page.keyboard.press('d');
    await offers(page, 'dispatch');
    await page.keyboard.press('d');
    await page.waitForSelector('dialog[open]');
    await page.keyboard.press('Enter');
  }
  await page.waitForSelector('.checklist li');
  await page.click('.history summary');
  await judge(page, `${language}-ticket`);
  for (const [key, name] of [['s', 'dispatch'], ['h', 'hold'], ['t', 'hand-over'], ['m', 'merge'], ['?', 'keys'], ['/', 'search']])
    await dialog(page, key, language, name);
  for (const [hash, selector] of [['wall', '.wall'], ['duty', '.page table'], ['homes', '.page h2'], ['limits', '.page table'], ['audit', '.page table']]) {
    await go(page, `#/${hash}`, selector);
    await judge(page, `${language}-${hash}`);
  }
  if (language === 'en') await elsewhereInChinese(page);
  const home = stack.value("select id from onekey.household where code = 'H00034'");
  await go(page, `#/homes/${home}`, '.page table');
  await judge(page, `${language}-home`);
  await page.setViewportSize({ width: 390, height: 800 });
  await go(page, '#/desk', '.row');
  await judge(page, `${language}-narrow-queue`, ONE[language]);
  await page.click(`[data-ticket="${id}"]`);
  await page.waitForSelector('.checklist li');
  await judge(page, `${language}-narrow-ticket`, ONE[language]);
  await page.click('.pages button:last-child');
  await judge(page, `${language}-narrow-household`, ONE[language]);
  await context.close();

  const other = await browser.desk(stack.url, { language });
  const people = await browser.open(other, stack.url, stack.person('administrator'));
  await go(people, '#/users', '.page table');
  await judge(people, `${language}-users`);
  await other.close();
}

export async function run({ stack, browser }) {
  const id = await prepare(stack);
  for (const language of ['zh', 'en']) await desk(stack, browser, id, language);
  stack.sql('update onekey.disaster set ended_at = clock_timestamp() where ended_at is null');
}
