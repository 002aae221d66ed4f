/* What is loaded before a person can log in. */
import { statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { BUILD } from './lib/stack.js';
import { check } from './lib/tap.js';

const LIMIT_BYTES = 60 * 1024;

export async function run({ stack, browser }) {
  const context = await browser.desk(stack.url);
  const page = await context.newPage();
  const files = new Set();
  page.on('response', (response) => {
    const path = new URL(response.url()).pathname;
    if (!path.startsWith('/api/')) files.add(path === '/' ? 'index.html' : basename(path));
  });
  const answer = await page.goto(`${stack.url}/`);
  await page.waitForSelector('.login');
  const size = [...files].reduce((sum, name) => sum + statSync(join(BUILD, 'console', `${name}.gz`)).size, 0);
  check(size > 10000 && size <= LIMIT_BYTES, `the first load is at most ${LIMIT_BYTES} bytes compressed`,
    `${size} bytes: ${[...files].join(' ')}`);
  const policy = answer.headers()['content-security-policy'] ?? '';
  check(/default-src 'self'/.test(policy) && !/unsafe/.test(policy), 'the content policy allows nothing unsafe', policy);
  await context.close();
}
