/* Time as people read it, always that of the district (Asia/Shanghai) and by the server's clock. */
import { signal } from '@preact/signals';
import { language, t } from './i18n.js';

const ZONE = 'Asia/Shanghai';
const LOCALES = { zh: 'zh-CN', en: 'en-GB' };
const FORMS = {
  moment: { month: 'long', day: 'numeric', hour: '2-digit', minute: '2-digit' },
  clock: { hour: '2-digit', minute: '2-digit', second: '2-digit' },
  day: { month: 'long', day: 'numeric', weekday: 'short' },
};
const ENGLISH = { moment: { month: 'short' }, day: { month: 'short' } };
const formats = new Map();

let offset_ms = 0;
/* The server's time in milliseconds, told anew each second. */
export const now = signal(Date.now());

export function serverSays(at) {
  const told = Date.parse(at);
  if (Number.isFinite(told)) offset_ms = told - Date.now();
}

export function startClock() {
  setInterval(() => { now.value = Date.now() + offset_ms; }, 1000);
}

function format(form, at) {
  const key = `${language.value} ${form}`;
  if (!formats.has(key))
    formats.set(key, new Intl.DateTimeFormat(LOCALES[language.value], {
      timeZone: ZONE, hourCycle: 'h23', ...FORMS[form], ...(language.value === 'en' && ENGLISH[form]),
    }));
  return formats.get(key).format(new Date(at)).replace(', ', ' ');
}

/* 11月22日 05:08; null and what is no time: a dash. */
export function moment(at) {
  return at && Number.isFinite(new Date(at).getTime()) ? format('moment', at) : '–';
}
export const clock = (at) => format('clock', at);
export const day = (at) => format('day', at);

/* 3 分 12 秒; the two largest units. */
export function span(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  const two = (n) => String(n).padStart(2, '0');
  if (s < 60) return t('span.s', { s });
  if (s < 3600) return t('span.m', { m: Math.floor(s / 60), s: two(s % 60) });
  if (s < 86400) return t('span.h', { h: Math.floor(s / 3600), m: two(Math.floor(s / 60) % 60) });
  return t('span.d', { d: Math.floor(s / 86400), h: Math.floor(s / 3600) % 24 });
}

/* The largest unit alone, where there is little room. */
export function roughly(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  for (const [unit, size] of [['d', 86400], ['h', 3600], ['m', 60]])
    if (s >= size) return t(`length.${unit}`, { n: Math.floor(s / size) });
  return span(s);
}

/* A length that somebody chose, without a smaller unit that is zero: 30 分. */
export function lengthOf(seconds) {
  for (const [unit, size] of [['d', 86400], ['h', 3600], ['m', 60]])
    if (seconds >= size && seconds % size === 0) return t(`length.${unit}`, { n: seconds / size });
  return span(seconds);
}

/* For <input type=datetime-local>, and back, in the district's time. */
export function toField(at) {
  return at ? new Date(Date.parse(at) + 8 * 3600e3).toISOString().slice(0, 16) : '';
}
export const fromField = (text) => (text ? `${text}:00+08:00` : null);
