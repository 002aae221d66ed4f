/* The contacts of a home, in the order in which they are called. */
import { useState } from 'preact/hooks';
import { html } from '../lib/html.js';
import { t, word } from '../lib/i18n.js';
import { Dialog, closeDialog } from '../ui/dialog.js';
import { useSend } from '../ui/do.js';

const ROLES = ['family', 'key_holder', 'neighbourhood', 'volunteer'];
const isWhole = ({ name, phone }) => name.trim() && phone.trim();

export function ContactsDialog({ id, contacts, done }) {
  const [isBusy, run] = useSend();
  const [rows, setRows] = useState(contacts.map(({ role, name, phone }) => ({ role, name, phone })));
  const set = (index, name) => ({ target }) => setRows(rows.with(index, { ...rows[index], [name]: target.value }));
  const swap = (index) => setRows(rows.with(index, rows[index - 1]).with(index - 1, rows[index]));
  const submit = async () => {
    if (await run('PUT', `/api/households/${id}/contacts`, { contacts: rows })) { done(); closeDialog(); }
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
        onClick=${() => setRows(rows.toSpliced(index, 1))}>×</button></li>`)}</ol>
    <button type="button" onClick=${() => setRows([...rows, { role: 'family', name: '', phone: '' }])}>${t('contact.add')}</button>
  </${Dialog}>`;
}
