/* What is promised to the people of a home, and how it went the last time. */
import { useState } from 'preact/hooks';
import { html } from '../lib/html.js';
import { nameOf, t } from '../lib/i18n.js';
import { may } from '../lib/store.js';
import { fromField, lengthOf, moment, toField } from '../lib/time.js';
import { Dialog, closeDialog, openDialog } from '../ui/dialog.js';
import { Loaded, useLoad } from '../ui/load.js';
import { useSend } from '../ui/do.js';
import '../figures/style.js';

const HOUR_S = 3600;

function PlanDialog({ home, plan, tasks, residents, done }) {
  const [isBusy, run] = useSend();
  const [value, setValue] = useState({ task: plan?.task ?? 'greeting', position: plan?.position ?? residents[0]?.position ?? 1,
    hours: plan?.every_s ? String(plan.every_s / HOUR_S) : '', due_at: toField(plan?.due_at), is_active: plan?.is_active ?? true });
  const set = (name) => ({ target }) => setValue({ ...value, [name]: target.type === 'checkbox' ? target.checked : target.value });
  const usual = tasks.find(({ name }) => name === value.task)?.every_s;
  const submit = async () => {
    const body = { household_id: home, task: value.task, position: Number(value.position), is_active: value.is_active,
      every_s: value.hours ? Math.round(Number(value.hours) * HOUR_S) : null, due_at: fromField(value.due_at) };
    if (await run('POST', '/api/care/plans', body)) { done(); closeDialog(); }
  };
  return html`<${Dialog} title=${t(plan ? 'plans.change' : 'plans.add')} submit=${submit} submitText=${t('dialog.save')} isBusy=${isBusy}
      isReady=${value.hours === '' || Number(value.hours) > 0}>
    <div class="fields"><label class="field">${t('plans.task')}<select value=${value.task} disabled=${Boolean(plan)} onChange=${set('task')}>
        ${tasks.map((task) => html`<option key=${task.name} value=${task.name}>${nameOf(task)}</option>`)}</select></label>
      <label class="field">${t('plans.whom')}<select value=${value.position} disabled=${Boolean(plan)} onChange=${set('position')}>
        ${residents.map(({ position, name }) => html`<option key=${position} value=${position}>${name}</option>`)}</select></label>
      <label class="field">${t('plans.every')}<input type="number" min="1" step="any" value=${value.hours} onInput=${set('hours')}
        placeholder=${usual ? String(usual / HOUR_S) : ''} /><small>${usual ? t('plans.usual', { time: lengthOf(usual) }) : t('plans.when_called')}</small></label>
      <label class="field">${t('plans.due')}<input type="datetime-local" value=${value.due_at} onInput=${set('due_at')} /></label></div>
    <label class="setting"><span>${t('plans.active')}</span><input type="checkbox" checked=${value.is_active} onChange=${set('is_active')} /></label></${Dialog}>`;
}

export function Plans({ home, residents }) {
  const load = useLoad(`/api/care/plans?household_id=${home}`);
  return html`<${Loaded} load=${load} what=${t('plans.title')}>${({ rows, tasks }) => {
    const open = (plan) => openDialog(PlanDialog, { home, plan, tasks, residents, done: load.again });
    const every = (plan) => plan.every_s ?? tasks.find(({ name }) => name === plan.task)?.every_s;
    return html`<ul class="plans">${rows.map((plan) => html`<li key=${plan.id} class=${plan.is_active ? '' : 'ended'}>
        <b>${nameOf(tasks.find(({ name }) => name === plan.task))}</b> ${plan.resident}
        <small>${every(plan) ? t('plans.each', { time: lengthOf(every(plan)) }) : ''}
          ${plan.is_active ? plan.due_at && t('plans.next', { at: moment(plan.due_at) }) : t('plans.ended')}
          ${plan.last_done_at ? ` · ${t('care.last', { at: moment(plan.last_done_at) })}` : ''} ${plan.last_note ?? ''}</small>
        ${may('set_care_plan') && html`<button class="small" onClick=${() => open(plan)}>${t('table.change')}</button>`}</li>`)}</ul>
      ${rows.length === 0 && html`<p>${t('plans.none')}</p>`}
      ${may('set_care_plan') && residents.length > 0 && html`<button class="small" onClick=${() => open(null)}>${t('plans.add')}</button>`}`;
  }}</${Loaded}>`;
}
