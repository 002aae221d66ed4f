/* A number to call: a link for the desk's telephone program, and a button that copies it. */
import { html } from '../lib/html.js';
import { t } from '../lib/i18n.js';
import { toast } from './toast.js';

const copy = (text) => navigator.clipboard?.writeText(text).then(
  () => toast(t('phone.copied', { number: text })), () => toast(t('phone.not_copied'), 'bad'));

export function Phone({ number, large }) {
  if (!number) return html`<span class="phone none">${t('phone.none')}</span>`;
  const digits = number.replace(/[^\d+*#]/g, '');
  if (!/^[\d\s+()#-]+$/.test(number)) return html`<span class="phone">${number}</span>`; // masked, or no number
  return html`<span class="phone ${large ? 'large' : ''}">
    <a href="tel:${digits}">${number}</a>
    <button class="quiet small" aria-label=${t('phone.copy', { number })} onClick=${() => copy(number)}
      >${t('phone.copy_short')}</button></span>`;
}
