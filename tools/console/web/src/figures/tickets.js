/* The tickets that a figure counts, so that whoever doubts it can look at each of them. */
import { html } from '../lib/html.js';
import { query } from '../lib/api.js';
import { t } from '../lib/i18n.js';
import { Dialog, closeDialog } from '../ui/dialog.js';
import { Loaded, useLoad } from '../ui/load.js';
import { openTicket } from '../operator/act.js';
import { FigureTable } from './table.js';

const LONG_MS = 60000;
const COLUMNS = ['ticket_id', 'begins_at', 'kind', 'service_kind', 'street_town', 'mode', 'answer_s', 'close_s', 'outcome', 'answered_by'];

/* title: of the figure; list: the catalog's entry; days: the query of the window; asked: {filter, answer_over}. */
export function TicketsDialog({ title, list, days, asked }) {
  const load = useLoad(`/api/measures/list${query({ ...days, filter: JSON.stringify(asked.filter), answer_over: asked.answer_over })}`,
    undefined, LONG_MS);
  const measure = { ...list, columns: COLUMNS.map((name) => list.columns.find((column) => column.name === name)) };
  const open = (id) => { closeDialog(); openTicket(id); };
  return html`<${Dialog} title=${title} wide><div class="drill">
    ${asked.answer_over && html`<p class="hint">${t('figures.missed', { seconds: asked.answer_over })}</p>`}
    <${Loaded} load=${load} what=${list.title}>${({ rows, total }) => html`
      <p><b class="total">${t('figures.found', { total })}</b> ${total > rows.length && t('figures.found_more', { shown: rows.length })}</p>
      <${FigureTable} measure=${measure} rows=${rows} openTicket=${open} />`}</${Loaded}></div></${Dialog}>`;
}
