/* When a contact may be asked: 20:00–06:00 Sat·Sun; empty: at any time. */
import { t } from './i18n.js';

export function hoursOf({ available_from: from, available_until: until, available_days: days }) {
  return [from && `${from.slice(0, 5)}–${until.slice(0, 5)}`, days?.map((day) => t(`figures.day.${day}`)).join('·')]
    .filter(Boolean).join(' ');
}
