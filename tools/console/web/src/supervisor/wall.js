/* The wall board, read from eight metres: at most seven figures and one list, in the middle the alarm that has waited
 * longest without an answer. */
import { useEffect, useState } from 'preact/hooks';
import { html } from '../lib/html.js';
import { nameOf, t } from '../lib/i18n.js';
import { isStale } from '../lib/live.js';
import { changes } from '../lib/store.js';
import { Loaded, useLoad } from '../ui/load.js';
import { Age, Left, PriorityMark, levelOf, nextLimit } from '../ui/mark.js';
import { areaOf, kindName, whereOf, whoOf } from '../operator/row.js';

const EVERY_S = 5;
const LIST_MAX = 6;
const SETTLE_MS = 300; // of many changes at once only the last is read

function Figure({ figure }) {
  const value = figure.value === null ? '–' : Number.isInteger(figure.value) ? figure.value : figure.value.toFixed(1);
  return html`<li class=${figure.level}><b>${value}</b><span>${nameOf(figure)}</span>
    ${figure.level !== 'calm' && html`<em>${t(`wall.${figure.level}`)}</em>`}</li>`;
}

function Oldest({ ticket }) {
  if (!ticket) return html`<section class="oldest none"><p>${t('wall.none')}</p></section>`;
  const limit = nextLimit(ticket);
  return html`<section class="oldest p${ticket.priority}" aria-label=${t('wall.oldest')}><h2>${t('wall.oldest')}</h2>
    <${Age} since=${ticket.received_at} level=${levelOf(limit)} />
    <p><${PriorityMark} priority=${ticket.priority} /> <strong>${kindName(ticket)}</strong></p>
    <p class="where">${whoOf(ticket)}</p><p class="where">${areaOf(ticket.area)}</p><${Left} limit=${limit} /></section>`;
}

function Areas({ areas }) {
  const most = Math.max(1, ...areas.map(({ open }) => open));
  return html`<section class="areas" aria-label=${t('wall.areas')}><h2>${t('wall.areas')}</h2><ul>
    ${areas.map((area) => html`<li key=${area.area_id ?? 'none'} class=${area.alarms > 0 ? 'alarms' : ''}>
      <span>${nameOf(area) || t('row.unknown_place')}</span><b>${area.open}</b>
      <svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true"><rect width="100" height="6" class="trough" />
        <rect width=${area.open / most * 100} height="6" class="fill" /></svg>
      <small>${area.alarms > 0 ? t('wall.alarms', { count: area.alarms }) : t('wall.calm')}</small></li>`)}</ul></section>`;
}

function Board({ wall }) {
  return html`<div class="wall ${isStale.value ? 'stale' : ''}">
    <ul class="figures" aria-label=${t('wall.figures')}>${wall.figures.map((figure) => html`
      <${Figure} key=${figure.name} figure=${figure} />`)}</ul>
    <${Areas} areas=${wall.areas} />
    <${Oldest} ticket=${wall.oldest_unanswered} />
    <section class="list" aria-label=${t('wall.list')}><h2>${t('wall.list')}</h2>
      ${wall.list.length === 0 ? html`<p>${t('wall.nothing')}</p>` : html`<ul>${wall.list.slice(0, LIST_MAX).map((ticket) => html`
        <li key=${ticket.id}><${PriorityMark} priority=${ticket.priority} />
          <span><b>${kindName(ticket)}</b> ${whereOf(ticket)}</span>
          <em>${ticket.claimed_by ?? ''}</em><${Age} since=${ticket.received_at} level=${levelOf(nextLimit(ticket))} /></li>`)}</ul>`}
    </section>
    <section class="people" aria-label=${t('page.duty')}><h2>${t('page.duty')}</h2>
      ${wall.operators.length === 0 ? html`<p>${t('load.nobody')}</p>` : html`<ul>${wall.operators.map((person) => html`
        <li key=${person.name} class=${person.paused_at ? 'paused' : ''}><b>${person.full_name}</b>
          <span>${person.paused_at ? person.pause_reason || t('shift.paused') : t('hand_over.load', { count: person.tickets })}</span>
        </li>`)}</ul>`}</section></div>`;
}

export function Page() {
  const load = useLoad('/api/wall', EVERY_S);
  const [seen, setSeen] = useState(changes.value);
  useEffect(() => {
    if (seen === changes.value) return undefined;
    const timer = setTimeout(() => { setSeen(changes.value); load.again(); }, SETTLE_MS);
    return () => clearTimeout(timer);
  }, [changes.value]);
  return html`<${Loaded} load=${load} what=${t('page.wall')}>${(wall) => html`<${Board} wall=${wall} />`}</${Loaded}>`;
}
