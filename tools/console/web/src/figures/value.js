/* Values of a measure as people read them, digit for digit as onekey-report prints them; which of them miss a target;
 * and which tickets a figure counts. */
import { t } from '../lib/i18n.js';
import { moment } from '../lib/time.js';

/* What is exactly between two digits goes to the even one, as printf does it; toFixed takes the larger. */
function rounded(value, digits) {
  const halves = 2 ** digits;
  const isTie = Number.isInteger(value * halves * 2) && !Number.isInteger(value * halves);
  const scale = 10 ** digits;
  const below = Math.floor(value * scale);
  return isTie ? ((below % 2 === 0 ? below : below + 1) / scale).toFixed(digits) : value.toFixed(digits);
}

export function numberText(value, unit) {
  if (Number.isInteger(value)) return String(value);
  return rounded(value, unit === 'seconds' || unit === 'hours' ? 1 : 2);
}

/* Empty for null: not reached, not known. */
export function valueText(column, value) {
  if (value === null || value === undefined) return '';
  if (column.unit === 'time') return moment(value);
  if (typeof value === 'number') return numberText(value, column.unit);
  return column.words?.[String(value)] ?? String(value);
}

const UNITS = { percent: '%', seconds: 's', hours: 'h' };
export const unitOf = (column) => (UNITS[column.unit] ? ` (${t(`figures.unit.${UNITS[column.unit] === '%' ? 'percent' : column.unit}`)})` : '');
export const isFigure = (column) => !column.is_label && ['number', 'percent', 'seconds', 'hours'].includes(column.unit);

/* A time is not to pass its target, everything else is to reach it. */
const isTime = (column) => column.unit === 'seconds' || column.unit === 'hours';
export const targetText = (column) => column.target && `${isTime(column) ? '≤' : '≥'} ${numberText(column.target.value, column.unit)}`;
export function misses(column, value) {
  if (!column.target || typeof value !== 'number') return false;
  return isTime(column) ? value > column.target.value : value < column.target.value;
}

export const labelsOf = (measure) => measure.columns.filter(({ is_label }) => is_label);
/* A day is set against the same day of the month before. */
const keyOf = (measure, row) => labelsOf(measure).map(({ name, unit }) => (unit === 'day' ? row[name].slice(8) : row[name])).join('\u0000');
/* What each row said in the window before; false where there is nothing to compare: no window, or a list of tickets. */
export function beforeOf(measure, previous) {
  if (!previous?.length || labelsOf(measure).some(({ unit }) => unit === 'ticket')) return false;
  const rows = new Map(previous.map((row) => [keyOf(measure, row), row]));
  return (row) => rows.get(keyOf(measure, row)) ?? {};
}

const pick = (row, names) => Object.fromEntries(names.map((name) => [name, row[name]]));
const late = (name) => Number(/^within_(\d+)$/.exec(name)?.[1]) || null;
const answered = (base) => (row, name) => {
  if (name === 'received') return { filter: base(row) };
  if (name === 'unanswered') return { filter: { ...base(row), answer_s: null } };
  return late(name) ? { filter: base(row), answer_over: late(name) } : null;
};
const COUNTS = {
  answer: answered((row) => pick(row, ['class', 'mode'])),
  answer_by_day: answered((row) => ({ class: 'alarm', mode: 'normal', day: row.day })),
  tickets: (row, name) => name === 'tickets' && { filter: { ...pick(row, ['kind', 'service_kind', 'street_town', 'device_kind']), episode: 1 } },
  outcomes: (row, name) => name === 'closed' && { filter: pick(row, ['kind', 'outcome']) },
  tickets_by_hour: (row, name) => ({ filter: { class: name, weekday: row.weekday, hour: row.hour, episode: 1 } }),
};

/* {filter, answer_over} of the list: the tickets of that figure, of a share those that missed it. Null where the list
 * does not tell them. */
export const ticketsOf = (measure, row, column) => COUNTS[measure.name]?.(row, column.name) || null;
