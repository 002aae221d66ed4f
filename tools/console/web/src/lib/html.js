import { h } from 'preact';
import htm from 'htm';

/* Markup in a template: html`<p class=${x}>…</p>`. Values become text or properties, never markup. */
export const html = htm.bind(h);
