/* All that happened to the ticket, behind a toggle: rows of the record, oldest first. */
import { html } from '../lib/html.js';
import { nameOf, t, word } from '../lib/i18n.js';
import { dictionary } from '../lib/store.js';
import { moment } from '../lib/time.js';
import { outcomeName } from './row.js';

/* What else an event tells, in words. */
function extra(event, kind) {
  const { detail } = event;
  if (!detail) return '';
  const named = (list, name) => nameOf(dictionary.value?.[list].find((entry) => entry.name === name)) || name;
  switch (event.kind) {
    case 'closed': return detail.outcome ? outcomeName(kind, detail.outcome) : '';
    case 'dispatched': return Array.isArray(detail.helpers) && detail.helpers.every((name) => typeof name === 'string')
      ? detail.helpers.map((name) => named('helpers', name)).join('、') : '';
    case 'helper_result': return named('results', detail.result);
    case 'held': return detail.reason;
    case 'handed_over': return `${detail.from ?? ''} → ${detail.to ?? ''}`;
    case 'merged': return `#${detail.into ?? detail.from}`;
    case 'escalated': return word('escalation', detail.action);
    case 'answered': return detail.spoke_with;
    case 'verified': return detail.how;
    case 'priority_lowered': return t(`priority.${detail.priority}`);
    case 'contact_result': return word('contact_result', detail.result);
    case 'note': return detail.text;
    default: return detail.why ? word('reason', detail.why) : '';
  }
}

export function History({ read }) {
  const events = read.events.filter(({ kind }) => kind !== 'note');
  return html`<details class="history"><summary>${t('history.title', { count: events.length })}</summary>
    <ol>${events.map((event) => html`<li key=${event.id}><time dateTime=${event.at}>${moment(event.at)}</time>
      <b>${word('event', event.kind)}</b> <span>${extra(event, read.ticket.kind)}</span>
      <small>${event.actor ?? event.origin ?? t('history.machine')}</small></li>`)}</ol></details>`;
}
