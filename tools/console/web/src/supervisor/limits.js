/* Time limits and what happens when nobody keeps them. Rows of all districts (*) are read here and changed by a row
 * of one's own, which then holds. */
import { useState } from 'preact/hooks';
import { html } from '../lib/html.js';
import { nameOf, t, word } from '../lib/i18n.js';
import { dictionary } from '../lib/store.js';
import { lengthOf } from '../lib/time.js';
import { Dialog, closeDialog, openDialog } from '../ui/dialog.js';
import { Loaded, useLoad } from '../ui/load.js';
import { Table } from '../ui/table.js';
import { useSend } from '../ui/do.js';

const MEASURES = ['present', 'answer', 'dispatch', 'on_scene', 'close'];
const STATES = ['open', 'claimed', 'dispatched', 'on_scene', 'verified'];
const ACTIONS = ['ring_louder', 'notify_supervisor', 'second_desk', 'contact_ladder', 'contact_first', 'webhook', 'mqtt'];
const isGeneral = ({ district }) => district === '*';

const kindOf = (name) => nameOf(dictionary.value?.kinds.find((kind) => kind.name === name)) || name;
const serviceOf = (name) => nameOf(dictionary.value?.services.find((service) => service.name === name)) || name;
const classOf = (name) => nameOf(dictionary.value?.classes.find((entry) => entry.name === name)) || name;
const areaOf = (id) => nameOf(dictionary.value?.areas.find((area) => area.id === id)) || `#${id}`;

const Choice = ({ label, value, options, set, none }) => html`<label class="field">${label}
  <select value=${value ?? ''} onChange=${({ target }) => set(target.value === '' ? null : target.value)}>
    ${none && html`<option value="" selected=${value === null}>${none}</option>`}
    ${options.map(([name, text]) => html`<option key=${name} value=${name} selected=${String(value) === String(name)}>${text}</option>`)}
  </select></label>`;

const Seconds = ({ label, value, set, min }) => html`<label class="field">${label}
  <input type="number" min=${min} max="31536000" value=${value} onInput=${({ target }) => set(Number(target.value))} />
  <small>${value > 0 ? lengthOf(value) : ''}</small></label>`;

function LimitDialog({ limit, done }) {
  const [isBusy, run] = useSend();
  const [value, setValue] = useState(limit ?? {
    kind: 'panic', service_kind: null, priority: null, area_id: null, measure: 'answer', warn_s: 30, breach_s: 60 });
  const set = (name) => (next) => setValue({ ...value, [name]: next });
  const number = (name) => (next) => setValue({ ...value, [name]: next === null ? null : Number(next) });
  const words = dictionary.value;
  const submit = async () => {
    const { kind, service_kind, priority, area_id, measure, warn_s, breach_s } = value;
    const body = { kind, service_kind, priority, area_id, measure, warn_s, breach_s };
    if (limit && !isGeneral(limit)) body.id = limit.id;
    if (await run('POST', '/api/policy', body)) { done(); closeDialog(); }
  };
  return html`<${Dialog} title=${t(limit ? 'limits.change' : 'limits.add')} submit=${submit} submitText=${t('dialog.save')}
      isBusy=${isBusy} isReady=${value.warn_s > 0 && value.breach_s >= value.warn_s}>
    ${limit && isGeneral(limit) && html`<p class="hint">${t('limits.own')}</p>`}
    <div class="fields"><${Choice} label=${t('limits.kind')} value=${value.kind} set=${set('kind')}
        options=${(words?.kinds ?? []).map((kind) => [kind.name, nameOf(kind)])} />
      <${Choice} label=${t('limits.measure')} value=${value.measure} set=${set('measure')}
        options=${MEASURES.map((name) => [name, t(`limits.measure.${name}`)])} />
      <${Choice} label=${t('limits.service')} value=${value.service_kind} set=${set('service_kind')} none=${t('limits.any')}
        options=${(words?.services ?? []).map((service) => [service.name, nameOf(service)])} />
      <${Choice} label=${t('limits.priority')} value=${value.priority} set=${number('priority')} none=${t('limits.any')}
        options=${[1, 2, 3, 4, 5].map((n) => [n, t(`priority.${n}`)])} />
      <${Choice} label=${t('limits.area')} value=${value.area_id} set=${number('area_id')} none=${t('limits.any')}
        options=${(words?.areas ?? []).map((area) => [area.id, nameOf(area)])} /></div>
    <div class="fields"><${Seconds} label=${t('limits.warn')} value=${value.warn_s} set=${set('warn_s')} min="1" />
      <${Seconds} label=${t('limits.breach')} value=${value.breach_s} set=${set('breach_s')} min="1" /></div></${Dialog}>`;
}

