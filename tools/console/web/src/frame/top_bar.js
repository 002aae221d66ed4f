/* Above every page: where one is, whether it is true, how much there is to do, one's shift. */
import { html } from '../lib/html.js';
import { session } from '../lib/api.js';
import { t } from '../lib/i18n.js';
import { heardAt, isLive, isStale } from '../lib/live.js';
import { summary } from '../lib/store.js';
import { clock, day, now } from '../lib/time.js';
import { ShiftControl } from '../operator/shift.js';
import { openSearch } from '../operator/search.js';
import { openHelp } from './help.js';
import { openSettings } from './settings.js';

const LOAD_HIGH = 2; // alarms an operator and 10 minutes
const LOAD_FLOOD = 10;

function LinkState() {
  const state = isStale.value ? 'stale' : isLive.value ? 'live' : heardAt.value ? 'again' : 'first';
  return html`<span class="link-state ${state}"><i aria-hidden="true" />${t(`link.${state}`)}</span>`;
}

/* Alarms of the last 10 minutes for each operator on duty. */
function Load() {
  const load = summary.value?.load;
  if (!load) return null;
  const { per_operator: each, tickets_10min: count, operators } = load;
  const level = each === null ? (count ? 'danger' : 'calm') : each >= LOAD_FLOOD ? 'danger' : each > LOAD_HIGH ? 'warning' : 'calm';
  const share = each === null ? (count ? 1 : 0) : Math.min(1, each / LOAD_FLOOD);
  return html`<span class="load ${level}" title=${t('load.title', { count, operators })}>
    <svg viewBox="0 0 48 8" aria-hidden="true"><rect width="48" height="8" rx="4" class="trough" />
      <rect width=${Math.max(share * 48, share ? 4 : 0)} height="8" rx="4" class="fill" /></svg>
    <span>${each === null ? t('load.nobody') : t('load.each', { each: each.toFixed(1) })}
      ${level === 'calm' ? '' : ` · ${t(`load.${level}`)}`}</span></span>`;
}

export function TopBar({ pages, current }) {
  return html`<header class="top">
    <a class="brand" href="#/desk">${t('app.name')}</a>
    <nav aria-label=${t('top.pages')}>${pages.map(({ name }) => html`<a key=${name} href="#/${name}"
      aria-current=${current?.name === name ? 'page' : undefined}>${t(`page.${name}`)}</a>`)}</nav>
    <span class="space" />
    <${Load} />
    <span class="time"><span>${day(now.value)}</span> <b>${clock(now.value)}</b></span><${LinkState} />
    <${ShiftControl} />
    <button class="quiet" onClick=${openSearch}>${t('top.search')} <kbd>/</kbd></button>
    <button class="quiet" onClick=${openHelp} aria-label=${t('help.title')}>?</button>
    <button class="quiet" onClick=${openSettings}>${session.value.user.full_name}</button>
  </header>`;
}
