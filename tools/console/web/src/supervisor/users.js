import { html } from '../lib/html.js'; export const Page = () => html`<p>users</p>`;