function StepDialog({ step, done }) {
  const [isBusy, run] = useSend();
  const [value, setValue] = useState(step ?? { kind_class: 'alarm', state: 'open', after_s: 60, action: 'notify_supervisor', target: null });
  const set = (name) => (next) => setValue({ ...value, [name]: next });
  const submit = async () => {
    const { kind_class, state, after_s, action, target } = value;
    const body = { kind_class, state, after_s, action, target: target || null };
    if (step && !isGeneral(step)) body.id = step.id;
    if (await run('POST', '/api/escalation', body)) { done(); closeDialog(); }
  };
  return html`<${Dialog} title=${t(step ? 'steps.change' : 'steps.add')} submit=${submit} submitText=${t('dialog.save')}
      isBusy=${isBusy} isReady=${value.after_s >= 0}>
    ${(!step || isGeneral(step)) && html`<p class="hint">${t('steps.own')}</p>`}
    <div class="fields"><${Choice} label=${t('steps.class')} value=${value.kind_class} set=${set('kind_class')}
        options=${(dictionary.value?.classes ?? []).map((entry) => [entry.name, nameOf(entry)])} />
      <${Choice} label=${t('steps.state')} value=${value.state} set=${set('state')} options=${STATES.map((name) => [name, word('state', name)])} />
      <${Seconds} label=${t('steps.after')} value=${value.after_s} set=${set('after_s')} min="0" />
      <${Choice} label=${t('steps.action')} value=${value.action} set=${set('action')}
        options=${ACTIONS.map((name) => [name, word('escalation', name)])} /></div>
    <label class="field">${t('steps.target')}<input value=${value.target ?? ''} maxLength="200"
      onInput=${({ target }) => set('target')(target.value)} /></label></${Dialog}>`;
}

/* How contacts are asked, supervisors told and tickets given out: one row for the district. */
function LadderDialog({ policy, done }) {
  const [isBusy, run] = useSend();
  const [value, setValue] = useState({ ...policy, contact_by: policy.contact_by.join(' '), supervisor_by: policy.supervisor_by.join(' ') });
  const set = (name) => (next) => setValue({ ...value, [name]: next });
  const submit = async () => {
    const { accept_s, rounds, look_s, contact_first, contact_by, supervisor_by, fair_assignment } = value;
    const body = { accept_s, rounds, look_s, contact_first, contact_by, supervisor_by, fair_assignment };
    if (await run('POST', '/api/escalation-policy', body)) { done(); closeDialog(); }
  };
  const words = (name) => html`<label class="field">${t(`ladder.${name}`)}<input value=${value[name]} maxLength="200"
    onInput=${({ target }) => set(name)(target.value)} /><small>${t('ladder.by_hint')}</small></label>`;
  const yes = (name) => html`<label class="check"><input type="checkbox" checked=${value[name]}
    onChange=${({ target }) => set(name)(target.checked)} /> ${t(`ladder.${name}`)}</label>`;
  return html`<${Dialog} title=${t('ladder.policy')} submit=${submit} submitText=${t('dialog.save')} isBusy=${isBusy}
      isReady=${value.accept_s > 0 && value.rounds > 0 && value.look_s > 0}>
    ${isGeneral(policy) && html`<p class="hint">${t('limits.own')}</p>`}
    <div class="fields"><${Seconds} label=${t('ladder.accept_s')} value=${value.accept_s} set=${set('accept_s')} min="1" />
      <label class="field">${t('ladder.rounds')}<input type="number" min="1" max="10" value=${value.rounds}
        onInput=${({ target }) => set('rounds')(Number(target.value))} /></label>
      <${Seconds} label=${t('ladder.look_s')} value=${value.look_s} set=${set('look_s')} min="1" /></div>
    ${yes('contact_first')}${yes('fair_assignment')}
    <div class="fields">${words('contact_by')}${words('supervisor_by')}</div></${Dialog}>`;
}

