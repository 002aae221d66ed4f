/* Ten tabs of one browser: all live, by one stream; when the tab that reads it goes, another does. */
import { check, waitFor } from './lib/tap.js';
import { onDuty } from './lib/browser.js';

const TABS = 10;

const shows = (page, id) => page.waitForSelector(`[data-ticket="${id}"]`, { timeout: 20000 }).then(() => true, () => false);

export async function run({ stack, browser }) {
  const context = await browser.desk(stack.url, { width: 1000, height: 600 });
  let streams = 0;
  context.on('request', (request) => { streams += request.url().includes('/api/events'); });
  const pages = [];
  for (let i = 0; i < TABS; i++) pages.push(await browser.open(context, stack.url, stack.person('operator')));
  await onDuty(pages[0]);
  check(streams === 1, 'ten tabs share one stream', `${streams} streams`);
  let id = await raiseOne(stack, 13);
  const live = await Promise.all(pages.map((page) => shows(page, id)));
  check(live.every(Boolean), 'a press is in all ten tabs', live.join(' '));
  await pages.shift().close();
  check(await waitFor(() => streams === 2, 20), 'the tab that read the stream goes, another takes over', `${streams} streams`);
  id = await raiseOne(stack, 14);
  const after = await Promise.all(pages.map((page) => shows(page, id)));
  check(after.every(Boolean), 'and the other nine are live', after.join(' '));
  check((await Promise.all(pages.map((page) => page.isVisible('.banner.danger:has-text("没有声音")')))).filter(Boolean).length < pages.length,
    'one of them sounds, or says that none does');
  await context.close();
}

async function raiseOne(stack, household) {
  await stack.press(stack.wristband(household));
  return waitFor(() => stack.ticketOf(stack.wristband(household)));
}
