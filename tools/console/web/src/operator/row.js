/* One row of the queue: priority, kind, who and where, running age, time left, presses, owner. */
import { html } from '../lib/html.js';
import { nameOf, t } from '../lib/i18n.js';
import { dictionary, isFresh, isLoud, row } from '../lib/store.js';
import { session } from '../lib/api.js';
import { span, now } from '../lib/time.js';
import { Age, Left, Presses, PriorityMark, levelOf, nextLimit } from '../ui/mark.js';
import { openTicket } from './act.js';

export const ROW_HEIGHT = 64;

export function kindName(ticket) {
  const words = dictionary.value;
  const isService = ticket.kind === 'service';
  const list = isService ? words?.services : words?.kinds;
  return nameOf(list?.find(({ name }) => name === (isService ? ticket.service_kind : ticket.kind))) || ticket.kind;
}

export function outcomeName(kind, outcome) {
  return nameOf(dictionary.value?.outcomes.find(({ ticket_kind, name }) => ticket_kind === kind && name === outcome))
    || outcome;
}

/* Whose it is: the person, else the device that nobody knows. */
export const whoOf = (ticket) => ticket.resident ?? (ticket.household ? t('row.no_name') : ticket.identity || t('row.unknown'));
/* Without the district, which is the same for all. */
export const areaOf = (area) => (area ?? '').split(' ').slice(1).join(' ') || area || '';
export const whereOf = (ticket) => ticket.address ?? (areaOf(ticket.area) || t('row.unknown_place'));

export function Owner({ ticket }) {
  if (ticket.held_until) {
    const left = (Date.parse(ticket.held_until) - now.value) / 1000;
    return html`<span class="owner">${t('row.held', { time: span(left) })}</span>`;
  }
  if (ticket.state === 'closed') return html`<span class="owner">${t('row.closed')}</span>`;
  if (!ticket.claimed_by) return html`<span class="hidden">${t('row.free')}</span>`;
  const isMine = ticket.claimed_by === session.value?.user.name;
  return html`<span class="owner ${isMine ? 'mine' : ''}">${isMine ? t('row.mine') : ticket.claimed_by}</span>`;
}

export function QueueRow({ id, top, isOpen, isFirst }) {
  const ticket = row(id)?.value;
  if (!ticket) return null;
  const limit = nextLimit(ticket);
  const level = levelOf(limit);
  const classes = ['row', `p${ticket.priority}`, level, isOpen && 'selected', isFresh(id) && 'fresh',
    ticket.state === 'closed' && 'over', ticket.claimed_by && 'claimed'].filter(Boolean).join(' ');
  return html`<li class=${classes} style=${{ transform: `translateY(${top}px)` }}>
    <button data-ticket=${id} tabIndex=${isOpen || isFirst ? 0 : -1} aria-current=${isOpen ? 'true' : undefined}
        onClick=${() => openTicket(id)}>
      <span class="line">
        <${PriorityMark} priority=${ticket.priority} />
        <strong>${kindName(ticket)}</strong><${Presses} count=${ticket.signal_count} />
        ${isFresh(id) && html`<em class="new">${t('row.new')}</em>`}
        ${isLoud(ticket) && html`<em class="loud">${t(ticket.second_desk_at ? 'row.second_desk' : 'row.loud')}</em>`}
        <${Age} since=${ticket.received_at} level=${level} />
      </span>
      <span class="line below">
        <span class="where"><b>${whoOf(ticket)}</b> ${ticket.held_until ? t('row.held_why', {
          reason: ticket.hold_reason, by: ticket.held_by }) : whereOf(ticket)}</span>
        ${limit && html`<${Left} limit=${limit} short />`}<${Owner} ticket=${ticket} />
      </span>
    </button></li>`;
}
