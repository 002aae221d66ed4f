/* Homes: who is away, and the contacts of one home in the order in which they are called. */
import { hoursOf } from '../lib/hours.js';
import { html } from '../lib/html.js';
import { t, word } from '../lib/i18n.js';
import { go, route } from '../lib/route.js';
import { may } from '../lib/store.js';
import { moment } from '../lib/time.js';
import { openDialog } from '../ui/dialog.js';
import { Loaded, useLoad } from '../ui/load.js';
import { Phone } from '../ui/phone.js';
import { Table } from '../ui/table.js';
import { openSearch } from '../operator/search.js';
import { openTicket } from '../operator/act.js';
import { areaOf, kindName, outcomeName } from '../operator/row.js';
import { HouseholdPlans } from '../care/household_plans.js';
import { AbsenceDialog, EndDialog } from './absence_dialog.js';
import { ContactsDialog } from './contacts_dialog.js';

const mayChange = () => may('override_note') || may('set_user');

function Absences({ rows, again, withHome }) {
  return html`<${Table} caption=${t('home.absences')} rows=${rows} keyOf=${({ id }) => id} empty=${t('absence.none')} columns=${[
    ...(withHome ? [[t('home.title'), (absence) => html`<button class="link" onClick=${() => go('homes', absence.household_id)}
      >${absence.household} ${absence.address}</button>`]] : []),
    [t('absence.reason'), ({ reason }) => word('absence', reason)],
    [t('absence.from'), ({ from_at }) => moment(from_at)],
    [t('absence.until'), ({ until_at }) => (until_at ? moment(until_at) : t('home.open_end'))],
    [t('absence.note'), ({ note }) => note ?? '–'],
    [t('absence.by'), ({ entered_by }) => entered_by],
    [t('table.actions'), (absence) => mayChange() && html`<button class="small"
      onClick=${() => openDialog(EndDialog, { absence, done: again })}>${t('absence.end')}</button>`],
  ]} />`;
}

function Home({ id }) {
  const load = useLoad(`/api/households/${id}?reason=page`);
  const done = load.again;
  return html`<${Loaded} load=${load} what=${t('home.title')}>${({ household, area, residents, contacts, absences, tickets }) => html`
    <header><div><h1>${residents.map(({ name }) => name).join('、') || household.code}</h1>
      <p>${household.address} · ${areaOf(area)} <span class="identity">${household.code}</span></p></div>
      <button onClick=${() => go('homes')}>${t('homes.all')}</button></header>
    ${household.notes && html`<p class="notice">${household.notes}</p>`}
    <header><h2>${t('home.contacts')}</h2>${mayChange() && html`<button
      onClick=${() => openDialog(ContactsDialog, { id, contacts, done })}>${t('table.change')}</button>`}</header>
    <${Table} caption=${t('home.contacts')} rows=${contacts} keyOf=${({ position }) => position} empty=${t('home.no_contacts')}
      columns=${[['#', ({ position }) => position], [t('contact.name'), ({ name }) => html`<b>${name}</b>`],
        [t('contact.role'), ({ role }) => word('contact', role)],
        [t('contact.hours'), (contact) => hoursOf(contact) || t('contact.always')],
        [t('contact.phone'), ({ phone }) => html`<${Phone} number=${phone} />`]]} />
    <header><h2>${t('home.absences')}</h2>${mayChange() && html`<button
      onClick=${() => openDialog(AbsenceDialog, { id, done })}>${t('absence.add')}</button>`}</header>
    <${Absences} rows=${absences} again=${done} />
    <${HouseholdPlans} home=${household.id} residents=${residents} />
    <h2>${t('home.tickets')}</h2>
    <${Table} caption=${t('home.tickets')} rows=${tickets} keyOf=${(ticket) => ticket.id} empty=${t('homes.no_tickets')} columns=${[
      [t('why.received'), ({ received_at }) => moment(received_at)],
      [t('limits.kind'), (ticket) => html`<button class="link" onClick=${() => openTicket(ticket.id)}>#${ticket.id} ${kindName(ticket)}</button>`],
      [t('close.outcome'), (ticket) => (ticket.outcome ? outcomeName(ticket.kind, ticket.outcome) : word('state', ticket.state))],
      [t('duty.name'), ({ claimed_by }) => claimed_by ?? '–']]} />`}</${Loaded}>`;
}

function All() {
  const load = useLoad('/api/absences');
  return html`<header><h1>${t('page.homes')}</h1><button class="primary" onClick=${openSearch}>${t('homes.find')} <kbd>/</kbd></button></header>
    <h2>${t('homes.absent')}</h2>
    <${Loaded} load=${load} what=${t('home.absences')}>${({ rows }) => html`
      <${Absences} rows=${rows} again=${load.again} withHome />`}</${Loaded}>`;
}

export function Page() {
  const id = Number(route.value[1]) || null;
  return html`<div class="page">${id ? html`<${Home} id=${id} key=${id} />` : html`<${All} />`}</div>`;
}
