/* When nobody is at home, so that silence is no alarm. */
import { useState } from 'preact/hooks';
import { html } from '../lib/html.js';
import { t, word } from '../lib/i18n.js';
import { fromField, now, toField } from '../lib/time.js';
import { Dialog, closeDialog } from '../ui/dialog.js';
import { useSend } from '../ui/do.js';

const REASONS = ['away', 'hospital', 'maintenance'];

export function AbsenceDialog({ id, done }) {
  const [isBusy, run] = useSend();
  const [value, setValue] = useState(() => ({ reason: 'away', from: toField(new Date(now.peek()).toISOString()), until: '', note: '' }));
  const set = (name) => ({ target }) => setValue({ ...value, [name]: target.value });
  const submit = async () => {
    const body = { household_id: Number(id), reason: value.reason, from_at: fromField(value.from),
      until_at: fromField(value.until), note: value.note.trim() || null };
    if (await run('POST', '/api/absences', body)) { done(); closeDialog(); }
  };
  return html`<${Dialog} title=${t('absence.add')} submit=${submit} submitText=${t('dialog.save')} isBusy=${isBusy}
      isReady=${Boolean(value.from) && (!value.until || value.until > value.from)}>
    <fieldset class="choices"><legend>${t('absence.reason')}</legend>${REASONS.map((name, index) => html`<label key=${name}
      class=${value.reason === name ? 'chosen' : ''}><input type="radio" name="reason" value=${name} autofocus=${index === 0}
        checked=${value.reason === name} onChange=${set('reason')} /> ${word('absence', name)}</label>`)}</fieldset>
    <div class="fields"><label class="field">${t('absence.from')}<input type="datetime-local" required value=${value.from} onInput=${set('from')} /></label>
      <label class="field">${t('absence.until')}<input type="datetime-local" value=${value.until} onInput=${set('until')} />
        <small>${t('absence.until_hint')}</small></label></div>
    <label class="field">${t('absence.note')}<input maxLength="500" value=${value.note} onInput=${set('note')} /></label></${Dialog}>`;
}

export function EndDialog({ absence, done }) {
  const [isBusy, run] = useSend();
  const [until, setUntil] = useState('');
  const submit = async () => {
    if (await run('POST', `/api/absences/${absence.id}`, { until_at: fromField(until) })) { done(); closeDialog(); }
  };
  return html`<${Dialog} title=${t('absence.end')} submit=${submit} submitText=${t('dialog.save')} isBusy=${isBusy}>
    <p>${t('absence.end_then')}</p>
    <label class="field">${t('absence.until')}<input type="datetime-local" autofocus value=${until}
      onInput=${({ target }) => setUntil(target.value)} /><small>${t('absence.now_hint')}</small></label></${Dialog}>`;
}
