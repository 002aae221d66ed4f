/* The page's words. Two flat files hold the same keys; a test keeps them equal. Each is loaded when it is chosen. */
import { signal } from '@preact/signals';
import { remembered } from './remember.js';

const FILES = { zh: () => import('../text/zh.json'), en: () => import('../text/en.json') };
const TEXTS = {};
export const LANGUAGES = [['zh', '中文'], ['en', 'English']];
const chosen = remembered('language', 'zh');
/* The language whose words are there; the one that was chosen follows in a moment. */
export const language = signal('zh');

/* Resolves when the words are there. In another tab of the browser a choice holds after its next load. */
export async function speak(name = chosen.value) {
  const known = FILES[name] ? name : 'zh';
  TEXTS[known] ??= (await FILES[known]()).default;
  chosen.value = language.value = known;
}

/* The text of a key with its {values}. An unknown key shows itself, so that it is noticed. */
export function t(key, values) {
  const text = TEXTS[language.value][key] ?? key;
  return values ? text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? '') : text;
}

/* The text of a word that the server says, which may be newer than this page: then the word itself. */
export function word(group, name) {
  return TEXTS[language.value][`${group}.${name}`] ?? String(name ?? '').replaceAll('_', ' ');
}

/* The name of something that carries both: name_zh and name_en. */
export function nameOf(entry) {
  if (!entry) return '';
  return (language.value === 'zh' ? entry.name_zh : entry.name_en) || entry.name_zh || entry.name || '';
}
