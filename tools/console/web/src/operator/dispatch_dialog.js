/* Who is sent or told, several at once: digits choose, Enter records. */
import { useState } from 'preact/hooks';
import { html } from '../lib/html.js';
import { nameOf, t } from '../lib/i18n.js';
import { dictionary } from '../lib/store.js';
import { Dialog, closeDialog } from '../ui/dialog.js';
import { act, isBusy } from './act.js';
import { FIRST_HELPERS } from './steps.js';

export function DispatchDialog({ ticket, helpers }) {
  const offered = dictionary.value?.helpers ?? [];
  const told = new Set(helpers.filter(({ episode }) => episode === ticket.episode).map(({ helper }) => helper));
  const [chosen, setChosen] = useState(new Set(told.size ? [] : FIRST_HELPERS[ticket.class] ?? []));
  const toggle = (name) => setChosen((old) => {
    const now = new Set(old);
    if (!now.delete(name)) now.add(name);
    return now;
  });
  const submit = async () => {
    await act(ticket.id, 'dispatch', { helpers: [...chosen] });
    closeDialog();
  };
  return html`<${Dialog} title=${t('dispatch.title')} submit=${submit} submitText=${t('dispatch.do', { count: chosen.size })}
      isReady=${chosen.size > 0} isBusy=${isBusy.value}
      keys=${Object.fromEntries(offered.map(({ name }, index) => [String(index + 1), () => toggle(name)]))}>
    <fieldset class="choices"><legend>${t('dispatch.who')}</legend>
      ${offered.map((helper, index) => html`<label key=${helper.name} class=${chosen.has(helper.name) ? 'chosen' : ''}>
        <input type="checkbox" checked=${chosen.has(helper.name)} autofocus=${index === 0}
          onChange=${() => toggle(helper.name)} />
        <kbd>${index + 1}</kbd> ${nameOf(helper)}
        ${told.has(helper.name) && html`<em class="chip">${t('dispatch.told')}</em>`}</label>`)}</fieldset>
  </${Dialog}>`;
}
