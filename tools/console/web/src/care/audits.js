/* Calls drawn at random for a supervisor to listen to and judge. */
import { useState } from 'preact/hooks';
import { html } from '../lib/html.js';
import { query, session } from '../lib/api.js';
import { t } from '../lib/i18n.js';
import { moment, now, toField } from '../lib/time.js';
import { Dialog, closeDialog, openDialog } from '../ui/dialog.js';
import { Loaded, useLoad } from '../ui/load.js';
import { useSend } from '../ui/do.js';
import { Table } from '../ui/table.js';
import { openTicket } from '../operator/act.js';
import { kindName, outcomeName } from '../operator/row.js';

function JudgeDialog({ audit, done }) {
  const [isBusy, run] = useSend();
  const [score, setScore] = useState(audit.score ?? '');
  const [note, setNote] = useState(audit.note ?? '');
  const submit = async () => {
    if (await run('POST', `/api/audits/${audit.id}`, { score: Number(score), note: note.trim() || null })) { done(); closeDialog(); }
  };
  const isGood = score !== '' && Number.isInteger(Number(score)) && Number(score) >= 0 && Number(score) <= 100;
  return html`<${Dialog} title=${t('audits.judge_title', { who: audit.full_name ?? audit.operator, id: audit.ticket_id })} submit=${submit}
      submitText=${t('dialog.save')} isBusy=${isBusy} isReady=${isGood}>
    <label class="field">${t('audits.score')}<input type="number" min="0" max="100" step="1" value=${score} autofocus
      onInput=${({ target }) => setScore(target.value)} /></label>
    <label class="field">${t('care.note')}<textarea rows="4" maxLength="4000" value=${note} onInput=${({ target }) => setNote(target.value)} /></label></${Dialog}>`;
}

export function Page() {
  const [month, setMonth] = useState(() => toField(new Date(now.peek()).toISOString()).slice(0, 7));
  const [isBusy, run] = useSend();
  const load = useLoad(`/api/audits${query({ month })}`);
  const draw = async () => { if (await run('POST', '/api/audits/draw', { month, each: 2 })) load.again(); };
  const mine = ({ operator }) => operator === session.value?.user.name;
  return html`<div class="page"><header><h1>${t('page.audits')}</h1>
      <button class="primary" disabled=${isBusy} onClick=${draw}>${t('audits.draw')}</button></header>
    <p class="hint">${t('audits.hint')}</p>
    <form class="filter" onSubmit=${(event) => event.preventDefault()}><label class="field">${t('figures.month')}<input type="month" value=${month}
      required onChange=${({ target }) => target.value && setMonth(target.value)} /></label></form>
    <${Loaded} load=${load} what=${t('page.audits')}>${({ rows }) => html`
      <p>${t('audits.progress', { done: rows.filter(({ score }) => score !== null).length, of: rows.length })}</p>
      <${Table} caption=${t('page.audits')} rows=${rows} keyOf=${({ id }) => id} empty=${t('audits.none')} columns=${[
        [t('duty.name'), (audit) => html`<b>${audit.full_name ?? audit.operator}</b>`],
        [t('audits.call'), (audit) => html`<button class="link" onClick=${() => openTicket(audit.ticket_id)}>#${audit.ticket_id}
          ${audit.kind ? kindName(audit) : ''}</button> ${audit.is_emergency && html`<span class="chip">${t('audits.emergency')}</span>`}`],
        [t('why.received'), ({ received_at }) => moment(received_at)],
        [t('close.outcome'), ({ kind, outcome }) => (outcome ? outcomeName(kind, outcome) : '–')],
        [t('audits.score'), ({ score }) => (score === null ? t('audits.open') : html`<b>${score}</b>`), 'number'],
        [t('care.note'), ({ note }) => note ?? '–'],
        [t('table.actions'), (audit) => (mine(audit) ? html`<span class="hint">${t('audits.own')}</span>`
          : html`<button class="small" onClick=${() => openDialog(JudgeDialog, { audit, done: load.again })}>${t(audit.score === null ? 'audits.judge' : 'table.change')}</button>`)],
      ]} />`}</${Loaded}></div>`;
}
