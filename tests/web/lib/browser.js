/* The browser: pages of a person who is logged in, with everything noted that must not happen. */
import { chromium } from 'playwright-core';
import { mkdirSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { BUILD } from './stack.js';

export const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => existsSync(path));
export const SCREENS = join(BUILD, 'test-logs/screens');

export class Browser {
  async start() {
    this.browser = await chromium.launch({ executablePath: CHROMIUM,
      args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] });
    this.foreign = []; // requests to any other host
    this.complaints = []; // of the browser: refused by policy, thrown and not caught
  }

  async stop() { await this.browser?.close(); }

  /* A browser of its own, as on another desk. */
  async desk(url, { language = 'zh', theme = 'light', width = 1600, height = 900 } = {}) {
    const context = await this.browser.newContext({ viewport: { width, height }, colorScheme: theme });
    context.setDefaultTimeout(30000);
    await context.addInitScript((name) => {
      try {
        if (!localStorage.getItem('onekey.language')) localStorage.setItem('onekey.language', JSON.stringify(name));
      } catch { /* an empty page has no storage */ }
    }, language);
    context.on('request', (request) => {
      if (!request.url().startsWith(url) && !/^(data|blob):/.test(request.url())) this.foreign.push(request.url());
    });
    context.on('weberror', (error) => this.complaints.push(String(error.error().stack)));
    context.on('console', (message) => {
      if (message.type() === 'error' && !/Failed to load resource|ERR_/.test(message.text())) this.complaints.push(message.text());
    });
    return context;
  }

  /* A page of that context, logged in. */
  async open(context, url, person) {
    const page = await context.newPage();
    await page.goto(`${url}/`);
    await page.waitForSelector('.login, .app');
    if (await page.$('.login')) {
      await page.fill('input[name=name]', person.name);
      await page.fill('input[name=password]', person.password);
      await page.click('button[type=submit]');
    }
    await page.waitForSelector('.link-state.live');
    return page;
  }
}

export async function screenshot(page, name) {
  mkdirSync(SCREENS, { recursive: true });
  await page.screenshot({ path: join(SCREENS, `${name}.png`) });
}

/* Goes on duty if the person is not. */
export async function onDuty(page) {
  await page.waitForSelector('.shift');
  const button = await page.$('button.shift.off');
  if (button) await button.click();
  await page.waitForSelector('span.shift.on');
}

/* How many tones have begun in this page. */
export const tones = (page) => page.evaluate(() => globalThis.onekeyTones.count);

/* Waits until that step is offered as the next. */
export const offers = (page, step) => page.waitForFunction((name) => document.querySelector('.next button.primary:enabled')
  && document.querySelector('.way .next b')?.dataset.step === name, step);
