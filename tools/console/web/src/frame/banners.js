/* What everyone must know before he trusts what he sees; each with what to do about it. */
import { signal } from '@preact/signals';
import { html } from '../lib/html.js';
import { nameOf, t, word } from '../lib/i18n.js';
import { heardAt, isLive, isStale } from '../lib/live.js';
import { isDatabaseUp, isDutyKnown, may, myShift, notices, summary, unstored } from '../lib/store.js';
import { session } from '../lib/api.js';
import { arm, isSilent } from '../lib/sound.js';
import { clock, moment } from '../lib/time.js';
import { openDialog } from '../ui/dialog.js';
import { setShift } from '../operator/shift.js';
import { openTicket } from '../operator/act.js';

const read = signal(0); // notices up to this number of them were read

function Banner({ tone, children }) {
  return html`<div class="banner ${tone}" role=${tone === 'danger' ? 'alert' : 'status'}>${children}</div>`;
}

function Notices() {
  const fresh = notices.value.slice(0, notices.value.length - read.value);
  if (fresh.length === 0 || !may('shift_others')) return null;
  const { ticket_id: id, what, about, at } = fresh[0];
  return html`<${Banner} tone="warning"><b>${word('notice', what)}</b>
    <span>#${id} ${about ?? ''} · ${moment(at)}${fresh.length > 1 ? ` · ${t('notice.more', { count: fresh.length - 1 })}` : ''}</span>
    <button onClick=${() => openTicket(id)}>${t('notice.open')}</button>
    <button onClick=${() => { read.value = notices.value.length; }}>${t('notice.read')}</button></${Banner}>`;
}

const endDisaster = (disaster) => import('../supervisor/disaster.js').then(({ EndDialog }) => openDialog(EndDialog, { disaster }));
const placeOf = ({ area_zh, area_en }) => nameOf({ name_zh: area_zh, name_en: area_en }) || t('disaster.everywhere');

function Disaster({ disaster }) {
  return html`<${Banner} tone="warning"><b>${t('banner.disaster')}</b>
    <span>${disaster.reason} · ${placeOf(disaster)} · ${moment(disaster.started_at)} · ${t('banner.disaster_then')}</span>
    ${may('set_disaster') && html`<button onClick=${() => endDisaster(disaster)}>${t('disaster.end')}</button>`}</${Banner}>`;
}

export function Banners() {
  const works = ['operator', 'supervisor'].includes(session.value.user.role);
  return html`<div class="banners">
    ${isStale.value ? html`<${Banner} tone="danger"><b>${t('banner.stale')}</b>
        <span>${t('banner.stale_then', { time: clock(heardAt.value) })}</span></${Banner}>`
      : !isLive.value && heardAt.value > 0 && html`<${Banner} tone="warning"><b>${t('banner.again')}</b></${Banner}>`}
    ${!isDatabaseUp.value && html`<${Banner} tone="danger"><b>${t('banner.database')}</b>
      <span>${t('banner.database_then', { count: unstored.value.length })}</span></${Banner}>`}
    ${isSilent.value && works && myShift.value && html`<${Banner} tone="danger"><b>${t('banner.silent')}</b>
      <span>${t('banner.silent_then')}</span><button onClick=${arm}>${t('banner.sound_on')}</button></${Banner}>`}
    ${(summary.value?.disasters ?? []).map((disaster) => html`<${Disaster} key=${disaster.id} disaster=${disaster} />`)}
    ${summary.value?.outage && html`<${Banner} tone="warning"><b>${t('banner.outage')}</b>
      <span>${t('banner.outage_then')}</span></${Banner}>`}
    ${works && isDutyKnown.value && !myShift.value && session.value.user.role === 'operator' && html`<${Banner} tone="plain">
      <b>${t('banner.off_duty')}</b><span>${t('banner.off_duty_then')}</span>
      <button onClick=${() => setShift('on')}>${t('shift.go_on')}</button></${Banner}>`}
    <${Notices} /></div>`;
}
