/* A table of rows with a heading, or what there is to say when it is empty. */
import { html } from '../lib/html.js';
import { Empty } from './states.js';

/* columns: [heading, row => content, class]; keyOf: what tells rows apart. */
export function Table({ caption, columns, rows, keyOf, empty }) {
  if (rows.length === 0) return html`<${Empty} title=${empty} />`;
  return html`<div class="table" tabIndex="0" role="region" aria-label=${caption}><table>
    <caption class="hidden">${caption}</caption>
    <thead><tr>${columns.map(([heading, , kind]) => html`<th scope="col" key=${heading} class=${kind}>${heading}</th>`)}</tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${keyOf(row)}>${columns.map(([heading, content, kind]) => html`
      <td key=${heading} class=${kind}>${content(row)}</td>`)}</tr>`)}</tbody></table></div>`;
}
