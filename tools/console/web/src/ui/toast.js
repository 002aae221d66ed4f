/* What became of the last thing one did; spoken by screen readers without moving the focus. */
import { signal } from '@preact/signals';
import { html } from '../lib/html.js';

const STAY_MS = { good: 2500, bad: 8000 };
const shown = signal(null); // only the last: what was done before is seen on the page

export function toast(text, tone = 'good') {
  const entry = { text, tone };
  shown.value = entry;
  setTimeout(() => { if (shown.value === entry) shown.value = null; }, STAY_MS[tone]);
}

export function Toasts() {
  return html`<div class="toasts" role="status" aria-live="polite">
    ${shown.value && html`<p class="toast ${shown.value.tone}">${shown.value.text}</p>`}</div>`;
}
