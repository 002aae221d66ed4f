/* Disaster mode: begun and ended by a supervisor; while it lasts tickets of devices wait behind those of people. */
import { useState } from 'preact/hooks';
import { html } from '../lib/html.js';
import { nameOf, t } from '../lib/i18n.js';
import { dictionary, may } from '../lib/store.js';
import { moment } from '../lib/time.js';
import { Dialog, closeDialog, openDialog } from '../ui/dialog.js';
import { useSend } from '../ui/do.js';

const OFFSETS = [1, 2, 3, 4];

export function StartDialog() {
  const [isBusy, run] = useSend();
  const [reason, setReason] = useState('');
  const [area, setArea] = useState('');
  const [offset, setOffset] = useState(1);
  const submit = async () => {
    const body = { reason: reason.trim(), area_id: area ? Number(area) : null, priority_offset: offset };
    if (await run('POST', '/api/disasters', body)) closeDialog();
  };
  return html`<${Dialog} title=${t('disaster.start')} submit=${submit} submitText=${t('disaster.start_do')} isBusy=${isBusy}
      isReady=${reason.trim() !== ''} tone="danger"><p>${t('disaster.then')}</p>
    <label class="field">${t('disaster.reason')}<input autofocus maxLength="200" value=${reason}
      onInput=${({ target }) => setReason(target.value)} /><small>${t('disaster.reason_hint')}</small></label>
    <div class="fields"><label class="field">${t('disaster.where')}<select value=${area} onChange=${({ target }) => setArea(target.value)}>
        <option value="">${t('disaster.everywhere')}</option>${(dictionary.value?.areas ?? []).filter(({ level }) => level !== 'district')
          .map((one) => html`<option key=${one.id} value=${one.id}>${nameOf(one)}</option>`)}</select></label>
      <label class="field">${t('disaster.offset')}<select value=${offset} onChange=${({ target }) => setOffset(Number(target.value))}>
        ${OFFSETS.map((n) => html`<option key=${n} value=${n}>${t('disaster.offset_of', { n })}</option>`)}</select></label></div>
  </${Dialog}>`;
}

export function EndDialog({ disaster }) {
  const [isBusy, run] = useSend();
  const submit = async () => { if (await run('POST', `/api/disasters/${disaster.id}`)) closeDialog(); };
  return html`<${Dialog} title=${t('disaster.end')} submit=${submit} submitText=${t('disaster.end_do')} isBusy=${isBusy}>
    <p>${disaster.reason} · ${moment(disaster.started_at)}</p><p>${t('disaster.end_then')}</p></${Dialog}>`;
}

export function StartButton() {
  if (!may('set_disaster')) return null;
  return html`<button onClick=${() => openDialog(StartDialog)}>${t('disaster.start')}</button>`;
}
