/* Silence seen: for each of the 24 clock hours before the ticket, how likely this home uses water (line) and what
 * ran (bars). The same in words for who cannot see it. */
import { html } from '../lib/html.js';
import { t } from '../lib/i18n.js';

const WIDTH = 480;
const HEIGHT = 120;
const LEFT = 8;
const STEP = (WIDTH - 2 * LEFT) / 24;

export function Curve({ expected, actual, at }) {
  const hourNow = new Date(Date.parse(at) + 8 * 3600e3).getUTCHours();
  const most = Math.max(10, ...actual.filter(Number.isFinite));
  const x = (i) => LEFT + i * STEP;
  const y = (share) => HEIGHT - 22 - share * (HEIGHT - 34);
  const points = expected.slice(0, 24).map((q, i) => `${x(i) + STEP / 2},${y(Math.min(1, Math.max(0, Number(q) || 0)))}`);
  const used = actual.filter((litres) => litres > 0).length;
  const unknown = actual.filter((litres) => !Number.isFinite(litres)).length;
  const said = t('curve.said', { used, unknown, likely: expected.filter((q) => q >= 0.5).length });
  return html`<figure class="curve">
    <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label=${said}>
      <line class="ground" x1=${LEFT} x2=${WIDTH - LEFT} y1=${y(0)} y2=${y(0)} />
      ${actual.slice(0, 24).map((litres, i) => Number.isFinite(litres)
        ? litres > 0 && html`<rect key=${i} class="ran" x=${x(i) + 3} width=${STEP - 6} y=${y(Math.sqrt(litres / most))}
            height=${y(0) - y(Math.sqrt(litres / most))} rx="2" />`
        : html`<rect key=${i} class="unknown" x=${x(i)} width=${STEP} y=${y(1)} height=${y(0) - y(1)} />`)}
      <polyline class="usual" points=${points.join(' ')} />
      ${[0, 6, 12, 18, 23].map((i) => html`<text key=${i} x=${x(i) + STEP / 2} y=${HEIGHT - 6} text-anchor="middle"
        >${String((hourNow - 23 + i + 48) % 24).padStart(2, '0')}:00</text>`)}
    </svg>
    <figcaption><span class="key usual">${t('curve.usual')}</span><span class="key ran">${t('curve.ran')}</span>
      ${unknown > 0 && html`<span class="key unknown">${t('curve.unknown')}</span>`}
      <span>${said}</span></figcaption></figure>`;
}
