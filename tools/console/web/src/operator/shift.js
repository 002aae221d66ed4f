/* One's own shift: on duty, pause, off; before going off, what is given back to the queue. */
import { useState } from 'preact/hooks';
import { html } from '../lib/html.js';
import { t, word } from '../lib/i18n.js';
import { send, session } from '../lib/api.js';
import { LANES, duty, hearDuty, isDutyKnown, lane, may, myShift, row, summary } from '../lib/store.js';
import { Age, PriorityMark } from '../ui/mark.js';
import { Dialog, closeDialog, openDialog } from '../ui/dialog.js';
import { toast } from '../ui/toast.js';
import { openTicket } from './act.js';
import { kindName, whereOf, whoOf } from './row.js';

const PAUSES = ['meal', 'break', 'training', 'other'];

export async function setShift(action, reason) {
  try {
    const { given_back, shift } = await send('POST', '/api/shift', reason ? { action, reason } : { action });
    const others = duty.value.filter(({ name }) => name !== session.value.user.name);
    hearDuty({ on_duty: shift ? [...others, shift] : others });
    toast(given_back > 0 ? t('shift.given_back', { count: given_back }) : t(`shift.done.${action}`));
    return true;
  } catch (error) {
    toast(word('code', error.code), 'bad');
    return false;
  }
}

function PauseDialog() {
  const [reason, setReason] = useState('meal');
  const submit = async () => { if (await setShift('pause', t(`pause.${reason}`))) closeDialog(); };
  return html`<${Dialog} title=${t('shift.pause_title')} submit=${submit} submitText=${t('shift.pause')}
      keys=${Object.fromEntries(PAUSES.map((name, i) => [String(i + 1), () => setReason(name)]))}>
    <fieldset class="choices"><legend>${t('shift.reason')}</legend>${PAUSES.map((name, index) => html`
      <label key=${name} class=${reason === name ? 'chosen' : ''}><input type="radio" name="reason"
        checked=${reason === name} autofocus=${index === 0} onChange=${() => setReason(name)} />
        <kbd>${index + 1}</kbd> ${t(`pause.${name}`)}</label>`)}</fieldset></${Dialog}>`;
}

/* What the next shift must know: one's own tickets and those on hold, with who else is here. */
function HandOverView() {
  const me = session.value.user.name;
  const open = LANES.flatMap((name) => lane(name).ids.value).map((id) => row(id).value)
    .filter((ticket) => ticket.claimed_by === me || ticket.held_by === me && ticket.held_until);
  const others = duty.value.filter(({ name }) => name !== me);
  const submit = async () => { if (await setShift('off')) closeDialog(); };
  return html`<${Dialog} title=${t('shift.off_title')} submit=${submit} submitText=${t('shift.off')} wide>
    <p>${t('shift.off_then', { count: open.filter(({ claimed_by }) => claimed_by === me).length })}</p>
    <h3>${t('shift.mine')}</h3>
    ${open.length === 0 ? html`<p class="hint">${t('shift.none')}</p>` : html`<ul class="found">
      ${open.map((ticket) => html`<li key=${ticket.id}><button type="button"
          onClick=${() => { closeDialog(); openTicket(ticket.id); }}>
        <${PriorityMark} priority=${ticket.priority} /> <b>${kindName(ticket)} ${whoOf(ticket)}</b>
        <span>${whereOf(ticket)}</span> <small>${ticket.held_until ? ticket.hold_reason : word('state', ticket.state)}</small>
        <${Age} since=${ticket.received_at} /></button></li>`)}</ul>`}
    <h3>${t('shift.others')}</h3>
    <p>${others.length ? others.map(({ full_name, paused_at }) => paused_at ? `${full_name}（${t('shift.paused')}）`
      : full_name).join('、') : t('shift.alone')}</p>
    <p>${t('shift.open', { count: summary.value?.lanes.alarms?.unowned ?? 0 })}</p></${Dialog}>`;
}

export function ShiftControl() {
  if (!may('shift') || !isDutyKnown.value) return null;
  const shift = myShift.value;
  if (!shift) return html`<button class="shift off" onClick=${() => setShift('on')}>${t('shift.go_on')}</button>`;
  return html`<span class="shift ${shift.paused_at ? 'paused' : 'on'}">
    <span>${shift.paused_at ? shift.pause_reason || t('shift.paused') : t('shift.on')} <${Age} since=${shift.paused_at ?? shift.on_at} /></span>
    ${shift.paused_at ? html`<button onClick=${() => setShift('resume')}>${t('shift.resume')}</button>`
      : html`<button onClick=${() => openDialog(PauseDialog)}>${t('shift.pause')}</button>`}
    <button onClick=${() => openDialog(HandOverView)}>${t('shift.off')}</button></span>`;
}
