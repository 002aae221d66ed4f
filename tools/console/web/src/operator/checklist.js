/* Who was sent or told: when, by whom, how to reach them, and what came of it. */
import { html } from '../lib/html.js';
import { nameOf, t } from '../lib/i18n.js';
import { dictionary } from '../lib/store.js';
import { clock } from '../lib/time.js';
import { Phone } from '../ui/phone.js';
import { act, isBusy } from './act.js';
import { household } from './household_read.js';
import { HELPER_OF_ROLE } from './steps.js';

const EMERGENCY = new Set(['120', '110', '119']);

/* Whom to call for an entry: the emergency number itself, or the home's contacts of that kind. */
function numbersOf(entry) {
  if (EMERGENCY.has(entry.helper)) return [{ name: '', phone: entry.helper }];
  return (household.value.value?.contacts ?? []).filter(({ role, name }) =>
    HELPER_OF_ROLE[role] === entry.helper && (!entry.name || entry.name === name));
}

function Entry({ ticket, entry, canResult, canScene }) {
  const words = dictionary.value;
  const label = nameOf(words?.helpers.find(({ name }) => name === entry.helper)) || entry.helper;
  return html`<li class=${entry.result ? 'known' : ''}>
    <div><b>${label}</b> ${entry.name ?? ''}
      ${numbersOf(entry).slice(0, 2).map((contact) => html`<span key=${contact.phone} class="call">
        ${entry.name ? '' : contact.name} <${Phone} number=${contact.phone} /></span>`)}
      <small>${t('checklist.sent', { at: clock(entry.sent_at), by: entry.sent_by })}
        ${entry.arrived_at && ` · ${t('checklist.arrived', { at: clock(entry.arrived_at) })}`}</small></div>
    <label><span class="hidden">${t('checklist.result_of', { who: label })}</span>
      <select value=${entry.result ?? ''} disabled=${!canResult || isBusy.value}
        onChange=${({ target }) => target.value && act(ticket.id, 'result', { helper_id: entry.id, result: target.value })}>
        <option value="">${t('checklist.waiting')}</option>
        ${(words?.results ?? []).map((result) => html`<option key=${result.name} value=${result.name}
          selected=${entry.result === result.name}>${nameOf(result)}</option>`)}
      </select></label>
    ${entry.result_at && html`<small>${clock(entry.result_at)}</small>`}
    ${canScene && !entry.arrived_at && html`<button class="small" disabled=${isBusy.value}
      onClick=${() => act(ticket.id, 'scene', { helper_id: entry.id })}>${t('checklist.is_there')}</button>`}
  </li>`;
}

export function Checklist({ ticket, read }) {
  const entries = read.helpers.filter(({ episode }) => episode === ticket.episode);
  if (entries.length === 0) return null;
  return html`<section class="checklist" aria-label=${t('checklist.title')}><h2>${t('checklist.title')}</h2>
    <ul>${entries.map((entry) => html`<${Entry} key=${entry.id} ticket=${ticket} entry=${entry}
      canResult=${read.commands.includes('result')} canScene=${read.commands.includes('scene')} />`)}</ul></section>`;
}
