/* The audit: who read a resident's record, changed people or limits, or tried what he may not. */
import { useState } from 'preact/hooks';
import { html } from '../lib/html.js';
import { t, word } from '../lib/i18n.js';
import { query } from '../lib/api.js';
import { fromField, moment, now, toField } from '../lib/time.js';
import { Loaded, useLoad } from '../ui/load.js';
import { Table } from '../ui/table.js';

const LIMIT = 200;
const DAY_MS = 86400e3;

export function Page() {
  const [form, setForm] = useState(() => ({ since: toField(new Date(now.peek() - DAY_MS).toISOString()), actor: '', object: '' }));
  const [asked, setAsked] = useState(form);
  const set = (name) => ({ target }) => setForm({ ...form, [name]: target.value });
  const load = useLoad(`/api/audit${query({ ...asked, since: fromField(asked.since), limit: LIMIT })}`);
  return html`<div class="page"><h1>${t('page.audit')}</h1>
    <form class="filter" onSubmit=${(event) => { event.preventDefault(); setAsked(form); load.again(); }}>
      <label class="field">${t('audit.since')}<input type="datetime-local" value=${form.since} onInput=${set('since')} /></label>
      <label class="field">${t('audit.actor')}<input value=${form.actor} onInput=${set('actor')} /></label>
      <label class="field">${t('audit.object')}<input value=${form.object} placeholder="household:7" onInput=${set('object')} /></label>
      <button type="submit" class="primary">${t('audit.show')}</button></form>
    <${Loaded} load=${load} what=${t('page.audit')}>${({ rows }) => html`
      <${Table} caption=${t('page.audit')} rows=${rows} keyOf=${({ id }) => id} empty=${t('audit.none')} columns=${[
        [t('audit.at'), (entry) => moment(entry.at)],
        [t('audit.actor'), (entry) => entry.actor ?? '–'],
        [t('audit.action'), (entry) => word('audited', entry.action)],
        [t('audit.object'), (entry) => entry.object ?? '–'],
        [t('audit.allowed'), (entry) => entry.is_allowed ? t('audit.yes') : html`<b>${t('audit.no')}</b>`],
        [t('audit.origin'), (entry) => entry.origin ?? '–'],
        [t('audit.detail'), (entry) => html`<code>${entry.detail ? JSON.stringify(entry.detail) : ''}</code>`],
      ]} />
      ${rows.length === LIMIT && html`<p class="hint">${t('audit.more', { count: LIMIT })}</p>`}`}</${Loaded}></div>`;
}
