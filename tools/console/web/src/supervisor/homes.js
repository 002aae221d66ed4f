import { html } from '../lib/html.js'; export const Page = () => html`<p>homes</p>`;
