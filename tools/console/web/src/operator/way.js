/* The way of the ticket so far, as a line of steps with their times. */
import { html } from '../lib/html.js';
import { t } from '../lib/i18n.js';
import { clock, moment } from '../lib/time.js';
import { wayOf } from './steps.js';

export function Way({ ticket }) {
  return html`<ol class="way" aria-label=${t('way.title')}>
    ${wayOf(ticket).map(({ name, state, at }) => html`<li key=${name} class=${state}
        aria-current=${state === 'next' ? 'step' : undefined}>
      <b data-step=${name}>${t(`command.${name}`)}</b>
      <span title=${at ? moment(at) : ''}>${state === 'done' && at ? clock(at) : t(`way.${state}`)}</span></li>`)}</ol>`;
}
