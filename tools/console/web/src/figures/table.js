/* The rows of a measure. Each figure has its bar, its target, what it was before, and leads to its tickets. */
import { useState } from 'preact/hooks';
import { html } from '../lib/html.js';
import { t } from '../lib/i18n.js';
import { Bar } from './charts.js';
import { beforeOf, isFigure, labelsOf, misses, targetText, ticketsOf, unitOf, valueText } from './value.js';

const SHOWN = 60;

/* The column whose bars are drawn: of bars the first count, and every share that has a target. */
function barOf(measure, rows, column) {
  if (column.unit === 'percent' && column.target)
    return (value) => ({ share: value / 100, mark: column.target.value / 100, isMissed: misses(column, value) });
  const first = measure.chart === 'bars' && measure.columns.find((one) => one.unit === 'number' && !one.is_label);
  if (first?.name !== column.name) return null;
  const isSum = (row) => labelsOf(measure).some(({ name }) => row[name] === null);
  const most = Math.max(1, ...rows.filter((row) => !isSum(row)).map((row) => row[column.name]));
  return (value, row) => (isSum(row) ? null : { share: value / most });
}

function Cell({ measure, column, row, before, bar, open, openTicket }) {
  const value = row[column.name];
  const text = valueText(column, value);
  if (column.unit === 'ticket') return openTicket ? html`<button class="link" onClick=${() => openTicket(value)}>#${value}</button>` : `#${value}`;
  if (column.is_label && value === null) return html`<b>${t('figures.all')}</b>`;
  if (!isFigure(column)) return text;
  const isMissed = misses(column, value);
  const drawn = typeof value === 'number' && bar?.(value, row);
  const leads = open && value !== null && value !== 0 && ticketsOf(measure, row, column);
  const shown = html`<span class="value" data-name=${column.name}>${text === '' ? html`<span title=${t('figures.none')}>–</span>` : text}</span>`;
  return html`<span class="figure ${isMissed ? 'missed' : ''}">
    ${isMissed && html`<i title=${t('figures.target_missed')} aria-label=${t('figures.target_missed')} role="img">▼</i>`}
    ${leads ? html`<button class="link" onClick=${() => open(row, column)}>${shown}</button>` : shown}</span>
    ${drawn && html`<${Bar} ...${drawn} />`}
    ${before && html`<small class="before">${valueText(column, before[column.name]) || '–'}</small>`}`;
}

export function FigureTable({ measure, rows, previous, open, openTicket }) {
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole ? rows : rows.slice(0, SHOWN);
  const before = beforeOf(measure, previous);
  const bars = new Map(measure.columns.map((column) => [column.name, isFigure(column) ? barOf(measure, rows, column) : null]));
  return html`<div class="table" tabIndex="0" role="region" aria-label=${measure.title}><table class="figures-table">
    <caption class="hidden">${measure.title}</caption>
    <thead><tr>${measure.columns.map((column) => html`<th scope="col" key=${column.name} class=${isFigure(column) ? 'number' : ''}>
      ${column.title}${unitOf(column)}${column.target && html`<small class="goal" title=${column.target.source}>${targetText(column)}</small>`}</th>`)}</tr></thead>
    <tbody>${shown.map((row, index) => html`<tr key=${index}>${measure.columns.map((column) => html`<td key=${column.name}
      class=${isFigure(column) ? 'number' : ''}><${Cell} measure=${measure} column=${column} row=${row} open=${open} openTicket=${openTicket}
        bar=${bars.get(column.name)} before=${before && isFigure(column) ? before(row) : null} /></td>`)}</tr>`)}</tbody>
    </table></div>
    ${rows.length > shown.length && html`<p class="more"><button class="small" onClick=${() => setWhole(true)}
      >${t('figures.show_all', { count: rows.length })}</button> <span class="hint">${t('figures.rows_shown', { count: shown.length, of: rows.length })}</span></p>`}`;
}
