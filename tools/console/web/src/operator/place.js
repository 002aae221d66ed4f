/* Where it is, without a map server: the home in the middle, what else is known of positions around it, rings for the
 * distance. Coordinates are WGS-84 and can be copied. */
import { html } from '../lib/html.js';
import { t, word } from '../lib/i18n.js';
import { moment } from '../lib/time.js';

const SIZE = 240;
const RADIUS = 96;
const METRES_PER_DEGREE = 111320;
const NEAR_M = 30; // closer than this is at home
const SCALES_M = [100, 250, 500, 1000, 2500, 5000, 10000, 50000];

/* Metres east and north of the home; on these distances the earth is flat. */
function offset(home, point) {
  const east = (point.longitude - home.longitude) * METRES_PER_DEGREE * Math.cos(home.latitude * Math.PI / 180);
  const north = (point.latitude - home.latitude) * METRES_PER_DEGREE;
  return { east, north, distance: Math.hypot(east, north) };
}

function direction({ east, north }) {
  const index = Math.round(Math.atan2(east, north) / (Math.PI / 4) + 8) % 8;
  return t(`direction.${index}`);
}

const metres = (m) => (m < 1000 ? t('unit.metres', { n: Math.round(m / 10) * 10 }) : t('unit.kilometres', { n: (m / 1000).toFixed(1) }));

function pointsAround(home, devices, signal) {
  const known = devices.filter(({ longitude, latitude }) => Number.isFinite(longitude) && Number.isFinite(latitude))
    .map((device) => ({ ...offset(home, device), name: word('device', device.kind), at: device.position_at }));
  if (Number.isFinite(signal?.longitude) && Number.isFinite(signal?.latitude))
    known.unshift({ ...offset(home, signal), name: t('place.signal'), at: null, isSignal: true });
  return known;
}

export function Place({ home, devices, signal }) {
  if (!Number.isFinite(home.longitude)) return html`<section><h3>${t('place.title')}</h3><p>${t('place.none')}</p></section>`;
  const points = pointsAround(home, devices, signal);
  const far = Math.max(100, ...points.map(({ distance }) => distance));
  const scale = SCALES_M.find((m) => m >= far) ?? far;
  const at = ({ east, north }) => ({ cx: SIZE / 2 + east / scale * RADIUS, cy: SIZE / 2 - north / scale * RADIUS });
  const lines = points.map((point) => point.distance < NEAR_M ? t('place.near', { name: point.name })
    : t('place.away', { name: point.name, distance: metres(point.distance), direction: direction(point) }));
  return html`<section class="place"><h3>${t('place.title')}</h3>
    <div><svg viewBox="0 0 ${SIZE} ${SIZE}" role="img" aria-label=${[t('place.home'), ...lines].join('; ')}>
      ${[1, 0.5].map((part) => html`<circle key=${part} class="ring" cx=${SIZE / 2} cy=${SIZE / 2} r=${RADIUS * part} />`)}
      <path class="axis" d="M${SIZE / 2} 14V${SIZE - 14}M14 ${SIZE / 2}H${SIZE - 14}" />
      <text x=${SIZE / 2} y="12" text-anchor="middle">${t('direction.0')}</text>
      <text x=${SIZE / 2 + RADIUS} y=${SIZE / 2 - 6} text-anchor="end">${metres(scale)}</text>
      ${points.map((point, i) => html`<circle key=${i} class=${point.isSignal ? 'signal' : 'device'} ...${at(point)} r="6" />`)}
      <path class="home" d="M${SIZE / 2} ${SIZE / 2 - 10}l10 9v10h-20v-10z" /></svg>
    <ul><li>${t('place.home')} <span class="identity">${home.latitude.toFixed(5)}, ${home.longitude.toFixed(5)}</span></li>
      ${lines.map((line, i) => html`<li key=${i}>${line}${points[i].at ? ` · ${moment(points[i].at)}` : ''}</li>`)}</ul></div>
  </section>`;
}
