/* The tickets that one owns, as tabs above the one in hand: a call about one must not lose the others. */
import { html } from '../lib/html.js';
import { t } from '../lib/i18n.js';
import { LANES, changes, lane, row } from '../lib/store.js';
import { session } from '../lib/api.js';
import { Age, PriorityMark, levelOf, nextLimit } from '../ui/mark.js';
import { openTicket } from './act.js';
import { whoOf } from './row.js';

export function MyTickets({ current }) {
  changes.value;
  const me = session.value.user.name;
  const mine = LANES.flatMap((name) => lane(name).ids.value).map((id) => row(id).value)
    .filter(({ claimed_by, state }) => claimed_by === me && state !== 'closed');
  if (mine.length === 0) return null;
  return html`<nav class="in-hand" aria-label=${t('mine.title')}>
    ${mine.map((ticket) => html`<button key=${ticket.id} aria-current=${ticket.id === current ? 'true' : undefined}
        onClick=${() => openTicket(ticket.id)}>
      <${PriorityMark} priority=${ticket.priority} short /> ${whoOf(ticket)}
      <${Age} since=${ticket.received_at} level=${levelOf(nextLimit(ticket))} /></button>`)}</nav>`;
}
