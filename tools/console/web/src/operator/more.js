/* Everything else that can be done to a ticket: hold, hand over, give back, merge, mark as a test, open again. */
import { useState } from 'preact/hooks';
import { html } from '../lib/html.js';
import { t } from '../lib/i18n.js';
import { session } from '../lib/api.js';
import { LANES, dictionary, duty, lane, row } from '../lib/store.js';
import { lengthOf } from '../lib/time.js';
import { Dialog, closeDialog, openDialog } from '../ui/dialog.js';
import { act, isBusy } from './act.js';
import { kindName, whoOf } from './row.js';

const HOLD_MINUTES = [5, 10, 15, 30, 60, 120, 480, 1440];
const HOLD_REASONS = ['call_later', 'on_the_way', 'waits_for_family', 'waits_for_repair'];

function HoldDialog({ ticket }) {
  const cap_s = dictionary.value?.classes.find(({ name }) => name === ticket.class)?.hold_max_s ?? 1800;
  const times = HOLD_MINUTES.filter((minutes) => minutes * 60 <= cap_s);
  const [minutes, setMinutes] = useState(times[Math.min(1, times.length - 1)]);
  const [reason, setReason] = useState('');
  const [priority, setPriority] = useState(ticket.priority);
  const submit = async () => {
    if (await act(ticket.id, 'hold', { reason: reason.trim(), seconds: minutes * 60, return_priority: Number(priority) }))
      closeDialog();
  };
  return html`<${Dialog} title=${t('hold.title', { id: ticket.id })} submit=${submit} submitText=${t('hold.do')}
      isReady=${reason.trim() !== ''} isBusy=${isBusy.value}
      keys=${Object.fromEntries(HOLD_REASONS.map((name, i) => [String(i + 1), () => setReason(t(`hold.reason.${name}`))]))}>
    <fieldset class="choices inline"><legend>${t('hold.reason')}</legend>
      ${HOLD_REASONS.map((name, index) => html`<button type="button" key=${name} autofocus=${index === 0}
        aria-pressed=${reason === t(`hold.reason.${name}`)} onClick=${() => setReason(t(`hold.reason.${name}`))}>
        <kbd>${index + 1}</kbd> ${t(`hold.reason.${name}`)}</button>`)}</fieldset>
    <label class="field">${t('hold.reason_own')}
      <input value=${reason} maxLength="200" onInput=${({ target }) => setReason(target.value)} /></label>
    <div class="fields"><label class="field">${t('hold.time')}
      <select value=${minutes} onChange=${({ target }) => setMinutes(Number(target.value))}>
        ${times.map((n) => html`<option key=${n} value=${n} selected=${n === minutes}>${lengthOf(n * 60)}</option>`)}</select>
      <small>${t('hold.cap', { time: lengthOf(cap_s) })}</small></label>
    <label class="field">${t('hold.priority')}
      <select value=${priority} onChange=${({ target }) => setPriority(target.value)}>
        ${[1, 2, 3, 4, 5].map((n) => html`<option key=${n} value=${n} selected=${n === Number(priority)}
          >${t(`priority.${n}`)}</option>`)}</select></label></div>
    <p class="hint">${t('hold.broken')}</p>
  </${Dialog}>`;
}

function HandOverDialog({ ticket }) {
  const others = duty.value.filter(({ name, role }) => name !== ticket.claimed_by && /operator|supervisor/.test(role));
  const [to, setTo] = useState(others.find(({ paused_at }) => !paused_at)?.name ?? null);
  const submit = async () => { if (await act(ticket.id, 'hand_over', { to })) closeDialog(); };
  return html`<${Dialog} title=${t('hand_over.title', { id: ticket.id })} submit=${submit} submitText=${t('hand_over.do')}
      isReady=${to !== null} isBusy=${isBusy.value}
      keys=${Object.fromEntries(others.slice(0, 9).map(({ name }, i) => [String(i + 1), () => setTo(name)]))}>
    ${others.length === 0 ? html`<p>${t('hand_over.nobody')}</p>` : html`
      <fieldset class="choices"><legend>${t('hand_over.to')}</legend>
      ${others.map((person, index) => html`<label key=${person.name} class=${to === person.name ? 'chosen' : ''}>
        <input type="radio" name="to" checked=${to === person.name} autofocus=${index === 0}
          onChange=${() => setTo(person.name)} /><kbd>${index + 1}</kbd> ${person.full_name}
        <small>${t('hand_over.load', { count: person.tickets })}
          ${person.paused_at ? ` · ${t('shift.paused')}` : ''}</small></label>`)}</fieldset>`}
  </${Dialog}>`;
}

