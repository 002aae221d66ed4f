/* The ticket in hand: what happened and why we believe it, the next step, what was done, notes. */
import { useEffect } from 'preact/hooks';
import { html } from '../lib/html.js';
import { t } from '../lib/i18n.js';
import { useKeys } from '../lib/keys.js';
import { session } from '../lib/api.js';
import { may, row, summary } from '../lib/store.js';
import { isStale } from '../lib/live.js';
import { now } from '../lib/time.js';
import { Age, Left, Presses, PriorityMark, levelOf, nextLimit } from '../ui/mark.js';
import { Empty, Failed, Loading } from '../ui/states.js';
import { act, closeTicket, inHand, readInHand } from './act.js';
import { Why } from './why.js';
import { NextStep, stepKeys } from './next_step.js';
import { Way } from './way.js';
import { Checklist } from './checklist.js';
import { Ladder } from './ladder.js';
import { Notes } from './notes.js';
import { History } from './history.js';
import { moreActions, MoreActions } from './more.js';
import { kindName, Owner, whereOf, whoOf } from './row.js';
import { MyTickets } from './mine.js';

const RENEW_EVERY_S = 20;
const PRESENT_FOR_S = 90; // without any touch the person may have gone: let the claim lapse

let touchedAt = Date.now();
for (const event of ['pointerdown', 'keydown', 'wheel']) addEventListener(event, () => { touchedAt = Date.now(); }, true);

/* Says to the server that the owner is still there, as long as he is. */
function useRenewal(id, isMine) {
  useEffect(() => {
    if (!isMine) return undefined;
    const timer = setInterval(() => {
      if (Date.now() - touchedAt < PRESENT_FOR_S * 1000) act(id, 'renew', {}, { quiet: true });
    }, RENEW_EVERY_S * 1000);
    return () => clearInterval(timer);
  }, [id, isMine]);
}

function Head({ ticket }) {
  const limit = nextLimit(ticket);
  const since = ticket.received_at;
  const isOver = ticket.state === 'closed';
  return html`<header class="ticket-head p${ticket.priority}">
    <div class="what">
      <p><${PriorityMark} priority=${ticket.priority} /> <strong>${kindName(ticket)}</strong>
        <${Presses} count=${ticket.signal_count} />
        ${ticket.is_test && html`<em class="chip">${t('ticket.test')}</em>`}
        ${ticket.episode > 1 && html`<em class="chip">${t('ticket.episode', { n: ticket.episode })}</em>`}
        <span class="number">#${ticket.id}</span></p>
      <h1>${whoOf(ticket)}</h1>
      <p class="where">${whereOf(ticket)}</p>
    </div>
    <div class="clock">
      ${isOver ? html`<span class="age">${t('ticket.closed')}</span>`
        : html`<${Age} since=${since} level=${levelOf(limit)} /><${Left} limit=${limit} />`}
      ${ticket.claimed_by && html`<${Owner} ticket=${ticket} />`}
    </div></header>`;
}

function Taken({ ticket }) {
  const { name } = session.value.user;
  if (ticket.claimed_by && ticket.claimed_by !== name && ticket.state !== 'closed')
    return html`<p class="notice">${t('ticket.theirs', { owner: ticket.claimed_by })}</p>`;
  const left = (Date.parse(ticket.claim_until) - now.value) / 1000;
  if (ticket.claimed_by === name && ticket.claim_until && left < 20 && left > -60)
    return html`<p class="notice warn" role="alert">${t('ticket.lapses', { s: Math.max(0, Math.floor(left)) })}</p>`;
  return null;
}

export function TicketPane() {
  const { id, value, error } = inHand.value;
  const live = id && row(id)?.value;
  const ticket = value && { ...value.ticket, sla: value.sla, ...(live?.last_signal_at ? live : {}) };
  const isMine = ticket?.claimed_by === session.value.user.name && ticket?.state !== 'closed';
  useRenewal(id, isMine);
  useKeys({ Escape: closeTicket, ...(value && stepKeys(ticket, value)), ...(value && moreActions(ticket, value).keys) });
  return html`<section class="ticket ${isStale.value ? 'stale' : ''}" aria-label=${t('ticket.title')}>
    <${MyTickets} current=${id} />
    ${id === null ? html`<${Nothing} />`
      : !value ? error ? html`<${Failed} error=${error} again=${() => readInHand(id)} />`
        : html`<${Loading} what=${t('ticket.title')} />`
        : html`<div class="scroll" tabIndex="-1" key=${id}>
            <${Head} ticket=${ticket} /><${Taken} ticket=${ticket} />
            <${NextStep} ticket=${ticket} read=${value} />
            <${Way} ticket=${ticket} />
            <${Why} ticket=${ticket} />
            <${Checklist} ticket=${ticket} read=${value} />
            <${Ladder} ticket=${ticket} read=${value} />
            <${Notes} ticket=${ticket} read=${value} />
            <${History} read=${value} />
          </div>
          <${MoreActions} ticket=${ticket} read=${value} />`}
  </section>`;
}

function Nothing() {
  const open = ['alarms', 'silence', 'services', 'devices']
    .reduce((sum, name) => sum + (summary.value?.lanes[name]?.unowned ?? 0), 0);
  return html`<${Empty} title=${open ? t('ticket.none_open', { count: open }) : t('ticket.none')}>
    <p>${may('claim') ? t('ticket.none_then') : t('ticket.none_read')}</p></${Empty}>`;
}
