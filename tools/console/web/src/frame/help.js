/* The keys, shown by ?. */
import { html } from '../lib/html.js';
import { t } from '../lib/i18n.js';
import { singleKeys } from '../lib/keys.js';
import { Dialog, openDialog } from '../ui/dialog.js';

const KEYS = {
  queue: ['J', 'K', 'Enter', 'C', '[', ']', '/'],
  ticket: ['D', 'A', 'S', 'V', 'X', 'N', 'H', 'T', 'B', 'M', 'E', 'R', 'Esc'],
  dialog: ['1–9', 'Enter', 'Ctrl+Enter'],
};

function HelpDialog() {
  return html`<${Dialog} title=${t('help.title')} wide>
    ${!singleKeys.value && html`<p class="notice">${t('help.alt')}</p>`}
    <div class="keys">${Object.entries(KEYS).map(([group, keys]) => html`<section key=${group}>
      <h3>${t(`help.${group}`)}</h3><dl>${keys.map((key) => html`<div key=${key}>
        <dt><kbd>${key}</kbd></dt><dd>${t(`help.${group}.${key}`)}</dd></div>`)}</dl></section>`)}</div>
  </${Dialog}>`;
}

export const openHelp = () => openDialog(HelpDialog);
