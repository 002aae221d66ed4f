/* What happened and why we believe it: where the signal came from, what was odd, what it measured. */
import { html } from '../lib/html.js';
import { t, word } from '../lib/i18n.js';
import { moment, span } from '../lib/time.js';
import { Curve } from './curve.js';

const QUIET_FLAGS = new Set(['no_position']);

/* [word, text] of what the signal said beside being an alarm. */
function measures(detail) {
  const units = {
    battery: '%', gsm: '%', heart_rate: t('unit.bpm'), oxygen: '%', body_temperature_c: '°C', accuracy_m: t('unit.m'),
    steps: t('unit.steps'),
  };
  const found = Object.entries(units).filter(([name]) => typeof detail[name] === 'number')
    .map(([name, unit]) => [word('measured', name), `${detail[name]} ${unit}`]);
  if (typeof detail.systolic === 'number')
    found.push([word('measured', 'pressure'), `${detail.systolic} / ${detail.diastolic} mmHg`]);
  if (detail.code) found.push([t('why.code'), String(detail.code)]);
  if (detail.raw_text) found.push([t('why.raw'), String(detail.raw_text)]);
  return found;
}

/* Of a silence: in words what the rule saw. */
function silence(detail) {
  const at = (us) => (us > 0 ? moment(us / 1000) : t('why.unknown'));
  return [
    [t('why.rules'), (detail.rules ?? []).map((rule) => word('rule', rule)).join('、')],
    [t('why.last_use'), detail.last_use_ml > 0
      ? t('why.last_use_of', { at: at(detail.last_use_us), litres: (detail.last_use_ml / 1000).toFixed(1) })
      : at(detail.last_use_us)],
    [t('why.quiet'), t('why.quiet_of', {
      hours: span(detail.quiet_hours * 3600), effective: detail.effective_hours, threshold: detail.threshold_hours })],
    [t('why.usual'), t('why.usual_of', { percent: Math.round(detail.usual_chance * 100) })],
    [t('why.before'), t('why.before_of', { wrong: detail.false_before, right: detail.true_before })],
  ].filter(([, text]) => text);
}

export function Why({ ticket }) {
  const detail = ticket.detail && typeof ticket.detail === 'object' ? ticket.detail : {};
  const isSilence = Array.isArray(detail.expected);
  const facts = [
    [t('why.received'), moment(ticket.received_at)],
    ticket.pressed_at && [t('why.pressed'), moment(ticket.pressed_at)],
    ticket.signal_count > 1 && [t('why.again'), t('why.again_of', {
      count: ticket.signal_count, at: moment(ticket.last_signal_at) })],
    [t('why.device'), `${ticket.identity || t('row.unknown')} · ${ticket.protocol}`],
    ...(isSilence ? silence(detail) : measures(detail)),
  ].filter(Boolean);
  return html`<section class="why" aria-label=${t('why.title')}><h2>${t('why.title')}</h2>
    ${ticket.flags.length > 0 && html`<ul class="flags">${ticket.flags.map((flag) => html`<li key=${flag}
      class=${QUIET_FLAGS.has(flag) ? '' : 'odd'}>${word('flag', flag)}</li>`)}</ul>`}
    <dl>${facts.map(([name, text]) => html`<div key=${name}><dt>${name}</dt><dd>${text}</dd></div>`)}</dl>
    ${isSilence && html`<${Curve} expected=${detail.expected} actual=${detail.actual_l ?? []} at=${ticket.received_at} />`}
  </section>`;
}