function LadderPolicy() {
  const load = useLoad('/api/escalation-policy');
  const ways = (list) => list.join(' ') || t('ladder.by_hand');
  return html`<${Loaded} load=${load} what=${t('ladder.policy')}>${(policy) => html`<header><h1>${t('ladder.policy')}</h1>
      <button onClick=${() => openDialog(LadderDialog, { policy, done: load.again })}>${t('table.change')}</button></header>
    <${Table} caption=${t('ladder.policy')} rows=${['accept_s', 'rounds', 'look_s', 'contact_first', 'contact_by', 'supervisor_by', 'fair_assignment']}
      keyOf=${(name) => name} empty="" columns=${[
        [t('ladder.what'), (name) => t(`ladder.${name}`)],
        [t('ladder.value'), (name) => (name.endsWith('_s') ? lengthOf(policy[name]) : name === 'rounds' ? policy[name]
          : name.endsWith('_by') ? ways(policy[name]) : t(policy[name] ? 'ladder.yes' : 'ladder.no'))],
        [t('limits.whose'), () => whose(policy)],
      ]} />`}</${Loaded}>`;
}

function RemoveDialog({ path, id, done }) {
  const [isBusy, run] = useSend();
  const submit = async () => { if (await run('POST', path, { id, remove: true })) { done(); closeDialog(); } };
  return html`<${Dialog} title=${t('limits.remove')} submit=${submit} submitText=${t('table.remove')} isBusy=${isBusy}>
    <p>${t('limits.remove_then')}</p></${Dialog}>`;
}

function actionsOf(path, open, done) {
  return (entry) => html`<span class="actions"><button class="small" onClick=${() => open(entry)}>${t('table.change')}</button>
    ${!isGeneral(entry) && html`<button class="small" onClick=${() => openDialog(RemoveDialog, { path, id: entry.id, done })}
      >${t('table.remove')}</button>`}</span>`;
}

const whose = (entry) => (isGeneral(entry) ? t('limits.general') : html`<b>${t('limits.ours')}</b>`);

export function Page() {
  const limits = useLoad('/api/policy');
  const steps = useLoad('/api/escalation');
  const changeLimit = (limit) => openDialog(LimitDialog, { limit, done: limits.again });
  const changeStep = (step) => openDialog(StepDialog, { step, done: steps.again });
  return html`<div class="page"><header><h1>${t('limits.title')}</h1>
      <button onClick=${() => changeLimit(null)}>${t('limits.add')}</button></header>
    <${Loaded} load=${limits} what=${t('limits.title')}>${({ rows }) => html`
      <${Table} caption=${t('limits.title')} rows=${rows} keyOf=${({ id }) => id} empty=${t('limits.none')} columns=${[
        [t('limits.kind'), (limit) => html`${kindOf(limit.kind)} ${limit.service_kind ? serviceOf(limit.service_kind) : ''}`],
        [t('limits.measure'), (limit) => t(`limits.measure.${limit.measure}`)],
        [t('limits.only'), (limit) => [limit.priority && t(`priority.${limit.priority}`), limit.area_id && areaOf(limit.area_id)]
          .filter(Boolean).join(' · ') || '–'],
        [t('limits.warn'), (limit) => lengthOf(limit.warn_s), 'number'],
        [t('limits.breach'), (limit) => lengthOf(limit.breach_s), 'number'],
        [t('limits.whose'), whose],
        [t('table.actions'), actionsOf('/api/policy', changeLimit, limits.again)],
      ]} />`}</${Loaded}>
    <header><h1>${t('steps.title')}</h1><button onClick=${() => changeStep(null)}>${t('steps.add')}</button></header>
    <${Loaded} load=${steps} what=${t('steps.title')}>${({ rows }) => html`
      <${Table} caption=${t('steps.title')} rows=${rows} keyOf=${({ id }) => id} empty=${t('steps.none')} columns=${[
        [t('steps.class'), (step) => classOf(step.kind_class)],
        [t('steps.state'), (step) => word('state', step.state)],
        [t('steps.after'), (step) => lengthOf(step.after_s), 'number'],
        [t('steps.action'), (step) => word('escalation', step.action)],
        [t('steps.target'), (step) => step.target ?? '–'],
        [t('limits.whose'), whose],
        [t('table.actions'), actionsOf('/api/escalation', changeStep, steps.again)],
      ]} />`}</${Loaded}>
    <${LadderPolicy} /></div>`;
}