/* Those of the same class first from the same home; any other by its number. */
function MergeDialog({ ticket }) {
  const near = LANES.flatMap((name) => lane(name).ids.value).map((id) => row(id).value)
    .filter((other) => other.id !== ticket.id && other.class === ticket.class && other.household_id === ticket.household_id);
  const [into, setInto] = useState(near[0] ? String(near[0].id) : '');
  const submit = async () => { if (await act(ticket.id, 'merge', { into: Number(into) })) closeDialog(); };
  return html`<${Dialog} title=${t('merge.title', { id: ticket.id })} submit=${submit} submitText=${t('merge.do')}
      isReady=${/^\d+$/.test(into)} isBusy=${isBusy.value}>
    ${near.length > 0 && html`<fieldset class="choices"><legend>${t('merge.near')}</legend>
      ${near.map((other) => html`<label key=${other.id}><input type="radio" name="into" checked=${into === String(other.id)}
        onChange=${() => setInto(String(other.id))} /> #${other.id} ${kindName(other)} ${whoOf(other)}</label>`)}</fieldset>`}
    <label class="field">${t('merge.number')}
      <input inputMode="numeric" autofocus=${near.length === 0} value=${into}
        onInput=${({ target }) => setInto(target.value.trim().replace(/^#/, ''))} /></label>
    <p class="hint">${t('merge.hint')}</p></${Dialog}>`;
}

function AskDialog({ ticket, what, withReason }) {
  const [reason, setReason] = useState('');
  const submit = async () => {
    if (await act(ticket.id, what, withReason ? { reason: reason.trim() || null } : {})) closeDialog();
  };
  return html`<${Dialog} title=${t(`ask.${what}`, { id: ticket.id })} submit=${submit} submitText=${t(`command.${what}`)}
      isBusy=${isBusy.value}><p>${t(`ask.${what}.then`)}</p>
    ${withReason && html`<label class="field">${t('ask.reason')}
      <input autofocus maxLength="500" value=${reason} onInput=${({ target }) => setReason(target.value)} /></label>`}
  </${Dialog}>`;
}

const ACTIONS = [
  { name: 'hold', key: 'h', open: (ticket) => openDialog(HoldDialog, { ticket }) },
  { name: 'hand_over', key: 't', open: (ticket) => openDialog(HandOverDialog, { ticket }) },
  { name: 'release', key: 'b', open: (ticket) => openDialog(AskDialog, { ticket, what: 'release' }) },
  { name: 'merge', key: 'm', open: (ticket) => openDialog(MergeDialog, { ticket }) },
  { name: 'mark_test', key: 'e', open: (ticket) => openDialog(AskDialog, { ticket, what: 'mark_test' }) },
  { name: 'reopen', key: 'r', open: (ticket) => openDialog(AskDialog, { ticket, what: 'reopen', withReason: true }) },
];

/* A supervisor may take a ticket from its owner by handing it over or giving it back, although it is not his. */
function isOpenTo(name, ticket, read) {
  if (read.commands.includes(name)) return !(name === 'mark_test' && ticket.is_test);
  return ['hand_over', 'release'].includes(name) && ticket.claimed_by && ticket.state !== 'closed'
    && session.value.may.includes('override_owner');
}

export function moreActions(ticket, read) {
  const open = ACTIONS.filter(({ name }) => isOpenTo(name, ticket, read));
  return { open, keys: Object.fromEntries(open.map((action) => [action.key, () => action.open(ticket)])) };
}

export function MoreActions({ ticket, read }) {
  const { open } = moreActions(ticket, read);
  if (open.length === 0) return null;
  return html`<footer class="more-actions" aria-label=${t('more.title')}>
    ${open.map((action) => html`<button key=${action.name} disabled=${isBusy.value} onClick=${() => action.open(ticket)}>
      ${t(`command.${action.name}`)} <kbd>${action.key.toUpperCase()}</kbd></button>`)}</footer>`;
}
