/* Closing: one key for each outcome, Enter closes. A note can go with it. */
import { useState } from 'preact/hooks';
import { html } from '../lib/html.js';
import { nameOf, t } from '../lib/i18n.js';
import { draft, keepDraft } from '../lib/drafts.js';
import { Dialog, closeDialog } from '../ui/dialog.js';
import { act, isBusy } from './act.js';

const KEYS = '1234567890qwertyuiop';

export function CloseDialog({ ticket, outcomes }) {
  const offered = outcomes.filter(({ name }) => name !== 'test' || ticket.is_test || ticket.kind === 'test');
  const [chosen, setChosen] = useState(ticket.is_test && offered.some(({ name }) => name === 'test') ? 'test' : null);
  const [note, setNote] = useState(draft(`${ticket.id}.close`));
  const submit = async () => {
    const isClosed = await act(ticket.id, 'close', { outcome: chosen, note: note.trim() || null, signals: ticket.signal_count });
    if (isClosed) keepDraft(`${ticket.id}.close`, '');
    closeDialog();
  };
  return html`<${Dialog} title=${t('close.title', { id: ticket.id })} submit=${submit} submitText=${t('close.do')}
      isReady=${chosen !== null} isBusy=${isBusy.value}
      keys=${Object.fromEntries(offered.map(({ name }, index) => [KEYS[index], () => setChosen(name)]))}>
    <fieldset class="choices"><legend>${t('close.outcome')}</legend>
      ${offered.map((outcome, index) => html`<label key=${outcome.name} class=${chosen === outcome.name ? 'chosen' : ''}>
        <input type="radio" name="outcome" value=${outcome.name} checked=${chosen === outcome.name}
          autofocus=${index === 0} onChange=${() => setChosen(outcome.name)} />
        <kbd>${KEYS[index].toUpperCase()}</kbd> ${nameOf(outcome)}</label>`)}</fieldset>
    <label class="field">${t('close.note')}
      <textarea rows="2" maxLength="4000" value=${note}
        onInput=${({ target }) => { setNote(target.value); keepDraft(`${ticket.id}.close`, target.value); }} /></label>
  </${Dialog}>`;
}
