/* Which contacts were asked by the ladder, in turn, and what each said; how loud the ticket rings meanwhile. Whoever has
 * called one of them records it here. */
import { html } from '../lib/html.js';
import { nameOf, t, word } from '../lib/i18n.js';
import { dictionary, may } from '../lib/store.js';
import { clock, now, span } from '../lib/time.js';
import { Phone } from '../ui/phone.js';
import { useSend } from '../ui/do.js';
import { readInHand } from './act.js';
import { household } from './household_read.js';

const OVER = new Set(['done', 'needs_help']);
const nameOfResult = (name) => nameOf(dictionary.value?.results.find((result) => result.name === name)) || word('contact_result', name);

function Attempt({ attempt, isOpen }) {
  const [isBusy, run] = useSend();
  const left = (Date.parse(attempt.until_at) - now.value) / 1000;
  const number = household.value.value?.contacts.find(({ name, role }) => name === attempt.name && role === attempt.role)?.phone;
  const record = async ({ target }) => {
    if (target.value && await run('POST', `/api/contact-attempts/${attempt.id}`, { result: target.value })) readInHand();
  };
  const results = [...(dictionary.value?.results ?? []).map(({ name }) => name), 'needs_help'];
  return html`<li class=${attempt.result ? 'known' : ''}>
    <div><b>${attempt.name}</b> ${word('contact', attempt.role)}
      ${number && html`<span class="call"><${Phone} number=${number} /></span>`}
      <small>${t('ladder.asked', { round: attempt.round, position: attempt.position, at: clock(attempt.asked_at) })}
        ${attempt.result && ` · ${clock(attempt.result_at)} ${attempt.result_by ?? t('ladder.machine')}`}</small></div>
    ${isOpen && may('result') && !OVER.has(attempt.result) ? html`<label>
      <span class="hidden">${t('checklist.result_of', { who: attempt.name })}</span>
      <select value=${attempt.result ?? ''} disabled=${isBusy} onChange=${record}>
        <option value="">${t('ladder.waiting')}</option>
        ${results.map((name) => html`<option key=${name} value=${name} selected=${attempt.result === name}>${nameOfResult(name)}</option>`)}
      </select></label>` : html`<span>${attempt.result ? nameOfResult(attempt.result) : t('ladder.waiting')}</span>`}
    ${!attempt.result && left > 0 && html`<small>${t('ladder.left', { time: span(left) })}</small>`}</li>`;
}

export function Ladder({ ticket, read }) {
  const attempts = read.contacts ?? [];
  const isLouder = ticket.state !== 'closed' && (ticket.ring_level > 0 || ticket.second_desk_at);
  if (attempts.length === 0 && !isLouder) return null;
  return html`<section class="checklist ladder" aria-label=${t('ladder.title')}><h2>${t('ladder.title')}</h2>
    ${isLouder && html`<ul class="flags">
      ${ticket.ring_level > 0 && html`<li class="odd">${t('ladder.rings', { n: ticket.ring_level })}</li>`}
      ${ticket.second_desk_at && html`<li class="odd">${t('ladder.second_desk', { at: clock(ticket.second_desk_at) })}</li>`}</ul>`}
    ${attempts.length > 0 && html`<ul>${attempts.map((attempt) => html`<${Attempt} key=${attempt.id} attempt=${attempt}
      isOpen=${ticket.state !== 'closed'} />`)}</ul>`}</section>`;
}
