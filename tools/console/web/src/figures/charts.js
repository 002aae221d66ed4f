/* Small charts as SVG: they follow the theme, are sharp on paper, and the table beside them says the same in words. */
import { html } from '../lib/html.js';
import { numberText } from './value.js';

const WIDTH = 720;
const HEIGHT = 200;
const LEFT = 48;
const RIGHT = 56;
const TOP = 12;
const BOTTOM = 26;

/* The round number at or above the largest value. */
function ceiling(most) {
  const scale = 10 ** Math.floor(Math.log10(Math.max(most, 1)));
  return [1, 2, 2.5, 5, 10].map((step) => step * scale).find((limit) => limit >= most);
}

/* Pieces of a line: it is broken where there is no value. */
function pieces(values, x, y) {
  const found = [[]];
  values.forEach((value, i) => {
    if (typeof value === 'number') found.at(-1).push(`${x(i)},${y(value)}`);
    else if (found.at(-1).length) found.push([]);
  });
  return found.filter((points) => points.length);
}

/* Where the scale of shares begins: what lies near its target would be one flat line above nothing. */
const floorOf = (values, target) => [90, 75, 50].find((limit) => limit < Math.min(...values, target)) ?? 0;

/* labels: one a value; series: {name, values, kind}; target: {value, title}; most: the end of a scale of shares. */
export function Lines({ title, labels, series, target, unit, most }) {
  const values = series.flatMap((one) => one.values).filter((value) => typeof value === 'number');
  if (values.length === 0) return null;
  const top = most ?? ceiling(Math.max(...values, target?.value ?? 0));
  const x = (i) => LEFT + (labels.length > 1 ? i / (labels.length - 1) : 0.5) * (WIDTH - LEFT - RIGHT);
  const least = most && target ? floorOf(values, target.value) : 0;
  const y = (value) => HEIGHT - BOTTOM - ((value - least) / (top - least)) * (HEIGHT - TOP - BOTTOM);
  const steps = [0, 0.25, 0.5, 0.75, 1].map((share) => least + share * (top - least));
  const every = Math.ceil(labels.length / 12);
  return html`<figure class="lines"><figcaption>${title}
      ${series.map(({ name, kind }) => html`<span key=${name} class="line-key ${kind}"><svg viewBox="0 0 20 6" aria-hidden="true"
        ><path d="M0 3h20" /></svg>${name}</span>`)}</figcaption>
    <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label=${title}>
      ${steps.map((value) => html`<g key=${value}>
        <line class="grid" x1=${LEFT} x2=${WIDTH - RIGHT} y1=${y(value)} y2=${y(value)} />
        <text x=${LEFT - 8} y=${y(value) + 4} text-anchor="end">${numberText(value, unit)}</text></g>`)}
      ${labels.map((label, i) => i % every === 0 && html`<text key=${i} x=${x(i)} y=${HEIGHT - 6} text-anchor="middle">${label}</text>`)}
      ${target && html`<line class="target" x1=${LEFT} x2=${WIDTH - RIGHT} y1=${y(target.value)} y2=${y(target.value)} />
        <text class="target" x=${WIDTH - RIGHT + 6} y=${y(target.value) + 4}>${target.title}</text>`}
      ${series.map(({ name, values: own, kind }) => html`<g key=${name} class="series ${kind}">
        ${pieces(own, x, y).map((points, i) => (points.length > 1 ? html`<polyline key=${i} points=${points.join(' ')} />` : null))}
        ${own.map((value, i) => typeof value === 'number' && html`<circle key=${i} cx=${x(i)} cy=${y(value)} r="2.5"
          ><title>${labels[i]} ${name}: ${numberText(value, unit)}</title></circle>`)}</g>`)}
    </svg></figure>`;
}

/* A bar behind a figure of a table; share: 0 to 1; mark: where its target stands. */
export function Bar({ share, mark, isMissed }) {
  return html`<svg class="bar ${isMissed ? 'missed' : ''}" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
    <rect class="trough" width="100" height="8" /><rect class="fill" width=${Math.max(0, Math.min(1, share)) * 100} height="8" />
    ${mark !== undefined && html`<rect class="mark-line" x=${Math.min(mark * 100, 99)} width="1" height="8" />`}</svg>`;
}
