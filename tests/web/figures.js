/* Figures: the page says digit for digit what onekey-report says, in both languages; its files are the same files; a figure
 * leads to its tickets; and what is printed is kept. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { BUILD } from './lib/stack.js';
import { check } from './lib/tap.js';
import { SCREENS } from './lib/browser.js';
import { SAMPLE_MONTH } from './lib/month.js';
import { judge } from './looks.js';

const READY_MS = 90000;
/* The text of both files without the moment at which they were made. */
const CONTENT = `
import re, sys, zipfile
print([re.sub(r"20\\d\\d-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d", "", zipfile.ZipFile(name).read(part).decode()) == re.sub(
    r"20\\d\\d-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d", "", zipfile.ZipFile(sys.argv[2]).read(part).decode())
    for name in sys.argv[1:2] for part in zipfile.ZipFile(name).namelist() if re.match(r"xl/(worksheets/sheet|sharedStrings)", part)])`;

function report(stack, month, format, language, file) {
  const done = spawnSync(join(BUILD, 'bin/onekey-report'), ['--month', month, '--compare', 'previous', '--format', format, '--language', language,
    '--district', stack.values.DISTRICT, '--output', file], { encoding: 'utf8', env: { ...process.env, ...stack.values } });
  if (done.status !== 0) throw new Error(done.stderr);
  return file;
}

/* Lines of fields; RFC 4180. */
function parse(text) {
  const lines = [[]];
  for (const [, quoted, end] of text.replace(/^\ufeff/, '').matchAll(/(?:"((?:[^"]|"")*)")?(,|\r\n)/g)) {
    if (quoted !== undefined) lines.at(-1).push(quoted.replaceAll('""', '"'));
    if (end === '\r\n') lines.push([]);
  }
  return lines;
}

/* {measure: rows of fields} of the window itself, without those of the one before. */
function measuresOf(text, from) {
  const lines = parse(text);
  const found = {};
  lines.forEach((line, i) => {
    if (line.length !== 2 || !/^[a-z_]+$/.test(line[0])) return;
    const end = lines.findIndex((other, j) => j > i && other.length === 0);
    found[line[0]] = lines.slice(i + 2, end).filter((fields) => fields[0] === from).map((fields) => fields.slice(1));
  });
  return found;
}

/* What the page shows of each measure, as the report would write it; a time is written otherwise there. */
const shown = (page) => page.$$eval('.measure:has(.figures-table)', (sections) => Object.fromEntries(sections.map((section) => [
  section.dataset.measure, [...section.querySelectorAll('tbody tr')].map((row) => [...row.cells].map((cell) => {
    const text = (cell.querySelector('.value') ?? cell).textContent.trim();
    return cell.querySelector(':scope > b') || text === '–' ? '' : text.replace(/^#/, '');
  }))])));

async function compare(stack, page, month, language, folder) {
  const file = report(stack, month, 'csv', language, join(folder, `${language}.csv`));
  const told = measuresOf(readFileSync(file, 'utf8'), `${month}-01`);
  const seen = await shown(page);
  const wrong = [];
  let cells = 0;
  for (const [name, rows] of Object.entries(seen)) rows.forEach((row, i) => row.forEach((text, j) => {
    cells++;
    const wanted = told[name]?.[i]?.[j];
    if (text !== wanted && !/^\d{4}-\d\d-\d\dT/.test(wanted ?? '')) wrong.push(`${name} ${i} ${j}: page ${text}, report ${wanted}`);
  }));
  check(cells > 400 && wrong.length === 0, `${language}: the page says what onekey-report says`, `${cells} cells`, wrong.slice(0, 5));
  const before = await page.$$eval('[data-measure=answer_by_day] .before', (all) => all.filter((one) => /\d/.test(one.textContent)).length);
  check(before > 20, `${language}: a day stands beside the same day of the month before`, `${before} figures`);
  check(await page.locator('[data-measure=breaches] tbody tr').count() > 0 && await page.locator('[data-measure=breaches] .before').count() === 0,
    `${language}: a ticket is compared with nothing`);
  const hours = await page.textContent('.heat tr:last-child td:last-child');
  const alarms = told.tickets_by_hour.reduce((sum, fields) => sum + Number(fields[2]), 0);
  check(alarms > 0 && hours === String(alarms), `${language}: hours of the week too`, `${hours} of ${alarms}`);
  return file;
}

async function take(page, text, file) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.click(`.exports a:has-text("${text}")`)]);
  await download.saveAs(file);
  return [file, download.suggestedFilename()];
}

async function files(stack, page, month, csv, folder) {
  const [mine, name] = await take(page, 'CSV', join(folder, 'page.csv'));
  const text = (path) => readFileSync(path, 'utf8').replace(/^"生成时间".*$/m, '');
  check(name === `onekey-${month}.csv` && text(mine) === text(csv), 'the CSV of the page is that of onekey-report', name);
  const [book] = await take(page, 'Excel', join(folder, 'page.xlsx'));
  const other = report(stack, month, 'xlsx', 'zh', join(folder, 'report.xlsx'));
  const same = spawnSync('python3', ['-c', CONTENT, book, other], { encoding: 'utf8' });
  check(/^\[True(, True)+\]$/.test(same.stdout.trim()), 'and so is every sheet of the workbook', same.stdout, same.stderr);
}

async function drill(page) {
  const figure = page.locator('[data-measure=answer] tbody tr').first().locator('button.link:has([data-name=received])');
  const count = await figure.textContent();
  await figure.click();
  await page.waitForSelector('dialog .total');
  check((await page.textContent('dialog .total')).startsWith(`${count} `), 'a figure leads to its tickets', count);
  await page.keyboard.press('Escape');
  await page.waitForSelector('dialog', { state: 'detached' });
}

async function open(browser, stack, language) {
  const context = await browser.desk(stack.url, { language });
  const page = await browser.open(context, stack.url, stack.person('supervisor'));
  await page.evaluate(() => { location.hash = '#/figures'; });
  await page.waitForSelector('.measures.ready', { timeout: READY_MS });
  return page;
}

async function print(page, name) {
  const file = join(SCREENS, `${name}.pdf`);
  await page.pdf({ path: file, preferCSSPageSize: true, printBackground: true });
  const pages = readFileSync(file, 'latin1').match(/\/Type\s*\/Page\b/g)?.length ?? 0;
  check(pages >= 3 && pages <= 40, `${name}.pdf is printed on some sheets of A4`, `${pages} pages, ${statSync(file).size} bytes`);
}

export async function run({ stack, browser }) {
  const folder = join(stack.parent, 'figures');
  mkdirSync(folder);
  mkdirSync(SCREENS, { recursive: true });
  const sample = SAMPLE_MONTH.replaceAll('DISTRICT', stack.values.DISTRICT);
  stack.sql(sample);
  stack.sql(sample.replace('0.4711', '0.1742').replace("interval '1 month'", "interval '2 months'").replaceAll("'month:", "'before:"));
  const month = stack.value("select to_char(now() at time zone 'Asia/Shanghai' - interval '1 month', 'YYYY-MM')");
  for (const language of ['zh', 'en']) {
    const page = await open(browser, stack, language);
    const csv = await compare(stack, page, month, language, folder);
    await judge(page, `${language}-figures`);
    if (language === 'zh') {
      await files(stack, page, month, csv, folder);
      await drill(page);
    }
    await print(page, `figures-${language}`);
    await page.context().close();
  }
}
