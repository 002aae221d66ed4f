/* How many tickets began on each weekday in each hour: a table that is shaded, so that a reader hears the same. */
import { useState } from 'preact/hooks';
import { html } from '../lib/html.js';
import { t } from '../lib/i18n.js';

const LEVELS = 5;
const HOURS = Array.from({ length: 24 }, (_, hour) => hour);
const DAYS = [1, 2, 3, 4, 5, 6, 7];

export function Heat({ measure, rows, open }) {
  const classes = measure.columns.filter(({ is_label }) => !is_label);
  const [name, setName] = useState(classes[0]?.name);
  const column = classes.find((one) => one.name === name);
  const at = new Map(rows.map((row) => [`${row.weekday} ${row.hour}`, row]));
  const count = (day, hour) => at.get(`${day} ${hour}`)?.[name] ?? 0;
  const most = Math.max(1, ...rows.map((row) => row[name]));
  const total = (list) => list.reduce((sum, [day, hour]) => sum + count(day, hour), 0);
  return html`<div class="segments" role="group" aria-label=${measure.title}>${classes.map((one) => html`<button key=${one.name} class="small"
      aria-pressed=${one.name === name} onClick=${() => setName(one.name)}>${one.title}</button>`)}</div>
    <div class="table" tabIndex="0" role="region" aria-label=${measure.title}><table class="heat">
      <caption class="hidden">${measure.title}: ${column?.title}</caption>
      <thead><tr><th scope="col"><span class="hidden">${t('figures.weekday')}</span></th>
        ${HOURS.map((hour) => html`<th scope="col" key=${hour}>${hour}</th>`)}<th scope="col">${t('figures.sum')}</th></tr></thead>
      <tbody>${DAYS.map((day) => html`<tr key=${day}><th scope="row">${t(`figures.day.${day}`)}</th>
        ${HOURS.map((hour) => {
          const n = count(day, hour);
          const level = n === 0 ? 0 : Math.ceil((n / most) * LEVELS);
          return html`<td key=${hour} class="level-${level}">${n > 0 && html`<button class="link"
            aria-label=${t('figures.heat_cell', { day: t(`figures.day.${day}`), hour, n })}
            onClick=${() => open(at.get(`${day} ${hour}`), column)}>${n}</button>`}</td>`;
        })}<td class="number">${total(HOURS.map((hour) => [day, hour]))}</td></tr>`)}
        <tr><th scope="row">${t('figures.sum')}</th>${HOURS.map((hour) => html`<td key=${hour} class="number">${
          total(DAYS.map((day) => [day, hour])) || ''}</td>`)}<td class="number"><b>${
          total(DAYS.flatMap((day) => HOURS.map((hour) => [day, hour])))}</b></td></tr></tbody></table></div>`;
}
