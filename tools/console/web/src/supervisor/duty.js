/* Who is on duty, since when, with how many tickets; a supervisor may send someone on pause or off duty. */
import { html } from '../lib/html.js';
import { t, word } from '../lib/i18n.js';
import { send, session } from '../lib/api.js';
import { LANES, changes, duty, lane, may, row, summary } from '../lib/store.js';
import { moment, now, span } from '../lib/time.js';
import { Age, PriorityMark, levelOf, nextLimit } from '../ui/mark.js';
import { Dialog, closeDialog, openDialog } from '../ui/dialog.js';
import { Table } from '../ui/table.js';
import { useSend } from '../ui/do.js';
import { openTicket } from '../operator/act.js';
import { kindName, whoOf } from '../operator/row.js';
import { StartButton } from './disaster.js';

function OffDialog({ person }) {
  const [isBusy, run] = useSend();
  const submit = async () => {
    if (await run('POST', '/api/shift', { action: 'off', user: person.name })) closeDialog();
  };
  return html`<${Dialog} title=${t('duty.off_title', { name: person.full_name })} submit=${submit} submitText=${t('shift.off')}
    isBusy=${isBusy}><p>${t('duty.off_then', { count: person.tickets })}</p></${Dialog}>`;
}

function Owned({ person }) {
  changes.value;
  const owned = LANES.flatMap((name) => lane(name).ids.value).map((id) => row(id).value)
    .filter(({ claimed_by, state }) => claimed_by === person.name && state !== 'closed');
  return html`<ul class="owned">${owned.map((ticket) => html`<li key=${ticket.id}>
    <button class="link" onClick=${() => openTicket(ticket.id)}><${PriorityMark} priority=${ticket.priority} short />
      ${' '}${kindName(ticket)} ${whoOf(ticket)}</button>
    <${Age} since=${ticket.received_at} level=${levelOf(nextLimit(ticket))} /></li>`)}</ul>`;
}

const pauseOther = (person) => send('POST', '/api/shift', { action: person.paused_at ? 'resume' : 'pause', user: person.name }).catch(() => {});

export function Page() {
  const load = summary.value?.load;
  const others = (person) => may('shift_others') && person.name !== session.value.user.name;
  return html`<div class="page"><header><h1>${t('page.duty')}</h1><${StartButton} /></header>
    <p>${load ? t('load.title', { count: load.tickets_10min, operators: load.operators }) : ''}</p>
    <${Table} caption=${t('page.duty')} rows=${duty.value} keyOf=${({ name }) => name} empty=${t('load.nobody')} columns=${[
      [t('duty.name'), (person) => html`<b>${person.full_name}</b> <small>${person.name} · ${word('role', person.role)}</small>`],
      [t('duty.since'), (person) => `${moment(person.on_at)} · ${span((now.value - Date.parse(person.on_at)) / 1000)}`],
      [t('duty.state'), (person) => person.paused_at ? html`${t('shift.paused')} ${person.pause_reason ?? ''}
        <${Age} since=${person.paused_at} />` : t('shift.on')],
      [t('duty.tickets'), (person) => html`${person.tickets} <${Owned} person=${person} />`],
      [t('table.actions'), (person) => others(person) && html`<span class="actions">
        <button class="small" onClick=${() => pauseOther(person)}>${t(person.paused_at ? 'shift.resume' : 'shift.pause')}</button>
        <button class="small" onClick=${() => openDialog(OffDialog, { person })}>${t('shift.off')}</button></span>`],
    ]} /></div>`;
}
