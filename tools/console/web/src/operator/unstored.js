/* Alarms that the gateway has accepted while the database cannot take them: shown, so that nobody waits for
 * help until it is back. They become tickets then; until then they cannot be claimed. */
import { html } from '../lib/html.js';
import { nameOf, t } from '../lib/i18n.js';
import { dictionary, unstored } from '../lib/store.js';
import { Age, PriorityMark } from '../ui/mark.js';

export function UnstoredRows() {
  const kinds = dictionary.value?.kinds ?? [];
  return html`<ol class="unstored" aria-label=${t('unstored.title')}>
    ${unstored.value.map((alarm) => {
      const kind = kinds.find(({ name }) => name === alarm.kind);
      return html`<li key=${alarm.number}>
        <span class="line"><${PriorityMark} priority=${kind?.priority ?? 1} />
          <strong>${nameOf(kind) || alarm.kind || t('row.unknown')}</strong>
          <em class="loud">${t('unstored.mark')}</em>
          ${alarm.received_at && html`<${Age} since=${alarm.received_at} />`}</span>
        <span class="line below"><span class="where"><b>${alarm.identity || t('row.unknown')}</b>
          ${' '}${alarm.protocol ?? ''} · ${t('unstored.what')}</span></span></li>`;
    })}</ol>`;
}
