/* The page's words. Two flat files hold the same keys; a test keeps them equal. */
import zh from '../text/zh.json';
import en from '../text/en.json';
import { remembered } from './remember.js';

const TEXTS = { zh, en };
export const LANGUAGES = [['zh', '中文'], ['en', 'English']];
export const language = remembered('language', 'zh');

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
