/* Runs the parts on one private stack, cheap to dear. */
import { Browser } from './lib/browser.js';
import { Stack } from './lib/stack.js';
import { check, finish } from './lib/tap.js';
import { HOSTILE, spoil } from './lib/hostile.js';

const PARTS = ['words', 'size', 'shift', 'moves', 'water', 'tabs', 'hostile', 'supervisor', 'roles', 'figures', 'care', 'crowd', 'looks', 'cut', 'away'];

const stack = new Stack();
const browser = new Browser();
let isDown = false;

async function down() {
  if (isDown) return;
  isDown = true;
  await browser.stop().catch(() => {});
  stack.down();
}

for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => down().finally(() => process.exit(1)));

try {
  stack.up(spoil);
  await browser.start();
  for (const part of process.argv.length > 2 ? process.argv.slice(2) : PARTS) {
    const began = performance.now();
    try {
      const { run } = await import(`./${part}.js`);
      await run({ stack, browser, hostile: HOSTILE });
    } catch (error) {
      check(false, `${part}: ends without an exception`, error.stack);
    }
    console.log(`# ${part}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
  }
  check(browser.foreign.length === 0, 'no request to any other host', browser.foreign);
  check(browser.complaints.length === 0, 'no script error and nothing refused by the policy', browser.complaints);
} finally {
  await down();
}
process.exit(finish());
