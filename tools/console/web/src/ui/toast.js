/* What became of the last thing one did; spoken by screen readers without moving the focus. */
import { signal } from '@preact/signals';
import { html } from '../lib/html.js';

const STAY_MS = 6000;
const shown = signal([]);

export function toast(text, tone = 'good') {
  const entry = { text, tone };
  shown.value = [...shown.value.slice(-2), entry];
  setTimeout(() => { shown.value = shown.value.filter((other) => other !== entry); }, STAY_MS);
}

export function Toasts() {
  return html`<div class="toasts" role="status" aria-live="polite">
    ${shown.value.map((entry) => html`<p key=${entry} class="toast ${entry.tone}">${entry.text}</p>`)}</div>`;
}
