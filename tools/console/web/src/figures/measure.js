/* One measure: what it is, in words, beside what it says. */
import { html } from '../lib/html.js';
import { t } from '../lib/i18n.js';
import { Failed, Loading } from '../ui/states.js';
import { Lines } from './charts.js';
import { Heat } from './heat.js';
import { FigureTable } from './table.js';
import { beforeOf, numberText, targetText } from './value.js';

const dayLabel = (day) => `${Number(day.slice(5, 7))}-${Number(day.slice(8))}`;
const KINDS = ['first', 'second', 'third'];

function ByDay({ measure, rows, previous }) {
  const seconds = measure.columns.filter(({ unit }) => unit === 'seconds');
  const shares = measure.columns.filter(({ unit, target }) => unit === 'percent' && target);
  const labels = rows.map(({ day }) => dayLabel(day));
  const middle = seconds[1] ?? seconds[0];
  const was = beforeOf(measure, previous);
  const before = was && middle ? [{ name: t('figures.was', { what: middle.title }), kind: 'before',
    values: rows.map((row) => was(row)[middle.name]) }] : [];
  return html`<${Lines} title=${t('figures.seconds_by_day')} labels=${labels} unit="seconds"
      series=${[...seconds.map(({ name, title }, i) => ({ name: title, kind: KINDS[i], values: rows.map((row) => row[name]) })), ...before]} />
    ${shares.map((column) => html`<${Lines} key=${column.name} title=${t('figures.share_by_day', { what: column.title })} labels=${labels} unit="percent" most=${100}
      target=${{ value: column.target.value, title: targetText(column) }}
      series=${[{ name: column.title, kind: 'first', values: rows.map((row) => row[column.name]) }]} />`)}`;
}

function Steps({ measure, rows }) {
  const shares = measure.columns.filter(({ unit }) => unit === 'percent');
  const [label] = measure.columns;
  return html`<${Lines} title=${measure.title} labels=${rows.map((row) => numberText(row[label.name], label.unit))} unit="percent" most=${100}
    series=${shares.map(({ name, title }, i) => ({ name: title, kind: KINDS[i], values: rows.map((row) => row[name]) }))} />`;
}

export function Measure({ measure, told, open, openTicket, again }) {
  const content = () => {
    if (!told) return html`<${Loading} what=${measure.title} />`;
    if (told.error) return html`<${Failed} error=${told.error} again=${again} />`;
    const { rows, previous } = told;
    if (rows.length === 0) return html`<p class="nothing">${t('figures.nothing')}</p>`;
    if (measure.chart === 'heat_map') return html`<${Heat} measure=${measure} rows=${rows} open=${open} />`;
    return html`${measure.chart === 'line' && html`<${ByDay} measure=${measure} rows=${rows} previous=${previous} />`}
      ${measure.chart === 'steps' && html`<${Steps} measure=${measure} rows=${rows} />`}
      <${FigureTable} measure=${measure} rows=${rows} previous=${previous} open=${open} openTicket=${openTicket} />`;
  };
  return html`<section class="measure" id="measure-${measure.name}" data-measure=${measure.name}>
    <header><h2>${measure.title}</h2></header>
    <p class="definition">${measure.definition} <small>${t('figures.source', { source: measure.source })}</small></p>
    ${content()}</section>`;
}
