/* The words: dates and lengths as the two languages write them. */
import { check } from './lib/tap.js';
import { onDuty } from './lib/browser.js';

export async function run({ stack, browser }) {
  for (const [language, date, name] of [['zh', /^\d{1,2}月\d{1,2}日/, '一键通调度台'], ['en', /^\w{3} \d{1,2} \w{3}/, 'One-key dispatch']]) {
    const context = await browser.desk(stack.url, { language });
    const page = await browser.open(context, stack.url, stack.person('operator'));
    await onDuty(page);
    check(await page.textContent('.brand') === name, `${language}: the page speaks it`);
    check(date.test(await page.textContent('.time span')), `${language}: dates as they are written there`,
      await page.textContent('.time span'));
    check(await page.evaluate(() => document.documentElement.lang) === (language === 'zh' ? 'zh-CN' : 'en'),
      `${language}: and says so to screen readers`);
    await context.close();
  }
}
