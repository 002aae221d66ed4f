/* The small things that say how urgent: always a word and a shape beside the colour. */
import { html } from '../lib/html.js';
import { t } from '../lib/i18n.js';
import { now, roughly, span, moment } from '../lib/time.js';

const SHAPES = {
  1: html`<path d="M5 1h6l4 4v6l-4 4H5l-4-4V5z" />`,
  2: html`<path d="M8 1l7.5 14H.5z" />`,
  3: html`<circle cx="8" cy="8" r="7" />`,
  4: html`<path d="M2.5 2.5h11v11h-11z" class="hollow" />`,
  5: html`<path d="M1 6.5h14v3H1z" />`,
};

export function PriorityMark({ priority, short }) {
  const name = t(`priority.${priority}`);
  return html`<span class="mark p${priority}" title=${name}>
    <svg viewBox="0 0 16 16" aria-hidden="true">${SHAPES[priority]}</svg>
    <span class=${short ? 'hidden' : ''}>${name}</span></span>`;
}

/* The limit that ends first; when the page showed it is the machine's own affair. */
export function nextLimit(ticket) {
  return (ticket.sla ?? []).filter(({ measure }) => measure !== 'present')
    .sort((a, b) => Date.parse(a.breach_at) - Date.parse(b.breach_at))[0] ?? null;
}

export function levelOf(limit) {
  if (!limit) return 'calm';
  if (now.value >= Date.parse(limit.breach_at)) return 'late';
  return now.value >= Date.parse(limit.warn_at) ? 'near' : 'calm';
}

/* How long it has waited, as a running clock. */
export function Age({ since, level = 'calm' }) {
  return html`<time class="age ${level}" dateTime=${since} title=${moment(since)}>
    ${span((now.value - Date.parse(since)) / 1000)}</time>`;
}

/* Time left to a limit, or how far it is past. */
export function Left({ limit, short }) {
  if (!limit) return null;
  const level = levelOf(limit);
  const left = (Date.parse(limit.breach_at) - now.value) / 1000;
  const values = { measure: t(`measure.${limit.measure}`), time: (short ? roughly : span)(Math.abs(left)) };
  return html`<span class="left ${level}">${t(left >= 0 ? 'left.still' : 'left.over', values)}</span>`;
}

export function Presses({ count }) {
  return count > 1 ? html`<span class="presses" title=${t('row.presses', { count })}>×${count}</span>` : null;
}
