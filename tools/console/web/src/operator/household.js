/* The home of the ticket in hand: what whoever goes there must know, on top what must be read. */
import { hoursOf } from '../lib/hours.js';
import { html } from '../lib/html.js';
import { nameOf, t, word } from '../lib/i18n.js';
import { dictionary } from '../lib/store.js';
import { isStale } from '../lib/live.js';
import { now, moment, span } from '../lib/time.js';
import { Empty, Failed, Loading } from '../ui/states.js';
import { Phone } from '../ui/phone.js';
import { Place } from './place.js';
import { HouseholdPlans } from '../care/household_plans.js';
import { act, inHand, isBusy, openTicket } from './act.js';
import { household, readAgain } from './household_read.js';
import { areaOf, kindName, outcomeName } from './row.js';
import { HELPER_OF_ROLE } from './steps.js';

const LOST_AFTER_S = 26 * 3600;

function Residents({ residents, isAlone }) {
  const year = new Date(now.value).getUTCFullYear();
  return html`<ul class="residents">${residents.map((person) => html`<li key=${person.position}>
    <b>${person.name}</b>
    ${person.birth_year && html`<span class="years">${t('home.age', { years: year - person.birth_year })}</span>`}
    ${isAlone && person.position === 1 && html`<em class="chip">${t('home.alone')}</em>`}
    ${person.conditions && html`<p class="conditions">${person.conditions}</p>`}</li>`)}</ul>`;
}

/* The last that became of calling this contact for the ticket in hand. */
function stateOf(contact, read) {
  const entry = read?.helpers.filter(({ helper, name, episode }) => episode === read.ticket.episode
    && (name === contact.name || !name && helper === HELPER_OF_ROLE[contact.role])).at(-1);
  if (!entry) return null;
  const result = dictionary.value?.results.find(({ name }) => name === entry.result);
  return result ? nameOf(result) : t('checklist.waiting');
}

function Contacts({ contacts, read }) {
  const canTell = read?.commands.includes('dispatch');
  return html`<ol class="contacts">${contacts.map((contact) => {
    const state = stateOf(contact, read);
    const helper = HELPER_OF_ROLE[contact.role];
    return html`<li key=${contact.position}><div><b>${contact.name}</b> <small>${word('contact', contact.role)} ${hoursOf(contact)}</small></div>
      <${Phone} number=${contact.phone} />
      ${state ? html`<em class="chip">${state}</em>` : canTell && helper && html`<button class="small" disabled=${isBusy.value}
        onClick=${() => act(read.ticket.id, 'dispatch', { helpers: [helper], name: contact.name })}
        >${t('home.told')}</button>`}</li>`;
  })}</ol>`;
}

function Devices({ devices }) {
  return html`<ul class="devices">${devices.map((device) => {
    const quiet = device.last_seen ? (now.value - Date.parse(device.last_seen)) / 1000 : null;
    const isLost = quiet === null || quiet > LOST_AFTER_S;
    return html`<li key=${device.id}><b>${word('device', device.kind)}</b> <span class="identity">${device.identity}</span>
      <span class="device-state ${isLost ? 'lost' : ''}">${quiet === null ? t('home.never_heard')
        : t('home.heard', { time: span(quiet) })}</span>
      ${device.battery_percent !== null && html`<span class="device-state ${device.battery_percent < 20 ? 'lost' : ''}"
        >${t('home.battery', { percent: device.battery_percent })}</span>`}</li>`;
  })}</ul>`;
}

function Absences({ absences }) {
  if (absences.length === 0) return null;
  return html`<section><h3>${t('home.absences')}</h3><ul>${absences.map((absence) => html`<li key=${absence.id}>
    <em class="chip">${word('absence', absence.reason)}</em> ${moment(absence.from_at)} –
    ${absence.until_at ? moment(absence.until_at) : t('home.open_end')} ${absence.note}</li>`)}</ul></section>`;
}

function Tickets({ tickets }) {
  const current = inHand.value.id;
  return html`<ul class="past">${tickets.filter(({ id }) => id !== current).slice(0, 8).map((ticket) => html`
    <li key=${ticket.id}><button class="link" onClick=${() => openTicket(ticket.id)}>
      <time dateTime=${ticket.received_at}>${moment(ticket.received_at)}</time> ${kindName(ticket)}</button>
      <span>${ticket.outcome ? outcomeName(ticket.kind, ticket.outcome) : word('state', ticket.state)}</span></li>`)}</ul>`;
}

function Home({ value }) {
  const { household: home, residents, contacts, devices, absences, tickets, area } = value;
  const read = inHand.value.value;
  return html`<div class="scroll" tabIndex="-1">
    ${home.notes && html`<section class="must-read" aria-label=${t('home.must_read')}>
      <h3>${t('home.must_read')}</h3><p>${home.notes}</p></section>`}
    <${Residents} residents=${residents} isAlone=${home.living_alone} />
    <section class="address"><h3>${t('home.address')}</h3><p class="big">${home.address}</p>
      <p>${areaOf(area)} <span class="identity">${home.code}</span></p>
      <p>${t('home.phone')} <${Phone} number=${home.phone} large /></p></section>
    <section><h3>${t('home.contacts')}</h3>${contacts.length ? html`<${Contacts} contacts=${contacts} read=${read} />`
      : html`<p>${t('home.no_contacts')}</p>`}</section>
    <${Absences} absences=${absences} />
    <section><h3>${t('home.devices')}</h3><${Devices} devices=${devices} /></section>
    <${Place} home=${home} devices=${devices} signal=${read?.ticket.detail} />
    <${HouseholdPlans} home=${home.id} residents=${residents} />
    <section><h3>${t('home.tickets')}</h3>${tickets.length > (read ? 1 : 0) ? html`<${Tickets} tickets=${tickets} />`
      : html`<p>${t('homes.no_tickets')}</p>`}</section>
    <button class="quiet small" onClick=${readAgain}>${t('home.again')}</button></div>`;
}

export function HouseholdPane() {
  const { id, value, error } = household.value;
  const ticket = inHand.value.value?.ticket;
  let content;
  if (value) content = html`<${Home} value=${value} key=${id} />`;
  else if (error) content = html`<${Failed} error=${error} again=${readAgain} />`;
  else if (id !== null) content = html`<${Loading} what=${t('home.title')} />`;
  else if (ticket) content = html`<${Empty} title=${t('home.unknown')}><p>${t('home.unknown_then')}</p></${Empty}>`;
  else content = html`<${Empty} title=${t('home.none')} />`;
  return html`<section class="household ${isStale.value ? 'stale' : ''}" aria-label=${t('home.title')}>${content}</section>`;
}

