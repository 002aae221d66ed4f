/* The states of a list or page that has nothing to show: each says what is so, and what one can do. */
import { useEffect, useState } from 'preact/hooks';
import { html } from '../lib/html.js';
import { t } from '../lib/i18n.js';

/* Nothing at first, then grey bars, and after a while words: what it waits for. */
export function Loading({ what }) {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 300);
    return () => clearTimeout(timer);
  }, []);
  return html`<div class="state" role="status">
    ${late ? t('state.loading', { what }) : html`<span class="hidden">${t('state.loading', { what })}</span>`}
    <div class="bones" aria-hidden="true"><i /><i /><i /></div></div>`;
}

export function Empty({ title, children }) {
  return html`<div class="state"><p class="headline">${title}</p>${children}</div>`;
}

export function Failed({ error, again }) {
  const isRefused = error?.status === 403 || error?.status === 404;
  return html`<div class="state" role="alert">
    <p class="headline">${t(isRefused ? 'state.refused' : 'state.failed')}</p>
    <p>${t(isRefused ? 'state.refused_then' : 'state.failed_then')}</p>
    ${again && !isRefused && html`<button onClick=${again}>${t('state.again')}</button>`}</div>`;
}
