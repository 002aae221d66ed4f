/* The contacts of a home, in the order in which they are called. */
import { useState } from 'preact/hooks';
import { html } from '../lib/html.js';
import { t, word } from '../lib/i18n.js';
import { Dialog, closeDialog } from '../ui/dialog.js';
import { useSend } from '../ui/do.js';

const ROLES = ['family', 'key_holder', 'neighbourhood', 'volunteer'];
const DAYS = [1, 2, 3, 4, 5, 6, 7];
const isWhole = ({ name, phone, available_from: from, available_until: until, available_days: days }) =>
  name.trim() && phone.trim() && !from === !until && days?.length !== 0;
/* As the server wants it: what is empty is null, and every day is no day. */
const told = (contact) => ({ ...contact, available_from: contact.available_from || null, available_until: contact.available_until || null,
  available_days: contact.available_days?.length < 7 ? contact.available_days : null });

/* When the contact may be asked. */
function Hours({ contact, set, setDays }) {
  const days = contact.available_days ?? DAYS;
  return html`<div class="fields"><label class="field">${t('contact.from')}<input type="time" value=${contact.available_from ?? ''}
      onInput=${set('available_from')} /></label>
    <label class="field">${t('contact.until')}<input type="time" value=${contact.available_until ?? ''} onInput=${set('available_until')} /></label></div>
    <fieldset class="days"><legend class="hidden">${t('contact.days', { name: contact.name })}</legend>${DAYS.map((day) => html`<label
      key=${day}><input type="checkbox" checked=${days.includes(day)} onChange=${({ target }) => setDays(
        DAYS.filter((one) => (one === day ? target.checked : days.includes(one))))} />${t(`figures.day.${day}`)}</label>`)}</fieldset>`;
}

export function ContactsDialog({ id, contacts, done }) {
  const [isBusy, run] = useSend();
  const [rows, setRows] = useState(contacts.map(({ position, ...contact }) => ({
    ...contact, available_from: contact.available_from?.slice(0, 5), available_until: contact.available_until?.slice(0, 5) })));
  const put = (index, name, value) => setRows(rows.with(index, { ...rows[index], [name]: value }));
  const set = (index, name) => ({ target }) => put(index, name, target.value);
  const swap = (index) => setRows(rows.with(index, rows[index - 1]).with(index - 1, rows[index]));
  const submit = async () => {
    if (await run('PUT', `/api/households/${id}/contacts`, { contacts: rows.map(told) })) { done(); closeDialog(); }
  };
  return html`<${Dialog} title=${t('home.contacts')} submit=${submit} submitText=${t('dialog.save')} isBusy=${isBusy} wide
      isReady=${rows.every(isWhole)}>
    <ol class="edit-contacts">${rows.map((contact, index) => html`<li key=${index}>
      <label class="field">${t('contact.name')}<input required value=${contact.name} onInput=${set(index, 'name')} /></label>
      <label class="field">${t('contact.role')}<select value=${contact.role} onChange=${set(index, 'role')}>
        ${[...new Set([...ROLES, contact.role])].map((role) => html`<option key=${role} value=${role}
          selected=${role === contact.role}>${word('contact', role)}</option>`)}</select></label>
      <label class="field">${t('contact.phone')}<input type="tel" required value=${contact.phone} onInput=${set(index, 'phone')} /></label>
      <button type="button" class="small" disabled=${index === 0} aria-label=${t('contact.up', { name: contact.name })}
        onClick=${() => swap(index)}>↑</button>
      <button type="button" class="small" aria-label=${t('contact.remove', { name: contact.name })}
        onClick=${() => setRows(rows.toSpliced(index, 1))}>×</button>
      <${Hours} contact=${contact} set=${(name) => set(index, name)} setDays=${(days) => put(index, 'available_days', days)} /></li>`)}</ol>
    <p><small>${t('contact.hours_hint')}</small></p>
    <button type="button" onClick=${() => setRows([...rows, { role: 'family', name: '', phone: '' }])}>${t('contact.add')}</button>
  </${Dialog}>`;
}
